from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from subprocess import run
from sys import executable

import msgspec
import pytest
from hypothesis import given, settings

from stream.core.cloudevents import Event, encode
from stream.families.agents import events as agents
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.families.registry import DECODER
from stream.simulator import demo_centre, simulate
from stream.simulator.callers import milliseconds
from stream.simulator.centre import AgentPlan, Centre, DailyHours, Exits, Length, QueuePlan, Transfer, Trunk
from tests.simulator.centres import START, centres, played, seeds, single_queue

Key = tuple[str, int]
FATES = (e.ContactAnswered, e.ContactAbandoned, e.ContactDequeued)
SOME = settings(max_examples=40)


def segments_of(events: list[Event]) -> dict[Key, list[e.SegmentEvent]]:
    """The events of each visit of a contact to a queue; who was blocked made none."""
    segments: dict[Key, list[e.SegmentEvent]] = defaultdict(list)
    for event in events:
        if isinstance(event, e.SegmentEvent) and not isinstance(event, e.ContactBlocked):
            segments[event.subject, event.data.enqueue_seq].append(event)
    return segments


def gap_ms(first: Event, second: Event) -> int:
    return milliseconds(second.time - first.time)


@SOME
@given(centres(), seeds)
def test_a_segment_is_entered_once_and_leaves_once_at_most(centre: Centre, seed: int) -> None:
    for segment in segments_of(list(played(centre, seed=seed))).values():
        kinds = Counter(type(event) for event in segment)

        assert isinstance(segment[0], e.ContactEnqueued)
        assert kinds[e.ContactEnqueued] == 1
        assert sum(kinds[fate] for fate in FATES) <= 1
        assert kinds[e.ContactEnded] + kinds[e.ContactTransferred] <= kinds[e.ContactAnswered]
        assert kinds[e.ContactWrapupEnded] <= kinds[e.ContactWrapupStarted] <= 1


@SOME
@given(centres(), seeds)
def test_at_every_instant_offered_is_answered_and_abandoned_and_exits_and_waiting(centre: Centre, seed: int) -> None:
    waiting: dict[str, set[Key]] = defaultdict(set)
    for event in played(centre, seed=seed):
        match event:
            case e.ContactEnqueued():
                assert (event.subject, event.data.enqueue_seq) not in waiting[event.data.queue]
                waiting[event.data.queue].add((event.subject, event.data.enqueue_seq))
                assert event.data.position == len(waiting[event.data.queue])
            case e.ContactAnswered() | e.ContactAbandoned() | e.ContactDequeued():
                waiting[event.data.queue].remove((event.subject, event.data.enqueue_seq))
            case _:
                pass


@SOME
@given(centres(), seeds)
def test_durations_are_exactly_the_differences_of_times(centre: Centre, seed: int) -> None:
    for segment in segments_of(list(played(centre, seed=seed))).values():
        at = {type(event): event for event in segment}
        for event in segment:
            match event:
                case e.ContactAnswered() | e.ContactAbandoned() | e.ContactDequeued():
                    assert event.data.wait_ms == gap_ms(segment[0], event)
                case e.OfferEnded():
                    rang = next(o for o in segment if getattr(o.data, "offer_id", None) == event.data.offer_id)
                    assert event.data.ring_ms == gap_ms(rang, event)
                case e.ContactEnded() | e.ContactTransferred():
                    held = [other for other in segment if isinstance(other, e.ContactHeld)]
                    back = [other for other in segment if isinstance(other, e.ContactResumed)]
                    hold = sum(map(gap_ms, held, [*back, event]))
                    assert event.data.hold_ms == hold
                    assert event.data.talk_ms == gap_ms(at[e.ContactAnswered], event) - hold
                    assert event.data.wrapup == (e.ContactWrapupStarted in at)
                case e.ContactWrapupEnded():
                    assert event.data.acw_ms == gap_ms(at[e.ContactWrapupStarted], event)
                case _:
                    pass


@SOME
@given(centres(), seeds)
def test_events_come_in_order_of_time_with_ids_of_their_own_and_as_the_contract_says(centre: Centre, seed: int) -> None:
    events = list(played(centre, seed=seed))

    assert all(first.time <= second.time for first, second in pairwise(events))
    assert all(START <= event.time < START + timedelta(hours=1) for event in events)
    assert len({(event.source, event.id) for event in events}) == len(events)
    assert [DECODER.decode(encode(event)) for event in events] == events


@SOME
@given(centres(), seeds)
def test_an_agent_never_has_more_contacts_than_slots_and_none_off_duty(centre: Centre, seed: int) -> None:
    slots = {agent.id: agent.slots for agent in centre.agents}
    busy: Counter[str] = Counter()
    on_duty: set[str] = set()
    for event in played(centre, seed=seed):
        match event:
            case agents.AgentLoggedIn():
                on_duty.add(event.subject)
            case agents.AgentLoggedOut():
                on_duty.remove(event.subject)
                assert busy[event.subject] == 0
            case e.ContactOfferedToAgent(data=payloads.OfferData(agent=str(agent))):
                busy[agent] += 1
                assert busy[agent] <= slots[agent]
                assert agent in on_duty
            case e.ContactEnded(data=data) | e.ContactTransferred(data=data) if data.agent and not data.wrapup:
                busy[data.agent] -= 1
            case e.OfferEnded(data=data) | e.ContactWrapupEnded(data=data) if data.agent:
                busy[data.agent] -= 1
            case _:
                pass


@SOME
@given(centres(), seeds)
def test_the_same_seed_gives_the_same_day(centre: Centre, seed: int) -> None:
    once, again = (msgspec.json.encode(list(played(centre, seed=seed))) for _ in range(2))

    assert once == again


