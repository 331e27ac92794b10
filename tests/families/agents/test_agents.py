"""Agents by state, in each queue and in the whole tenant."""

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event
from stream.core.family import merged
from stream.core.limits import MAX_QUEUES_PER_AGENT, OVERFLOW_QUEUE
from stream.families.agents.fold import AgentsFold
from stream.families.agents.snapshot import STATES, AgentsSnapshot
from tests.timeline import TEN, event, story

_DAY = """
    00:00  agent.logged_in              eva
    00:00  agent.queue_joined           eva  queue=sales
    00:00  agent.queue_joined           eva  queue=support
    00:10  agent.activity_changed       eva  activity=reserved
    00:15  agent.activity_changed       eva  activity=on_contact
    00:00  agent.logged_in              dan
    00:01  agent.queue_joined           dan  queue=sales
    02:00  agent.availability_changed   dan  status=not_ready  reason=lunch
"""


def shown(staff: AgentsFold) -> list[AgentsSnapshot]:
    return [snapshot for _, snapshot in staff.snapshots(TEN) if snapshot is not None]


def states(events: list[Event], queue: str | None = None) -> dict[str, int]:
    staff = AgentsFold()
    applied = staff.apply(events, range(len(events)))
    assert not applied.failed
    by_queue = {snapshot.queue: snapshot.states for snapshot in shown(staff)}
    return {state: count for state, count in by_queue.get(queue, {}).items() if count}


def test_an_agent_in_two_queues_counts_in_each_and_once_in_the_tenant() -> None:
    day = story(_DAY)

    assert states(day, "sales") == {"on_contact": 1, "not_ready": 1}
    assert states(day, "support") == {"on_contact": 1}
    assert states(day) == {"on_contact": 1, "not_ready": 1}


def test_who_talks_while_not_ready_talks() -> None:
    assert states(story(_DAY + "\n03:00  agent.availability_changed  eva  status=not_ready")) == {
        "on_contact": 1,
        "not_ready": 1,
    }


def test_who_logged_out_is_offline_whatever_was_seen_before() -> None:
    assert states(story(_DAY + "\n05:00  agent.logged_out  eva")) == {"offline": 1, "not_ready": 1}


def test_a_pause_in_one_queue_holds_in_that_queue_only() -> None:
    day = story(
        """
        00:00  agent.queue_joined          eva  queue=sales
        00:00  agent.queue_joined          eva  queue=support
        01:00  agent.availability_changed  eva  status=not_ready  queue=support
        """
    )

    assert states(day, "sales") == {"available": 1}
    assert states(day, "support") == {"not_ready": 1}
    assert states(day) == {"available": 1}


def test_who_left_a_queue_counts_there_no_more() -> None:
    assert states(story(_DAY + "\n04:00  agent.queue_left  eva  queue=support"), "support") == {}


@given(st.permutations(range(4)))
def test_a_pause_in_a_queue_ends_with_the_membership_in_whatever_order_it_is_told(order: list[int]) -> None:
    day = story(
        """
        00:00  agent.queue_joined          eva  queue=sales
        01:00  agent.availability_changed  eva  status=not_ready  queue=sales
        02:00  agent.queue_left            eva  queue=sales
        03:00  agent.queue_joined          eva  queue=sales
        """
    )

    assert states([day[number] for number in order], "sales") == {"available": 1}


@given(st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_the_states(chance: random.Random) -> None:
    day = story(_DAY)
    mixed = day + day[::2]
    chance.shuffle(mixed)

    assert [states(mixed, queue) for queue in (None, "sales")] == [states(day, queue) for queue in (None, "sales")]


def test_a_replayed_event_does_not_turn_the_state_back() -> None:
    staff = AgentsFold()
    day = story(_DAY)
    staff.apply(day, range(len(day)))

    applied = staff.apply(day, range(len(day)))

    assert applied.replayed == len(day)


def test_agents_of_several_partitions_add_up() -> None:
    day = story(_DAY)
    one, two = AgentsFold(), AgentsFold()
    one.apply(day[:5], range(5))
    two.apply(day[5:], range(3))

    whole, sales, support = merged(snapshot for staff in (one, two) for snapshot in shown(staff))

    assert (whole.queue, sales.queue, support.queue) == (None, "sales", "support")
    assert whole.states["on_contact"] == whole.states["not_ready"] == 1
    assert set(whole.states) == set(STATES)


def test_a_runaway_producer_fills_neither_a_row_nor_the_labels() -> None:
    staff = AgentsFold(max_queues_per_tenant=50)
    joined = [event("agent.queue_joined", "eva", "00:01", queue=f"q{n}") for n in range(1000)]
    joined += [event("agent.queue_joined", f"a{n}", "00:02", queue=f"r{n}") for n in range(100)]
    staff.apply(joined, range(len(joined)))

    queues = {snapshot.queue for snapshot in shown(staff)}

    assert len(staff.agents["default", "eva"].queues) == MAX_QUEUES_PER_AGENT
    assert len(queues - {None, OVERFLOW_QUEUE}) == 50
    assert OVERFLOW_QUEUE in queues


def test_an_agent_of_whom_nothing_was_heard_for_a_week_is_forgotten() -> None:
    staff = AgentsFold()
    staff.apply(story(_DAY), range(8))
    staff.committed(8)

    staff.apply([event("agent.logged_in", "new", TEN + timedelta(days=8))], [8])

    assert {agent for _, agent in staff.agents} == {"new"}
