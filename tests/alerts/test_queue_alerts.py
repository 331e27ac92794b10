"""What a simulated centre in trouble sets off, when, for whom; and what it does not."""

from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from scripts.alerts.queues import BURNS, QUEUE_ALERTS, Burn
from stream.app.policy_file import policies_of
from stream.families.contacts.tally import Tally
from tests.alerts.centres import MINUTE, POLICIES, day_of, ends_unreported, half_the_agents_leave, nobody_stays
from tests.alerts.stories import STEP, Scrapes, assert_told, board_scrape, instants, judge, scrapes_of
from tests.board.boards import SHOWN, a_board, a_queue, a_tally, showing
from tests.running import Figures

pytestmark = pytest.mark.slow

SECOND = timedelta(seconds=1)
HALF_PAST_TWO = 150 * MINUTE

MISSED, FALLING, COLLAPSED, OF_THE_DAY = (
    (f"ContactServiceLevel{name}", "queue service") for name in ("Missed", "Falling", "Collapsed", "OfTheDay")
)
WAITS = ("ContactLongestWait", "queue service")
ABANDON = ("ContactAbandonment", "queue service")
BLOCKED = ("ContactBlocking", "queue service")
GHOSTS = ("ContactGhosts", "queue service")
NOBODY = ("ContactNobodyAvailable", "queue service")


@cache
def half(policies: str = "", *, lasts: timedelta = 70 * MINUTE, workers: int = 1) -> Scrapes:
    """The centre that loses half of its agents at 0:40, for thirty minutes."""
    read = policies_of(POLICIES + policies, "policies.toml")
    return scrapes_of(day_of(half_the_agents_leave(), lasts), lasts=lasts, policies=read, workers=workers)


def test_when_half_the_agents_leave_their_queue_is_told_of_and_no_other(tmp_path: Path) -> None:
    told = {
        "40m": set(),
        "46m": {WAITS},
        "50m": {MISSED},
        "1h": {MISSED, COLLAPSED},
        "1h9m": {MISSED, COLLAPSED, FALLING, ABANDON},
        # At 1:10 the others come.
        "1h20m": set(),
        "1h40m": set(),
        "2h30m": set(),
    }

    assert_told(half(lasts=HALF_PAST_TWO), told, tmp_path)


def test_when_what_is_critical_is_over_nothing_of_it_is_told_as_if_it_were_new(tmp_path: Path) -> None:
    firing = 'ALERTS{alertstate="firing", concerns="queue", severity'
    critical, less = f'{firing}="critical"}}', f'{firing}!="critical"}}'
    steps = range(60, 105)
    checks = [
        {"expr": f"count({critical})", "eval_time": "1h", "exp_samples": [{"labels": "{}", "value": 1}]},
        {"expr": critical, "eval_time": "1h45m", "exp_samples": []},
        *({"expr": f"{less} unless on (queue) {critical}", "eval_time": f"{at}m", "exp_samples": []} for at in steps),
    ]

    judge({"promql_expr_test": checks}, half(lasts=HALF_PAST_TWO), tmp_path)


def test_a_queue_too_small_for_its_half_hours_is_told_of_its_day(tmp_path: Path) -> None:
    scrapes = half("minimum_volume = 300", lasts=HALF_PAST_TWO)

    assert_told(scrapes, {"46m": {WAITS}, "1h10m": set(), "1h30m": {OF_THE_DAY}, "2h30m": set()}, tmp_path)


def test_a_service_level_that_breaks_is_told_within_two_minutes(tmp_path: Path) -> None:
    breaks = next(number for number, scrape in enumerate(half()) if number > 60 and missed(scrape, "30m", "5m"))
    told = {f"{breaks * STEP // SECOND}s": set(), f"{breaks * STEP // SECOND + 120}s": {MISSED}}

    assert_told(half(), told, tmp_path, only="ContactServiceLevelMissed")


def missed(scrape: Figures, *windows: str) -> bool:
    """Tell whether the service level of `service` is below its target in all these windows."""
    levels = {
        dict(labels)["window"]: value
        for (name, labels), value in scrape.items()
        if name == "contact_service_level_ratio" and ("queue", "service") in labels
    }
    return all(levels.get(window, 1.0) < 0.8 for window in windows)


def test_while_a_queue_changes_hands_nothing_is_told_twice_or_fails(tmp_path: Path) -> None:
    assert_told(
        half(workers=2),
        {"40m": set(), "46m": {WAITS}, "50m": {MISSED}, "1h": {MISSED, COLLAPSED}},
        tmp_path,
    )


def test_what_is_told_of_a_queue_names_value_limit_team_and_what_to_do(tmp_path: Path) -> None:
    where = {"tenant": "default", "queue": "service", "channel": "voice", "team": "floor"}
    alert = {
        "eval_time": "46m",
        "alertname": "ContactLongestWait",
        "exp_alerts": [
            {
                "exp_labels": {**where, "severity": "warning", "concerns": "queue"},
                "exp_annotations": {
                    "summary": "default/service (voice): somebody has waited for 1m 35s, the limit is 1m 0s",
                    "description": "The contact at the head of the queue has waited longer than its limit. "
                    "Have it taken by hand; if nobody can, it is stuck in the call system.",
                    "runbook_url": "https://centre.test/runbook#contactlongestwait",
                    "dashboard_url": "https://grafana.test/d/contact-queue-detail"
                    "?var-tenant=default&var-queue=service&var-channel=voice",
                },
            }
        ],
    }

    judge({"alert_rule_test": [alert]}, half(), tmp_path)


