"""What cases in trouble set off, when, for whom; and what they do not."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from zlib import crc32

import pytest

from scripts.alerts.cases import CASE_ALERTS
from stream.app.policy_file import policies_of
from stream.core.cloudevents import Event
from stream.core.windows import EPOCH
from tests.alerts.stories import Scrapes, assert_told, judge, scrapes_of
from tests.running import Figures
from tests.timeline import event

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
TEAM = '[defaults]\nteam = "desk"\n'

LATE, DUE, LEVEL, AGE = (
    (f"ContactCase{name}", "queue mail") for name in ("AnswersLate", "AnswersDue", "ServiceLevel", "BacklogAge")
)

Report = tuple[float, str, str]
"""Hours after midnight, what, and of which case."""

TWO_HOURS = "first_response_target_seconds = 7200\n"
FORGOTTEN: Sequence[Report] = ((0, "case.opened", "a"), (0, "message.received", "a"), (2.5, "message.sent", "a"))
"""A customer who is answered half an hour too late."""

NEVER_SOLVED: Sequence[Report] = ((0, "case.opened", "a"), (0, "message.received", "a"), (0.5, "message.sent", "a"))


def answered(many: int, *, after: float, of: str = "c") -> list[Report]:
    """So many cases, one a minute, each answered so many hours later."""
    return [
        report
        for number in range(many)
        for report in (
            (number / 60, "case.opened", f"{of}{number}"),
            (number / 60, "message.received", f"{of}{number}"),
            (number / 60 + after, "message.sent", f"{of}{number}"),
        )
    ]


def events_of(reports: Iterable[Report]) -> list[Event]:
    told = (
        event(kind, case, EPOCH + hours * HOUR, queue="mail", **({"channel": "email"} if "opened" in kind else {}))
        for hours, kind, case in sorted(reports)
    )
    return list(told)


def scrapes(reports: Iterable[Report], policies: str = "", *, lasts: timedelta, workers: int = 1) -> Scrapes:
    """Return the scrapes of a centre whose cases are spread over so many workers."""
    read, events = policies_of(TEAM + policies, "policies.toml"), events_of(reports)
    shares = [
        scrapes_of(
            [one for one in events if crc32(one.subject.encode()) % workers == number], lasts=lasts, policies=read
        )
        for number in range(workers)
    ]
    return [merged(share) for share in zip(*shares, strict=True)]


def merged(share: Sequence[Figures]) -> Figures:
    """One look at all workers, each by a name of its own."""
    found: Figures = {}
    for number, scrape in enumerate(share):
        for (name, labels), value in scrape.items():
            mine = {**dict(labels), "instance": f"worker-{number}"}
            found[name, tuple(sorted(mine.items()))] = value
    return found


@cache
def forgotten(policies: str = "") -> Scrapes:
    return scrapes(FORGOTTEN, TWO_HOURS + policies, lasts=2.75 * HOUR)


def test_an_answer_is_told_of_while_it_can_be_in_time_and_when_it_is_late(tmp_path: Path) -> None:
    told = {
        "1h4m": set(),
        "1h7m": {DUE},
        "2h": {DUE},
        "2h7m": {LATE},
        "2h29m": {LATE},
        # At half past two it is answered: what lingers is over, too.
        "2h37m": set(),
    }

    assert_told(forgotten(), told, tmp_path, only="ContactCaseAnswers.*")


def test_where_an_answer_is_promised_within_the_hour_nobody_is_told_of_all_who_wait(tmp_path: Path) -> None:
    an_hour = scrapes(FORGOTTEN, "first_response_target_seconds = 3600", lasts=1.25 * HOUR)

    assert_told(an_hour, {"50m": set(), "1h7m": {LATE}}, tmp_path, only="ContactCaseAnswers.*")


def test_outside_opening_hours_nothing_is_told_of_cases(tmp_path: Path) -> None:
    by_the_clock = 'response_clock = "calendar"\nopening_hours = "00:00-02:15"'

    assert_told(forgotten(by_the_clock), {"2h14m": {LATE}, "2h25m": set()}, tmp_path, only="ContactCase.*")


def test_in_quiet_hours_nothing_is_told_of_cases_and_afterwards_what_is_still_so(tmp_path: Path) -> None:
    quiet = 'quiet_hours = "02:00-02:15"'

    assert_told(
        forgotten(quiet), {"1h7m": {DUE}, "2h14m": set(), "2h25m": {LATE}}, tmp_path, only="ContactCaseAnswers.*"
    )


def test_while_nobody_is_there_no_target_runs(tmp_path: Path) -> None:
    breaks = 'opening_hours = ["00:00-00:45", "02:00-24:00"]'

    assert_told(forgotten(breaks), {"2h14m": set(), "2h22m": {DUE}}, tmp_path, only="ContactCase.*")


@pytest.mark.parametrize("workers", [1, 3])
def test_a_service_level_below_its_target_is_told_however_the_cases_are_spread(workers: int, tmp_path: Path) -> None:
    # Of forty answers six are late: 85 %, where 90 % are promised.
    quick = "first_response_target_seconds = 1800\nnext_response_target_seconds = 1800"
    reports = [*answered(34, after=0.1), *answered(6, after=1, of="late")]

    told = {"30m": set(), "1h30m": {LEVEL}}
    assert_told(scrapes(reports, quick, lasts=1.5 * HOUR, workers=workers), told, tmp_path, only="ContactCaseService.*")


def test_too_few_answers_are_no_verdict_on_a_level(tmp_path: Path) -> None:
    quick = "first_response_target_seconds = 1800\nminimum_volume = 50"
    few = scrapes(answered(40, after=1), quick, lasts=1.5 * HOUR)

    assert_told(few, {"1h30m": set()}, tmp_path, only="ContactCaseService.*")


@pytest.mark.parametrize("workers", [1, 3])
def test_a_service_level_that_is_kept_is_told_to_nobody(workers: int, tmp_path: Path) -> None:
    # On one of three workers nearly all are late: the mean of three levels would be below the target.
    quick = "first_response_target_seconds = 1800"
    names = [f"late{number}" for number in range(3)]
    late = [(hours, kind, name) for name in names for hours, kind in ((0, "case.opened"), (0, "message.received"))]
    reports = [*answered(50, after=0.1), *late, *((1.0, "message.sent", name) for name in names)]

    kept = scrapes(reports, quick, lasts=1.5 * HOUR, workers=workers)
    assert_told(kept, {"1h30m": set()}, tmp_path, only="ContactCaseService.*")


def test_a_case_that_is_never_solved_is_told_of(tmp_path: Path) -> None:
    lasts = scrapes(NEVER_SOLVED, "backlog_age_limit_hours = 1", lasts=1.25 * HOUR)

    assert_told(lasts, {"1h": set(), "1h7m": {AGE}}, tmp_path)


def test_what_is_told_of_cases_names_team_number_and_what_to_do(tmp_path: Path) -> None:
    where = {"tenant": "default", "queue": "mail", "channel": "email", "team": "desk"}
    alert = {
        "eval_time": "2h10m",
        "alertname": "ContactCaseAnswersLate",
        "exp_alerts": [
            {
                "exp_labels": {**where, "severity": "warning", "concerns": "queue"},
                "exp_annotations": {
                    "summary": "default/mail (email): 1 waiting for an answer that is late",
                    "description": "Their customers have waited longer than the target of the queue, for five minutes "
                    "at least. Answer the oldest first; its dashboard says how long they wait.",
                    "runbook_url": "https://centre.test/runbook#contactcaseanswerslate",
                    "dashboard_url": "https://grafana.test/d/contact-cases"
                    "?var-tenant=default&var-queue=mail&var-channel=email",
                },
            }
        ],
    }

    judge({"alert_rule_test": [alert]}, forgotten(), tmp_path)


def test_every_alert_about_cases_has_its_story() -> None:
    assert {name for name, _ in (LATE, DUE, LEVEL, AGE)} == {alert.name for alert in CASE_ALERTS}
