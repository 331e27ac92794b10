"""What contacts, cases, surveys and carts tell about the customer whom they name."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.core.cloudevents import Event, encode, tag_of
from stream.core.derivation import Derivation
from stream.core.family import Board
from stream.core.policies import Policies
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.fold import CustomersFold
from stream.families.customers.snapshot import CustomersSnapshot
from stream.families.registry import DECODER, EVENT_TYPES, FAMILIES
from stream.simulator import demo_centre, simulate, with_surveys

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)

POLICIES = policies_of('[defaults]\nsolved_dispositions = ["solved", "done"]\n', "policy")

EVERYBODY = ("acme", "", "", "", "")
SUPPORT = ("acme", "support", "voice", "", "")

_AT_SUPPORT = {"queue": "support", "customer": "c-1"}


def told(kind: str, minutes: float, subject: str = "k1", /, **data: Any) -> Event:
    """An event some minutes after noon, named by what it is and of what; at support, of one customer."""
    known = {} if kind.startswith("cart.") else _AT_SUPPORT
    fields = {name: value for name, value in (known | data).items() if value is not None}
    document = {
        "specversion": "1.0",
        "type": kind,
        "id": f"{kind}:{subject}:{minutes}",
        "source": "/pbx",
        "time": NOON + timedelta(minutes=minutes),
        "subject": subject,
        "tenantid": "acme",
        "data": fields,
    }
    return msgspec.convert(document, EVENT_TYPES[kind])


def followed(*events: Event, policies: Policies = POLICIES) -> list[Event]:
    """Return what follows directly for customers."""
    derivation = Derivation(FAMILIES, policies)
    return [one for event in events for one, _ in derivation.of(event) if one.topic == "customers"]


def counts(board: Board, part: tuple[str, ...] = EVERYBODY) -> CustomerCounts:
    [one] = [one for one in board.snapshots["customers"] if one.key == part]
    assert isinstance(one, CustomersSnapshot)
    return one.counted.window("today", CustomerCounts)


CALL = [
    told("contact.enqueued", 0),
    told("contact.answered", 1),
    told("contact.transferred", 3, kind="blind", to_queue="billing"),
    told("contact.ended", 5, disposition="solved"),
]


def test_a_call_is_a_contact_served_handed_over_and_solved_of_the_same_instants() -> None:
    contacted, served, went, solved = followed(*CALL)

    assert [tag_of(one) for one in (contacted, served, went, solved)] == [
        *["customer.contacted"] * 2,
        "customer.handed_over",
        "customer.solved",
    ]
    assert {one.subject for one in (contacted, served, went, solved)} == {"c-1"}
    assert [one.time for one in (contacted, served, went, solved)] == [event.time for event in CALL]
    assert (contacted.data.served, served.data.served) == (False, True)
    assert {one.data.contact for one in (contacted, served, went, solved)} == {"k1"}
    assert went.data.queue == "billing"


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        (told("contact.enqueued", 0, direction="outbound"), []),
        (told("contact.enqueued", 0, reason="callback"), []),
        (told("contact.answered", 1, direction="outbound"), []),
        (told("contact.transferred", 1, kind="blind", to_queue="billing", direction="outbound"), []),
        (told("contact.ended", 5, disposition="ticket"), []),
        (told("contact.ended", 5), []),
        (told("contact.ended", 5, disposition="done"), ["customer.solved"]),
        (told("contact.abandoned", 5), []),
        (told("case.opened", 0), ["customer.contacted"]),
        (told("case.opened", 0, opened_by="agent"), []),
        (told("message.received", 0), ["customer.contacted"]),
        (told("message.received", 0, automatic=True), []),
        (told("message.sent", 0), []),
        (told("case.assigned", 0), ["customer.handed_over"]),
        (told("case.resolved", 0), ["customer.solved"]),
        (told("survey.invited", 0, kind="csat"), ["customer.asked"]),
        (told("survey.answered", 0, kind="csat", score=5), ["customer.asked"]),
        (told("survey.changed", 0, kind="csat", score=5), ["customer.asked"]),
        (told("cart.ordered", 0, customer="c-1", order="o1", value=20), ["customer.purchased"]),
        (told("cart.ordered", 0, customer="c-1", value=20), []),
        (told("cart.ordered", 0, customer="c-1", order="o1"), []),
        (told("cart.ordered", 0, order="o1", value=20), []),
        (told("cart.checked_out", 0, customer="c-1", value=20), []),
    ],
    ids=lambda value: tag_of(value) if isinstance(value, Event) else "-".join(value) or "nothing",
)
def test_what_tells_something_of_a_customer(event: Event, kinds: list[str]) -> None:
    assert [tag_of(one) for one in followed(event)] == kinds


def test_a_case_is_told_with_what_it_is_about_and_an_assignment_is_no_transfer() -> None:
    opened, received, assigned, resolved = followed(
        told("case.opened", 0, channel="email", topic="invoice"),
        told("message.received", 1),
        told("case.assigned", 2, queue="billing"),
        told("case.resolved", 3, channel="email"),
    )

    assert (opened.data.queue, opened.data.channel, opened.data.topic) == ("support", "email", "invoice")
    assert (received.data.message, received.data.queue) == (True, None)
    assert (assigned.data.queue, assigned.data.transfer) == ("billing", False)
    assert resolved.data.contact == "k1"


def test_an_order_is_a_purchase_of_its_value_and_currency() -> None:
    [bought] = followed(told("cart.ordered", 0, "cart-1", customer="c-1", order="o1", value=12.5, currency="USD"))

    assert (bought.subject, bought.data.order, bought.data.amount, bought.data.currency) == ("c-1", "o1", 12.5, "USD")


NAMELESS: dict[str, dict[str, Any]] = {
    "contact.enqueued": {},
    "contact.answered": {},
    "case.opened": {},
    "message.received": {},
    "case.assigned": {},
    "contact.transferred": {"kind": "blind"},
    "contact.ended": {"disposition": "solved"},
    "case.resolved": {},
    "survey.invited": {"kind": "csat"},
    "survey.answered": {"kind": "csat", "score": 3},
}


def test_a_replay_of_months_knows_what_followed_when_it_happened() -> None:
    months = [
        told("cart.ordered", 0, "cart-1", customer="c-1", order="o1", value=20),
        *(told("customer.contacted", 1440 * day, "c-1", customer=None, contact=f"k{day}") for day in range(1, 60)),
    ]
    board = replay(months).board(NOON + timedelta(days=60))
    [everybody] = [one for one in board.snapshots["customers"] if one.key == EVERYBODY]

    assert everybody.counted.window("90d", CustomerCounts).revenue == 2000


def test_of_events_that_name_nobody_nothing_follows() -> None:
    assert followed(*(told(kind, 0, customer=None, **data) for kind, data in NAMELESS.items())) == []


def test_ids_stay_within_the_contract_however_long_those_of_the_events_are() -> None:
    long = told("contact.enqueued", 0, "k" * 230)
    other = told("contact.answered", 0, "k" * 230)
    ids = [one.id for one in followed(long, other)]

    assert max(map(len, ids)) <= 256


def test_what_follows_is_what_the_contract_allows() -> None:
    for one in followed(*CALL, told("case.opened", 0), told("survey.invited", 0, kind="csat")):
        assert DECODER.decode(encode(one)) == one


def test_told_twice_and_in_any_order_customers_know_it_once() -> None:
    expected = replay(CALL, policies=POLICIES).board(NOON + timedelta(hours=1))
    again = [*CALL, *CALL]
    random.Random(1).shuffle(again)

    shown = replay(again, policies=POLICIES).board(NOON + timedelta(hours=1))
    for one in expected.snapshots["customers"]:
        assert counts(shown, one.key) == counts(expected, one.key)
    support = counts(expected, SUPPORT)
    assert (support.contacts, support.first_served, support.efforts, support.effort_handovers) == (1, 1, 1, 1)
    assert support.effort_ms == 5 * 60_000


def test_a_contact_that_becomes_a_case_is_one_contact_of_one_matter() -> None:
    day = [
        *CALL[:2],
        told("contact.ended", 5, disposition="ticket"),
        told("case.opened", 6),
        told("message.received", 30),
        told("case.assigned", 31, queue="billing"),
        told("case.resolved", 60),
    ]
    support = counts(replay(day, policies=POLICIES).board(NOON + timedelta(hours=2)), SUPPORT)

    assert (support.contacts, support.repeats, support.effort_contacts, support.effort_handovers) == (1, 0, 2, 1)


def test_surveys_of_customers_count_as_asked_and_answers_as_activity() -> None:
    day = [told("survey.invited", 0, "s1", kind="csat"), told("survey.answered", 9, "s1", kind="csat", score=5)]
    board = replay(day).board(NOON + timedelta(hours=1))
    [everybody] = [one for one in board.snapshots["customers"] if one.key == EVERYBODY]

    assert everybody.active[-2] == (1, 1, 1)
    assert sum(counts(board, one.key).asked for one in board.snapshots["customers"]) == 1


def in_their_order(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.time)


def whose_contact(event: Event) -> tuple[str, str, str] | None:
    """Return tenant, customer and name of a contact that an event tells of, with its queue; None: of none."""
    tag, data = tag_of(event), event.data
    if tag == "customer.contacted" and data.queue is not None:
        return event.tenantid, event.subject, data.contact
    # Who was only given a solution, of a case that we have opened, did not come.
    by_customer = (tag in {"contact.enqueued", "contact.answered"} and data.direction == "inbound") or (
        tag == "case.opened" and data.opened_by == "customer"
    )
    return (event.tenantid, data.customer, event.subject) if by_customer and data.customer is not None else None


def test_figures_of_a_simulated_day_are_those_of_what_its_events_say() -> None:
    """Counted from the raw events, knowing nothing of what follows from them."""
    at = NOON
    day = [
        *with_surveys(
            simulate(
                demo_centre(),
                start=at - timedelta(hours=3),
                end=at,
                seed=3,
                cases_before=timedelta(days=2),
                customers_before=timedelta(days=5),
            )
        )
    ]
    came = set(map(whose_contact, day)) - {None}
    asked = {
        (event.tenantid, event.data.customer, event.subject)
        for event in day
        if tag_of(event) == "survey.invited" and event.data.customer is not None
    } | {
        (event.tenantid, event.subject, event.data.survey)
        for event in day
        if tag_of(event) == "customer.asked" and event.data.what == "invited"
    }

    board = replay(day).board(at)
    shown: Counter[str] = Counter()
    for one in board.snapshots["customers"]:
        ever = one.counted.window("90d", CustomerCounts)
        shown.update(contacts=ever.contacts, asked=ever.asked)
    assert shown["contacts"] == len(came) > 100
    assert shown["asked"] == len(asked) > 10
    # And what customers count is what one fold counts of what follows, wherever it comes from.
    own = [event for event in day if event.topic == "customers"]
    fold = CustomersFold()
    events = in_their_order([*own, *followed(*day, policies=Policies())])
    fold.apply(events, range(len(events)))
    fold.settle()
    assert {one.key: one for _, one in fold.snapshots(at)} == {one.key: one for one in board.snapshots["customers"]}
