"""Contacts before and after a purchase, beside what is usual: stories."""

from math import sqrt

import pytest

from stream.core.figure import Reading
from stream.core.policies import Policies, Rule
from stream.families.customers import columns
from stream.families.customers.shown import CUSTOMER_FACTS
from tests.families.customers.told import EVERYBODY, customers_fold_of, figure, on, snapshots_of, told

FEW = Policies(rules=(Rule(changes={"customer_minimum": 2}),))

BUYS = """
-9 09:00 contacted ann contact=k1
1  09:00 joined    ann
1  09:00 joined    bob
1  10:00 purchased ann order=o1 amount=5
5  09:00 contacted ann contact=k2 channel=chat
6  09:00 contacted ann contact=k3 channel=chat
7  09:00 contacted bob contact=k4 channel=chat
"""

SPELLS = 2 * 90.5 / 30
"""Two customers for 90 days and the half of the running one: so many times 30 days."""


def journey(name: str, channel: str, *, day: int = 32, table: str = BUYS, policies: Policies = FEW) -> float | None:
    fold = customers_fold_of(told(table), policies)
    value: float | None = figure(fold, on(day), f"journey_{name}", "90d", EVERYBODY, channel)
    return value


def test_a_purchase_counts_when_the_thirty_days_after_it_are_over() -> None:
    assert journey("before", "voice", day=31) is None
    assert journey("before", "voice", day=32) == 1
    assert journey("after", "voice") == 0
    assert (journey("before", "chat"), journey("after", "chat")) == (0, 2)


def test_what_is_usual_is_of_all_customers_of_the_group() -> None:
    assert journey("usual", "chat") == pytest.approx(3 / SPELLS)
    assert journey("difference", "chat") == pytest.approx(2 - 3 / SPELLS)
    assert journey("difference", "voice") == pytest.approx(-1 / SPELLS)
    assert journey("margin", "chat") == pytest.approx(columns.Z95 * sqrt(2 + 3 / SPELLS**2))


def test_of_contacts_that_did_not_come_chance_is_that_of_those_to_be_expected() -> None:
    assert journey("after", "voice") == 0
    assert journey("margin", "voice") == pytest.approx(columns.Z95 * sqrt(1 / SPELLS + 1 / SPELLS**2))


def test_of_too_few_customers_nobody_can_tell_what_is_usual() -> None:
    assert journey("usual", "chat", policies=Policies()) is None
    assert journey("difference", "chat", policies=Policies()) is None
    assert journey("after", "chat", policies=Policies()) == 2


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        ("-29 09:59 contacted ann contact=k9 channel=email", None, None),
        ("-29 10:00 contacted ann contact=k9 channel=email", 1, 0),
        ("1 09:59 contacted ann contact=k9 channel=email", 1, 0),
        ("1 10:00 contacted ann contact=k9 channel=email", 0, 1),
        ("31 09:59 contacted ann contact=k9 channel=email", 0, 1),
        ("31 10:00 contacted ann contact=k9 channel=email", 0, 0),
    ],
)
def test_thirty_days_are_thirty_days_to_the_instant(line: str, before: float | None, after: float | None) -> None:
    table = "\n".join(sorted([*BUYS.strip().splitlines(), line], key=lambda one: int(one.split()[0])))

    assert (journey("before", "email", table=table), journey("after", "email", table=table)) == (
        before or 0,
        after or 0,
    )


def changed(table: str) -> dict[str, float]:
    fold = customers_fold_of(told(table), FEW)
    [found] = CUSTOMER_FACTS["journey_changed"](Reading(on(32), [snapshots_of(fold, on(32))[EVERYBODY]]), "90d")
    return {channel: difference for channel, (difference, _) in found.items()}


def test_what_changed_is_what_differs_by_more_than_chance() -> None:
    many = "\n".join(f"8 {n // 60:02}:{n % 60:02} contacted ann contact=m{n} channel=chat" for n in range(20))

    assert changed(BUYS) == {}
    assert changed(BUYS + many) == {"chat": pytest.approx(22 - 23 / SPELLS)}


def a_town(customers: int, *, purchases: int, chats: int, after: int = 0) -> str:
    """Customers, of whom the first have bought something; one of these chats after it, the others by the last."""
    lines = [
        *(f"1 09:00 joined c{n}" for n in range(customers)),
        *(f"1 10:00 purchased c{n} order=o{n} amount=5" for n in range(purchases)),
        *(f"5 09:00 contacted c{customers - 1 - n} contact=k{n} channel=chat" for n in range(chats)),
        *(f"8 09:{n:02} contacted c0 contact=m{n} channel=chat" for n in range(after)),
    ]
    return "\n".join(lines)


def test_that_nobody_came_by_a_rare_channel_is_no_change() -> None:
    rare = a_town(340, purchases=40, chats=5)

    assert journey("difference", "chat", table=rare) == pytest.approx(-0.00487, rel=0.01)
    assert journey("margin", "chat", table=rare) == pytest.approx(0.0221, rel=0.01)
    assert changed(rare) == {}


def test_that_nobody_came_by_a_usual_channel_is_one() -> None:
    usual = a_town(340, purchases=40, chats=250)

    assert changed(usual) == {"chat": pytest.approx(-250 / (340 * 90.5 / 30))}


def test_of_fewer_than_five_contacts_expected_or_come_nothing_is_said_to_have_changed() -> None:
    four, five = (a_town(340, purchases=1, chats=0, after=number) for number in (4, 5))
    more, margin = (journey(name, "chat", table=four) for name in ("difference", "margin"))

    assert more is not None
    assert margin is not None
    assert more > margin
    assert changed(four) == {}
    assert [*changed(five)] == ["chat"]