def test_outside_opening_hours_nothing_is_told(tmp_path: Path) -> None:
    assert_told(half('opening_hours = "00:00-00:47"'), {"46m": {WAITS}, "50m": set(), "1h9m": set()}, tmp_path)


def test_in_quiet_hours_only_what_is_critical_is_told(tmp_path: Path) -> None:
    assert_told(half('quiet_hours = "00:30-06:00"'), {"50m": set(), "1h9m": {COLLAPSED}}, tmp_path)


def test_too_few_contacts_are_no_verdict(tmp_path: Path) -> None:
    assert_told(half("minimum_volume = 100000"), {"46m": {WAITS}, "1h": set(), "1h9m": set()}, tmp_path)


def test_attempts_that_find_the_queue_full_are_told(tmp_path: Path) -> None:
    blocking = scrapes_of(
        day_of(nobody_stays(), 90 * MINUTE), lasts=90 * MINUTE, policies=policies_of("", "policies.toml")
    )

    assert_told(blocking, {"40m": set(), "1h": {BLOCKED, NOBODY, MISSED, COLLAPSED, ABANDON}}, tmp_path)


def test_a_queue_is_told_of_when_everybody_has_gone_home_and_customers_wait(tmp_path: Path) -> None:
    lenient = "[defaults]\nminimum_volume = 100000\nlongest_wait_limit_seconds = 9999"
    policies = policies_of(lenient, "policies.toml")
    scrapes = scrapes_of(day_of(nobody_stays(), 80 * MINUTE), lasts=80 * MINUTE, policies=policies)

    assert_told(
        scrapes, {"40m": set(), "45m": {NOBODY}, "1h10m": {NOBODY}, "1h14m": {NOBODY}, "1h18m": set()}, tmp_path
    )


def test_customers_of_a_call_system_that_reports_no_agents_are_not_said_to_be_alone(tmp_path: Path) -> None:
    events = (event for event in day_of(nobody_stays(), 60 * MINUTE) if "agent" not in type(event).__name__.lower())
    policies = policies_of("[defaults]\nminimum_volume = 100000", "policies.toml")

    assert_told(scrapes_of(events, lasts=60 * MINUTE, policies=policies), {"50m": set()}, tmp_path)


def test_every_alert_about_queues_has_its_story() -> None:
    told = {MISSED, FALLING, COLLAPSED, OF_THE_DAY, WAITS, ABANDON, BLOCKED, NOBODY, GHOSTS}

    assert {name for name, _ in told} == {alert.name for alert in QUEUE_ALERTS}


def test_contacts_whose_end_is_never_reported_are_told_when_they_expire(tmp_path: Path) -> None:
    lenient = "[defaults]\nghost_after_seconds = 1200\nlongest_wait_limit_seconds = 99999"
    policies = policies_of(lenient, "policies.toml")
    events = ends_unreported(day_of(half_the_agents_leave(), 40 * MINUTE))
    told = {"15m": set(), "55m": {GHOSTS, ("ContactGhosts", "queue orders")}}

    assert_told(scrapes_of(events, lasts=55 * MINUTE, policies=policies), told, tmp_path)


TARGETS = (0.2, 0.5, 0.8, 0.9, 0.95, 0.99)
EDGE = 0.001


def steady(levels: dict[str, tuple[float, float]], *windows: str) -> Scrapes:
    """Ten minutes of queues, by name with their target and a service level that all of these windows have."""
    queues = [
        showing(
            a_queue(name, target=target),
            dict.fromkeys(SHOWN, Tally())
            | dict.fromkeys(windows, a_tally(in_target=round(level * 1000), too_late=round(1000 - level * 1000))),
        )
        for name, (target, level) in levels.items()
    ]
    return [board_scrape(a_board(*queues)) for _ in instants(10 * MINUTE)]


@pytest.mark.parametrize("burn", BURNS, ids=lambda burn: burn.name)
def test_a_burn_rate_can_be_reached_whatever_the_target(burn: Burn, tmp_path: Path) -> None:
    edges = {target: target * (1 - burn.share) for target in TARGETS}
    at_worst = {f"{target} at worst": (target, 0.0) for target in TARGETS}
    below = {f"{target} below": (target, edge - EDGE) for target, edge in edges.items()}
    above = {f"{target} above": (target, edge + EDGE) for target, edge in edges.items()}
    fires = {
        "expr": f'count by (queue) (ALERTS{{alertstate="firing", alertname="{burn.name}"}})',
        "eval_time": "10m",
        "exp_samples": [{"labels": f'{{queue="{name}"}}', "value": 1} for name in at_worst | below],
    }

    judge({"promql_expr_test": [fires]}, steady(at_worst | below | above, burn.long, burn.short), tmp_path)


def test_at_80_percent_the_burn_rates_that_are_usual_for_web_sites_are_out_of_reach(tmp_path: Path) -> None:
    # Hence no 14.4 and no 6 in our rules: not even a queue that answers nobody in time burns so fast.
    worst = {
        "expr": "max by (queue) (round(queue:contact_service_level:burn, 0.001))",
        "eval_time": "10m",
        "exp_samples": [{"labels": '{queue="nobody in time"}', "value": 5}],
    }

    judge(
        {
            "promql_expr_test": [worst],
        },
        steady({"nobody in time": (0.8, 0.0)}, "30m"),
        tmp_path,
    )
