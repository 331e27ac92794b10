from collections import Counter, defaultdict
from datetime import timedelta
from itertools import takewhile
from random import Random

import pytest
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.errors import SettingsError
from stream.families.cases.events import CaseMerged, CaseOpened
from stream.families.contacts.events import ContactEnded, ContactEnqueued, ContactTransferred
from stream.families.contacts.payloads import ArrivalData
from stream.families.customers.events import CartOrdered, CustomerContacted, CustomerPurchased
from stream.families.surveys.events import SurveyInvited
from stream.simulator import demo_centre, going_on, office_centre, simulate, with_surveys
from stream.simulator.centre import Centre
from stream.simulator.customers.known import ANONYMOUS, DueMatter, KnownCallers
from stream.simulator.customers.matters import SOLVED
from stream.simulator.customers.plan import ContactWay, CustomerBase
from tests.simulator.centres import START

HOUR = timedelta(hours=1)
DAYS = timedelta(days=1)
WHOLE_HOUR = START.replace(minute=0)


def day_of(centre: Centre, *, customers_before: timedelta | None, hours: int = 12) -> list[Event]:
    end = START + hours * HOUR
    return list(
        simulate(centre, start=START, end=end, seed=3, cases_before=2 * DAYS, customers_before=customers_before)
    )


@pytest.fixture(scope="module")
def day() -> list[Event]:
    return day_of(demo_centre(), customers_before=100 * DAYS)


def told_by_centre(events: list[Event]) -> list[Event]:
    return [event for event in events if event.topic != "customers"]


def nobody_known(event: Event) -> Event:
    if event.topic not in {"contacts", "cases"} or isinstance(event.data, ArrivalData):
        return event
    told = {"customer", "topic"} & {*event.data.__struct_fields__}
    # What agents note down of conversations belongs to what is told of customers.
    noted = {"disposition"} if isinstance(event, ContactEnded) else set()
    return replace(event, data=replace(event.data, **dict.fromkeys(told | noted)))


@pytest.mark.parametrize("centre", [demo_centre(), office_centre()], ids=lambda centre: centre.name)
def test_with_customers_the_calls_and_cases_of_a_seed_are_the_same(centre: Centre) -> None:
    plain = day_of(centre, customers_before=None, hours=4)
    known = told_by_centre(day_of(centre, customers_before=100 * DAYS, hours=4))

    assert [nobody_known(event) for event in known] == plain
    assert known != plain


def test_without_customers_nobody_is_known(day: list[Event]) -> None:
    plain = day_of(demo_centre(), customers_before=None, hours=2)

    assert [nobody_known(event) for event in plain] == plain
    assert {event.topic for event in plain} == {event.topic for event in day} - {"customers"}


def test_every_event_of_a_contact_or_case_has_the_same_customer(day: list[Event]) -> None:
    customers = defaultdict(set)
    for event in told_by_centre(day):
        if event.topic in {"contacts", "cases"} and not isinstance(event.data, ArrivalData):
            customers[event.subject].add(event.data.customer)
            # Whoever asked to be called back is called back.
            customers[getattr(event.data, "origin", None) or event.subject].add(event.data.customer)
    moved = [event for event in day if isinstance(event, ContactTransferred) and event.data.to_queue]

    assert {len(of_one) for of_one in customers.values()} == {1}
    assert moved
    assert any(subject.endswith("-callback") for subject in customers)


def test_a_case_is_merged_into_one_of_the_same_customer(day: list[Event]) -> None:
    of_case = {event.subject: event.data.customer for event in day if isinstance(event, CaseOpened)}
    merged = [event for event in day if isinstance(event, CaseMerged)]

    assert merged
    assert all(of_case[event.subject] == of_case[event.data.into] for event in merged)


def test_some_callers_are_anonymous_and_of_the_others_a_fifth_comes_again(day: list[Event]) -> None:
    came = [event for event in day if isinstance(event, ContactEnqueued) and event.data.enqueue_seq == 1]
    known = [event for event in came if event.data.customer is not None]
    matters = Counter((event.data.queue, event.data.customer) for event in known)

    assert 1 - len(known) / len(came) == pytest.approx(ANONYMOUS, abs=0.02)
    assert 1 - len(matters) / len(known) == pytest.approx(0.2, abs=0.03)


