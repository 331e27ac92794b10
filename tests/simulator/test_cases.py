from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.cloudevents import Event, encode, tag_of
from stream.errors import SettingsError
from stream.families.cases import events as e
from stream.families.registry import DECODER
from stream.simulator import demo_centre, office_centre, simulate
from stream.simulator.cases.plan import ALL_WEEK, WORKDAYS, CaseAgentPlan, CaseQueuePlan, CaseShares, HelpDesk
from stream.simulator.centre import Centre
from stream.simulator.times import Length, Shift
from tests.simulator.centres import seeds

MONDAY = datetime(2024, 3, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TALK = Length(timedelta(minutes=5))
MAIL = CaseQueuePlan(name="mail", per_hour=(6.0,), work=TALK)
SOME = settings(max_examples=15)

shares = st.sampled_from([0.0, 0.1, 0.3])


@st.composite
def help_desks(draw: st.DrawFn) -> HelpDesk:
    """One or two queues through three channels, and up to three agents, in every mixture of what a plan may say."""
    names = ["a", "b"][: draw(st.integers(1, 2))]
    some = {name: draw(shares) for name in CaseShares.__struct_fields__}
    in_a_turn = ("spam", "deleted", "merged", "reassigned", "asked", "held")
    some |= {name: some[name] / 2 for name in in_a_turn}
    queues = tuple(
        CaseQueuePlan(
            name=name,
            channel=channel,
            per_hour=draw(st.sampled_from([(2.0,), tuple(float(hour % 5) for hour in range(24))])),
            work=Length(timedelta(minutes=draw(st.integers(0, 40)))),
            reply=Length(draw(st.integers(0, 9)) * HOUR),
            hold=Length(draw(st.integers(0, 9)) * HOUR),
            patience=draw(st.none() | st.just(4 * HOUR)),
            receipts=draw(st.booleans()),
            bot=draw(st.booleans()),
            shares=CaseShares(**some),
            other=draw(st.sampled_from(names)),
            solved_by_time=draw(st.integers(1, 30)) * HOUR,
            closes_after=draw(st.integers(1, 60)) * HOUR,
        )
        for name in names
        for channel in ("email", "task", "messaging")
    )
    return HelpDesk(
        queues=queues, agents=tuple(draw(agents(number, names)) for number in range(draw(st.integers(0, 3))))
    )


@st.composite
def agents(draw: st.DrawFn, number: int, names: list[str]) -> CaseAgentPlan:
    return CaseAgentPlan(
        id=f"agent-{number}",
        skills=tuple(draw(st.lists(st.sampled_from(names), min_size=1, unique=True))),
        shift=draw(st.none() | st.just(Shift(starts=draw(st.integers(0, 23)) * HOUR, lasts=9 * HOUR))),
        days=draw(st.sampled_from([WORKDAYS, ALL_WEEK])),
    )


def played(desk: HelpDesk, *, seed: int = 1, days: float = 2, start: datetime = MONDAY) -> list[e.CaseEvent]:
    centre = Centre(name="test", queues=(), agents=(), help_desk=desk)
    events = simulate(centre, start=start, end=start + days * DAY, seed=seed)
    return [event for event in events if isinstance(event, e.CaseEvent)]


def cases_of(events: list[e.CaseEvent]) -> list[list[e.CaseEvent]]:
    cases = defaultdict(list)
    for event in events:
        cases[event.subject].append(event)
    return [*cases.values()]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: CaseShares(asked=0.6, held=0.4), "leave some turns to solve"),
        (lambda: CaseShares(spam=-0.1), "between 0 and 1"),
        (lambda: CaseShares(thanks=0.6, reopened=0.6), "exclude each other"),
        (lambda: replace(MAIL, per_hour=(1.0,) * 7), "mail of cases: per_hour needs 1, 24 or 168"),
        (lambda: replace(MAIL, per_hour=(-1.0,)), "must not be negative"),
        (lambda: replace(MAIL, shares=CaseShares(reassigned=0.1)), "need another queue"),
        (lambda: CaseAgentPlan(id="ann", skills=(), days=(7,)), "ann: days of the week"),
        (lambda: HelpDesk(queues=(MAIL, MAIL)), "two queues are the same"),
        (lambda: HelpDesk(agents=(CaseAgentPlan(id="ann", skills=("x",)),)), "agent ann.*no queue x"),
        (lambda: HelpDesk(queues=(replace(MAIL, other="x"),)), "queue mail.*no queue x"),
        (lambda: HelpDesk(agents=(CaseAgentPlan(id="ann", skills=()),) * 2), "one id"),
    ],
)
def test_a_help_desk_that_cannot_be_is_refused_and_its_fault_is_named(make: Callable[[], object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        make()


@SOME
@given(help_desks(), seeds)
def test_cases_come_in_order_of_time_with_ids_of_their_own_and_as_the_contract_says(desk: HelpDesk, seed: int) -> None:
    events = played(desk, seed=seed)

    assert all(first.time <= second.time for first, second in pairwise(events))
    assert all(MONDAY <= event.time < MONDAY + 2 * DAY for event in events)
    assert len({event.id for event in events}) == len(events)
    assert [DECODER.decode(encode(event)) for event in events] == events


@SOME
@given(help_desks(), seeds)
def test_the_same_seed_gives_the_same_cases(desk: HelpDesk, seed: int) -> None:
    assert msgspec.json.encode(played(desk, seed=seed)) == msgspec.json.encode(played(desk, seed=seed))


@SOME
@given(help_desks(), seeds)
def test_a_case_is_opened_first_and_ends_once(desk: HelpDesk, seed: int) -> None:
    for case in cases_of(played(desk, seed=seed)):
        kinds = Counter(map(type, case))

        assert isinstance(case[0], e.CaseOpened)
        assert kinds[e.CaseOpened] == 1
        # Solved, reopened, solved again: never twice the same.
        turns = [type(event) for event in case if isinstance(event, e.CaseResolved | e.CaseReopened)]
        assert turns == [e.CaseResolved, e.CaseReopened] * (len(turns) // 2) + [e.CaseResolved] * (len(turns) % 2)
        ends = [event for event in case if isinstance(event, e.CaseClosed | e.CaseMerged | e.CaseDeleted)]
        assert len(ends) <= 1
        assert not isinstance(case[-1], e.CaseClosed) or turns[-1] is e.CaseResolved
        assert not ends or all(isinstance(event, e.MessageSent) for event in case[case.index(ends[0]) + 1 :])


@SOME
@given(help_desks(), seeds)
def test_only_those_who_serve_a_queue_work_on_its_cases(desk: HelpDesk, seed: int) -> None:
    skills = {agent.id: agent.skills for agent in desk.agents}
    for event in played(desk, seed=seed):
        if isinstance(event, e.CaseAssigned) and event.data.agent:
            assert event.data.queue in skills[event.data.agent]


def test_a_case_is_answered_in_the_shift_of_somebody_and_waits_over_night_and_on_sunday() -> None:
    shift = Shift(starts=9 * HOUR, lasts=8 * HOUR)
    ann = CaseAgentPlan(id="ann", skills=("mail",), shift=shift)
    desk = HelpDesk(
        queues=(replace(MAIL, per_hour=(3.0,), work=Length(timedelta(minutes=5), "constant")),), agents=(ann,)
    )

    events = played(desk, days=28)

    answers = [event.time for event in events if isinstance(event, e.MessageSent)]
    assert {event.time.hour for event in events if isinstance(event, e.CaseOpened)} == {*range(24)}
    # A case that was begun in time is finished: five minutes, and what is read again of a case.
    assert {at.hour for at in answers if at.minute >= 5} == {*range(9, 17)}
    assert {at.weekday() for at in answers} == {*WORKDAYS}


def test_an_agent_whose_shift_has_begun_is_at_work_at_the_start() -> None:
    night = CaseAgentPlan(id="ann", skills=("mail",), shift=Shift(starts=22 * HOUR, lasts=8 * HOUR), days=(6,))
    desk = HelpDesk(queues=(MAIL,), agents=(night,))

    answers = [event.time for event in played(desk, days=6) if isinstance(event, e.MessageSent)]

    # Sunday's shift lasts until Monday, 6 o'clock.
    assert MONDAY < min(answers) < MONDAY + HOUR
    assert MONDAY + 5.5 * HOUR < max(answers) < MONDAY + 7 * HOUR


def test_the_urgent_are_answered_first() -> None:
    ann = CaseAgentPlan(id="ann", skills=("mail",), shift=Shift(starts=9 * HOUR, lasts=8 * HOUR))
    events = played(HelpDesk(queues=(replace(MAIL, per_hour=(12.0, *[0.0] * 23)),), agents=(ann,)), days=1)

    urgency = {event.subject: event.data.priority for event in events if isinstance(event, e.CaseOpened)}
    answered = [urgency[event.subject] for event in events if isinstance(event, e.CaseAssigned)]

    assert set(answered) == {"low", "normal", "high", "urgent"}
    assert answered == sorted(answered, key=["urgent", "high", "normal", "low"].index)


def test_calls_are_the_same_with_a_help_desk_and_without() -> None:
    start = datetime(2024, 3, 4, 9, 30, tzinfo=UTC)

    def calls(centre: Centre) -> list[Event]:
        events = simulate(centre, start=start, end=start + HOUR, seed=3)
        return [event for event in events if event.topic != "cases"]

    assert calls(demo_centre()) == calls(replace(demo_centre(), help_desk=HelpDesk()))


def test_calls_agents_and_cases_come_in_one_order_of_time() -> None:
    events = list(simulate(demo_centre(), start=MONDAY, end=MONDAY + HOUR, seed=1))

    assert {event.topic for event in events} == {"contacts", "agents", "cases"}
    assert all(first.time <= second.time for first, second in pairwise(events))


def test_cases_that_began_before_the_calls_are_others_than_those_that_begin_with_them() -> None:
    one, other = (
        list(simulate(demo_centre(), start=MONDAY, end=MONDAY + HOUR, seed=1, cases_before=before))
        for before in (0 * DAY, 2 * DAY)
    )

    assert other[0].time < MONDAY - DAY
    assert {event.topic for event in other if event.time < MONDAY} == {"cases"}
    assert [event for event in one if event.topic != "cases"] == [event for event in other if event.topic != "cases"]
    cases = [{(event.id, event.subject) for event in events if event.topic == "cases"} for events in (one, other)]
    assert cases[0].isdisjoint(cases[1])


@pytest.mark.parametrize("centre", [demo_centre(), office_centre()], ids=lambda centre: centre.name)
def test_everything_happens_to_the_cases_of_some_weeks(centre: Centre) -> None:
    events = played(centre.help_desk, days=30)

    assert {type(event) for event in events} == {*e.EVENTS}
    sent = [event.data for event in events if isinstance(event, e.MessageSent)]
    assert {(data.author, data.public, data.automatic) for data in sent} >= {
        ("agent", True, False),
        ("agent", False, False),
        ("agent", True, True),
    }
    assert {event.data.automatic for event in events if isinstance(event, e.MessageReceived)} == {True, False}
    assert {event.data.opened_by for event in events if isinstance(event, e.CaseOpened)} == {
        "customer",
        "agent",
        "system",
    }
    told = [event.data for event in events if isinstance(event, e.CaseStatusChanged)]
    assert {data.status for data in told} >= {"open", "pending", "on_hold", None}
    assert {event.data.reason for event in events if isinstance(event, e.CaseDeleted)} == {"spam", "deleted"}


@pytest.mark.parametrize("hour", [2, 10, 18])
def test_cases_of_the_demo_move_at_any_hour(hour: int) -> None:
    start = datetime(2024, 5, 11, hour, 20, tzinfo=UTC)  # a Saturday
    events = simulate(demo_centre(), start=start, end=start + HOUR, seed=1, cases_before=7 * DAY)

    told = Counter(tag_of(event) for event in events if event.topic == "cases" and event.time >= start)
    assert told["case.opened"]
    assert told["message.sent"] > 5