def test_the_day_does_not_depend_on_the_hash_seed_of_the_process() -> None:
    program = (
        "import hashlib, msgspec; from tests.simulator.centres import played;"
        "from stream.simulator import demo_centre;"
        "print(hashlib.sha256(msgspec.json.encode(list(played(demo_centre())))).hexdigest())"
    )

    days = {
        run([executable, "-c", program], env={"PYTHONHASHSEED": salt}, capture_output=True, check=True).stdout
        for salt in ("0", "4711")
    }

    assert len(days) == 1


def test_another_seed_gives_another_day_with_other_ids() -> None:
    one, other = (list(played(demo_centre(), seed=seed)) for seed in (1, 2))

    assert {event.id for event in one}.isdisjoint(event.id for event in other)


def test_the_same_customers_come_however_many_agents_there_are() -> None:
    """Chance is seeded by who it is for, so two staffings can be compared customer by customer."""
    few, many = (
        single_queue(*(AgentPlan(id=f"agent-{n}", skills=("queue",)) for n in range(agents))) for agents in (1, 9)
    )

    arrivals = [
        [(event.time, event.subject) for event in played(centre) if isinstance(event, e.ContactOffered)]
        for centre in (few, many)
    ]

    # The mark of the run is the centre's name, start and seed: the same here.
    assert arrivals[0] == arrivals[1]


def test_a_day_is_made_lazily() -> None:
    thousand_years = simulate(demo_centre(), start=START, end=START.replace(year=3024), seed=1)

    assert next(thousand_years).time == START


def test_the_clock_of_the_caller_may_be_of_any_zone_but_must_have_one() -> None:
    with pytest.raises(ValueError, match="time zone"):
        simulate(demo_centre(), start=START.replace(tzinfo=None), end=START, seed=1)


def test_a_transferred_contact_enters_the_next_queue_as_a_new_segment_at_the_same_instant() -> None:
    length = Length(timedelta(seconds=20))
    centre = Centre(
        name="test",
        queues=(
            QueuePlan(name="one", per_hour=(60.0,), talk=length, transfers=(Transfer(to="two", share=1.0),)),
            QueuePlan(name="two", per_hour=(0.0,), talk=length),
        ),
        agents=(AgentPlan(id="ann", skills=("one",)), AgentPlan(id="bob", skills=("two",))),
    )

    events = list(played(centre))

    left = {event.subject: event for event in events if isinstance(event, e.ContactTransferred)}
    entered = {
        event.subject: event for event in events if isinstance(event, e.ContactEnqueued) if event.data.queue == "two"
    }
    assert left.keys() == entered.keys() != set()
    for contact, event in entered.items():
        assert event.time == left[contact].time
        assert (event.data.enqueue_seq, event.data.reason) == (2, "transfer")


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ({"capacity": 1}, "full"),
        ({"hours": DailyHours(opens=timedelta(hours=10), closes=timedelta(hours=18))}, "closed"),
        ({"turns_away_unstaffed": True}, "no_agents"),
    ],
)
def test_who_does_not_get_in_is_blocked_and_never_enqueued(plan: dict[str, object], reason: str) -> None:
    absent = AgentPlan(id="ann", skills=())

    events = list(played(single_queue(absent, **plan)))

    blocked = {event.subject for event in events if isinstance(event, e.ContactBlocked) and event.data.reason == reason}
    enqueued = {event.subject for event in events if isinstance(event, e.ContactEnqueued)}
    assert blocked
    assert blocked.isdisjoint(enqueued)


def test_a_call_that_finds_all_lines_taken_is_busy_and_never_more_calls_than_lines_are_in() -> None:
    centre = msgspec.structs.replace(single_queue(per_hour=(200.0,)), trunks=(Trunk(lines=3),))
    inside = 0
    reasons = set()

    for event in played(centre):
        inside += isinstance(event, e.ContactEnqueued) - isinstance(event, e.ContactEnded)
        assert inside <= 3
        if isinstance(event, e.ContactBlocked):
            reasons.add(event.data.reason)
            assert inside == 3

    assert reasons == {"busy"}


def test_a_callback_is_promised_to_who_leaves_for_it_and_comes_to_an_end() -> None:
    exits = Exits(callback=1.0, after=Length(timedelta(seconds=5)))
    events = list(
        played(single_queue(AgentPlan(id="ann", skills=()), exits=exits, per_hour=(60.0, *[0.0] * 23)), hours=24)
    )

    left = {event.subject for event in events if isinstance(event, e.ContactDequeued)}
    promised = {event.data.origin for event in events if isinstance(event, e.CallbackRequested)}
    ended = Counter(event.subject for event in events if isinstance(event, e.CallbackConnected | e.CallbackFailed))
    assert left == promised != set()
    assert len(ended) == len(promised)
    assert set(ended.values()) == {1}


def test_a_contact_that_rings_in_vain_goes_to_somebody_else() -> None:
    deaf, ann = AgentPlan(id="deaf", skills=("queue",), misses=1.0), AgentPlan(id="ann", skills=("queue",))

    events = list(played(single_queue(deaf, ann)))

    assert {event.data.result for event in events if isinstance(event, e.OfferEnded)} == {"missed"}
    assert {event.data.agent for event in events if isinstance(event, e.ContactAnswered)} == {"ann"}


def test_a_start_within_a_millisecond_begins_with_it() -> None:
    start = datetime(2024, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)

    first = next(simulate(demo_centre(), start=start, end=start + timedelta(hours=9), seed=1))

    assert first.time.microsecond == 1000