def test_customers_come_as_often_as_before_the_calls_began_and_most_often_those_who_have_just_bought() -> None:
    centre = demo_centre()
    many = replace(centre.customers[0], number=15_000)
    events = day_of(replace(centre, customers=(many,)), customers_before=45 * DAYS)
    bought = {
        event.subject if isinstance(event, CustomerPurchased) else event.data.customer
        for event in events
        if isinstance(event, CustomerPurchased | CartOrdered) and event.time > START - 30 * DAYS
    }
    # Of the four days before, the same hours of the day.
    before = [
        event
        for event in events
        if isinstance(event, CustomerContacted) and not event.data.message and event.time > START - 4 * DAYS
        if (event.time - START) % DAYS < 12 * HOUR
    ]
    came = [
        event
        for event in events
        if isinstance(event, ContactEnqueued | CaseOpened) and (event.data.customer or "").startswith("cu-")
    ]
    came = [event for event in came if not isinstance(event, ContactEnqueued) or event.data.enqueue_seq == 1]

    assert len(came) == pytest.approx(len(before) / 4, rel=0.2)
    assert sum(event.data.customer in bought for event in came) / len(came) > 1.25 * len(bought) / many.number


def test_a_customer_who_is_expected_comes_before_others_but_not_before_there_is_a_reason() -> None:
    known = KnownCallers(Random(1), name="other")
    known.expect(DueMatter(at=1000, who=7, topic="billing"))
    early = [known.draw(at)[:2] for at in range(500, 600)]
    late = [known.draw(at)[:2] for at in range(1000, 1100)]

    assert ("cu-000007", "billing") not in early
    assert next(caller for caller in late if caller[0]) == ("cu-000007", "billing")


def test_what_a_contact_was_about_is_told_if_somebody_knows_and_that_it_was_solved(day: list[Event]) -> None:
    ended = [event for event in day if isinstance(event, ContactEnded)]
    topics = {event.subject: event.data.topic for event in day if isinstance(event, ContactEnqueued)}

    assert sum(event.data.topic is not None for event in ended) / len(ended) == pytest.approx(0.7, abs=0.04)
    assert all(event.data.topic == topics[event.subject] for event in ended)
    assert sum(event.data.disposition == "solved" for event in ended) / len(ended) == pytest.approx(SOLVED, abs=0.04)


def test_a_hundred_days_of_two_thousand_customers_come_first_in_at_most_60000_events(day: list[Event]) -> None:
    history = [*takewhile(lambda event: event.time < START - 2 * DAYS, day)]
    joined = {event.subject for event in history if event.topic == "customers"}

    assert {event.topic for event in history} == {"customers"}
    assert history[0].time < START - 99 * DAYS
    assert 30_000 < len(history) < 60_000
    assert len(joined) > 2000
    assert {event.tenantid for event in history} == {"northwind", "fabrikam"}


def test_contacts_are_told_by_customers_before_the_calls_begin_and_by_calls_from_then_on(day: list[Event]) -> None:
    told = [event for event in day if event.topic == "customers"]
    contacts = [event for event in told if isinstance(event, CustomerContacted) and not event.data.message]

    assert START - DAYS < max(event.time for event in contacts) < START
    assert any(event.time > START + 6 * HOUR for event in told)


def test_each_event_is_told_once_in_the_order_of_time(day: list[Event]) -> None:
    times = [event.time for event in day]

    assert times == sorted(times)
    assert len({event.id for event in day}) == len(day)


@pytest.mark.parametrize("cut", [10, 20_000, -3000])
def test_a_run_with_customers_goes_on_with_the_very_events_that_would_have_followed(cut: int) -> None:
    def run(newest: Event | None, later: timedelta) -> list[Event]:
        now = WHOLE_HOUR + later
        events = going_on(demo_centre(), newest, now=now, past=HOUR, seed=1, customers_before=100 * DAYS)
        return [*takewhile(lambda event: event.time < WHOLE_HOUR + 2 * HOUR, events)]

    whole = run(None, 0 * HOUR)
    newest = whole[cut]

    assert run(newest, 3 * HOUR) == [event for event in whole if event.time >= newest.time - timedelta(minutes=5)]


def test_a_customer_who_is_known_is_asked_by_that_name(day: list[Event]) -> None:
    whose = {event.subject: event.data.customer for event in day if isinstance(event, ContactEnqueued)}
    asked = [event for event in with_surveys(day) if isinstance(event, SurveyInvited)]
    known = [event for event in asked if whose[contact_of(event)] is not None]

    assert all(event.data.customer == whose[contact_of(event)] for event in known)
    assert 0.75 < len(known) / len(asked) < 0.95


def contact_of(asked: Event) -> str:
    return asked.subject.removeprefix("survey-").rpartition("-")[0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"number": 0}, "at least one"),
        ({"ways": ()}, "a way to us"),
    ],
)
def test_customers_that_cannot_be_are_refused(wrong: dict[str, object], says: str) -> None:
    usual = {"number": 10, "ways": (ContactWay(queue="a", usually=1, after_purchase=1),)}

    with pytest.raises(SettingsError, match=says):
        CustomerBase(**(usual | wrong))  # type: ignore[arg-type]  # a dict of any fields


def test_a_tenant_has_its_customers_once() -> None:
    centre = demo_centre()

    with pytest.raises(SettingsError, match="its customers twice"):
        replace(centre, customers=centre.customers * 2)
