"""What customers who come again, leave, or leave carts behind set off: where there are enough, and the policy asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

import pytest
from msgspec.structs import replace

from scripts.alerts.customers import CUSTOMER_ALERTS
from stream.app.policy_file import policies_of
from stream.core.cloudevents import Event
from stream.core.policies import Policies
from stream.families.contacts.rules import RULES
from stream.families.customers.fold import CustomersFold
from tests.alerts.stories import STEP, Scrapes, assert_told, board_scrape, judge
from tests.board.boards import NOON, a_board, a_queue
from tests.families.customers.told import customer_event
from tests.running import Figures

pytestmark = pytest.mark.slow

FCR = ("ContactFirstContactResolution", "queue support")
CHURN = ("ContactChurn", "")
CARTS = ("ContactCartAbandonment", "")
NOT_COUNTED = ("ContactCustomersNotCounted", "")

LASTS = timedelta(minutes=40)

EARLY, LATE = "14m", "32m"
"""Before a quarter of an hour has passed, and some time after it."""


def ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


def contacts(many: int, *, again: int) -> list[Event]:
    """So many first contacts twenty days ago, after which some came again the next day."""
    first = [customer_event("contacted", f"c{n}", ago(20), contact=f"first-{n}") for n in range(many)]
    return first + [customer_event("contacted", f"c{n}", ago(19), contact=f"again-{n}") for n in range(again)]


def members(many: int, *, left: int) -> list[Event]:
    """So many who have been customers for sixty days, of whom some left ten days ago."""
    joined = [customer_event("joined", f"c{n}", ago(60), plan="basic") for n in range(many)]
    return joined + [customer_event("left", f"c{n}", ago(10)) for n in range(left)]


def carts(*, ordered: int, abandoned: int) -> list[Event]:
    """Carts of this morning."""
    then = NOON - timedelta(hours=4)
    created = [customer_event("cart.created", f"cart-{n}", then, customer=f"c{n}") for n in range(ordered + abandoned)]
    later = then + timedelta(minutes=10)
    return created + [customer_event("cart.ordered", f"cart-{n}", later, customer=f"c{n}") for n in range(ordered)]


def scrapes(events: Sequence[Event], policies: str = "", *, workers: int = 3, limit: int = 1000) -> Scrapes:
    """Scrapes at noon of a centre whose customers are spread over so many workers."""
    rules = policies_of(f'[defaults]\nteam = "desk"\n{policies}', "policies.toml")
    scrape: Figures = {}
    for number in range(workers):
        share = [one for one in events if crc32(one.subject.encode()) % workers == number]
        scrape |= shown(share, rules, limit, f"worker-{number}")
    return [scrape] * (LASTS // STEP)


def shown(events: Sequence[Event], rules: Policies, limit: int, worker: str) -> Figures:
    fold = CustomersFold(rules, max_customers=limit)
    ordered = sorted(events, key=lambda one: one.time)
    assert not fold.apply(ordered, range(len(ordered))).failed
    customers = tuple(one for _, one in fold.snapshots(NOON))
    # Whether a queue is served its contacts tell.
    served = replace(a_queue("support"), policy=replace(a_queue("support").policy, **hours_of(rules)))
    board = a_board(served)
    return board_scrape(replace(board, snapshots={**board.snapshots, "customers": customers}), worker)


def hours_of(rules: Policies) -> dict[str, object]:
    policy = rules.of(RULES, "acme", "support", "voice")
    return {"opening_hours": policy.opening_hours, "quiet_hours": policy.quiet_hours, "team": policy.team}


@pytest.mark.parametrize(
    ("many", "again", "told"),
    [(60, 30, True), (60, 12, False), (20, 15, False)],
    ids=["half come again", "a fifth", "few"],
)
def test_first_contacts_that_are_not_enough_are_told_of(many: int, again: int, *, told: bool, tmp_path: Path) -> None:
    seen = scrapes(contacts(many, again=again))

    assert_told(seen, {EARLY: set(), LATE: {FCR} if told else set()}, tmp_path, only=FCR[0])


@pytest.mark.parametrize("hours", ['opening_hours = "13:00-14:00"', 'quiet_hours = "11:00-13:00"'])
def test_nobody_hears_of_customers_while_all_is_closed_or_quiet(hours: str, tmp_path: Path) -> None:
    limits = f"churn_limit = 0.05\ncart_abandonment_limit = 0.5\n{hours}"
    events = [*contacts(60, again=30), *members(60, left=30), *carts(ordered=10, abandoned=40)]

    assert_told(scrapes(events, limits), {LATE: set()}, tmp_path, only="ContactFirst.*|ContactCh.*|ContactCart.*")


@pytest.mark.parametrize(
    ("many", "left", "limit", "told"),
    [(100, 10, 0.05, True), (100, 4, 0.05, False), (20, 10, 0.05, False), (100, 10, None, False)],
    ids=["too many", "within the limit", "few", "no limit"],
)
def test_customers_who_are_lost_are_told_of_by_all_and_by_their_plan(
    many: int, left: int, limit: float | None, *, told: bool, tmp_path: Path
) -> None:
    policy = "" if limit is None else f"churn_limit = {limit}"
    seen = scrapes(members(many, left=left), policy)

    firing = 'count by (alertname, plan) (ALERTS{alertstate="firing", alertname="ContactChurn"})'
    expected = [{"labels": f'{{alertname="ContactChurn"{plan}}}', "value": 1} for plan in ("", ', plan="basic"')]
    checks = [
        {"expr": firing, "eval_time": EARLY, "exp_samples": []},
        {"expr": firing, "eval_time": LATE, "exp_samples": expected if told else []},
    ]
    judge({"promql_expr_test": checks}, seen, tmp_path)


@pytest.mark.parametrize(
    ("ordered", "abandoned", "limit", "told"),
    [
        (10, 40, 0.7, True),
        (0, 40, 0.7, True),
        (20, 30, 0.7, False),
        (40, 0, 0.7, False),
        (2, 8, 0.7, False),
        (10, 40, None, False),
    ],
    ids=["too many", "all of them", "as usual", "none", "few", "no limit"],
)
def test_carts_that_are_abandoned_are_told_of_on_the_same_day(
    ordered: int, abandoned: int, limit: float | None, *, told: bool, tmp_path: Path
) -> None:
    policy = "" if limit is None else f"cart_abandonment_limit = {limit}"
    seen = scrapes(carts(ordered=ordered, abandoned=abandoned), policy)

    assert_told(seen, {EARLY: set(), LATE: {CARTS} if told else set()}, tmp_path, only=CARTS[0])


@pytest.mark.parametrize(("limit", "told"), [(10, True), (1000, False)])
def test_customers_beyond_the_limit_are_told_of_to_whom_it_is_set_by(limit: int, *, told: bool, tmp_path: Path) -> None:
    today = [customer_event("joined", f"c{n}", NOON - timedelta(hours=1)) for n in range(40)]

    assert_told(
        scrapes(today, workers=1, limit=limit),
        {EARLY: set(), LATE: {NOT_COUNTED} if told else set()},
        tmp_path,
        only=NOT_COUNTED[0],
    )


def test_what_is_told_of_a_plan_names_it_with_team_and_limit_and_what_to_do(tmp_path: Path) -> None:
    alert = {
        "eval_time": LATE,
        "alertname": "ContactChurn",
        "exp_alerts": [
            {
                "exp_labels": {**about, "tenant": "acme", "team": "desk", "severity": "info", "concerns": "customers"},
                "exp_annotations": {
                    "summary": f"{where}: 10% of the customers were lost in 30d, the limit is 5%",
                    "description": "They were there 30 days ago, and are gone. Look which plan or group loses most, "
                    "since when, and what they were in contact about before.",
                    "runbook_url": "https://centre.test/runbook#contactchurn",
                    "dashboard_url": f"https://grafana.test/d/contact-customers?var-tenant=acme&{chosen}&",
                },
            }
            for about, where, chosen in (
                ({}, "acme", ""),
                ({"plan": "basic"}, "acme, plan basic", "var-plan=basic"),
            )
        ],
    }

    judge({"alert_rule_test": [alert]}, scrapes(members(100, left=10), "churn_limit = 0.05"), tmp_path)


def test_every_alert_about_customers_has_its_story() -> None:
    assert {name for name, _ in (FCR, CHURN, CARTS, NOT_COUNTED)} == {alert.name for alert in CUSTOMER_ALERTS}
