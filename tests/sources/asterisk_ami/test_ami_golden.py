"""A session of a running Asterisk: its manager interface tells the figures that its queue_log does."""

from collections import Counter
from collections.abc import Iterable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.cloudevents import Event
from stream.families.contacts import events as e
from stream.sources.asterisk_ami.messages import Message
from stream.sources.asterisk_ami.state import AmiPosition, PbxState
from tests.samples import sample
from tests.sources.manager_messages import ami_mapper, found_in, mapped_messages, recorded
from tests.sources.queue_logs import mapped

CLOCKS = {"session_filtered": 1_795_781_249, "session_filtered_after_reconnect": 1_795_781_337.5}
"""When snapshots were asked for that have no times of their own."""

WHOLE = ("session_full", "restart_before", "restart_after")
INTERRUPTED = ("session_filtered", "session_filtered_after_reconnect", "restart_before", "restart_after")


def told_by(*names: str) -> list[Event]:
    by, told = ami_mapper(), list[Event]()
    for name in names:
        told += by.lost()
        told += mapped_messages(by, found_in(recorded(name), CLOCKS.get(name, 1_795_781_530)))
    return told


def figures(events: Iterable[Event], queue: str) -> dict[str, float]:
    """Count by kind; of answers also the average of the waits, in seconds."""
    own = [event for event in events if isinstance(event, e.SegmentEvent) and event.data.queue == queue]
    kinds = Counter(type(event).__name__ for event in own)
    waits = [event.data.wait_ms or 0 for event in own if isinstance(event, e.ContactAnswered)]
    names = ("ContactEnqueued", "ContactAnswered", "ContactAbandoned", "ContactDequeued")
    return {name: kinds[name] for name in names} | {"asa": sum(waits) / len(waits) / 1000}


def counted(offered: int, answered: int, abandoned: int, others: int, asa: float) -> dict[str, float]:
    return {
        "ContactEnqueued": offered,
        "ContactAnswered": answered,
        "ContactAbandoned": abandoned,
        "ContactDequeued": others,
        "asa": asa,
    }


@pytest.mark.parametrize("names", [WHOLE, INTERRUPTED], ids=["whole", "with a lost connection"])
def test_the_figures_are_those_that_were_computed_by_hand(names: tuple[str, ...]) -> None:
    events = told_by(*names)

    assert figures(events, "sales") == counted(9, 2, 4, 3, 2.0)
    assert figures(events, "support") == counted(7, 4, 3, 0, 3.5)
    assert len({event.id for event in events}) == len(events)


@pytest.mark.parametrize("names", [WHOLE, INTERRUPTED], ids=["whole", "with a lost connection"])
@pytest.mark.parametrize("queue", ["sales", "support"])
def test_they_are_those_of_the_queue_log(names: tuple[str, ...], queue: str) -> None:
    log = mapped(sample("asterisk-ami/session_queue_log.txt").read_bytes())

    assert figures(told_by(*names), queue) == figures(log, queue)


def test_it_tells_in_addition_who_was_not_let_in_and_how_others_left() -> None:
    events = told_by(*INTERRUPTED)

    blocked = [(event.data.queue, event.data.reason) for event in events if isinstance(event, e.ContactBlocked)]
    exits = [event.data.reason for event in events if isinstance(event, e.ContactDequeued)]
    assert blocked == [("sales", "full"), ("sales", "full"), ("vip", "no_agents")]
    assert exits == ["key", "timeout", "empty"]


def test_conversations_are_as_long_as_in_the_queue_log() -> None:
    def talks(events: list[Event]) -> list[tuple[str, int | None]]:
        ends = [event for event in events if isinstance(event, e.ContactEnded | e.ContactTransferred)]
        return [(event.subject, event.data.talk_ms) for event in ends]

    log = mapped(sample("asterisk-ami/session_queue_log.txt").read_bytes())

    assert talks(told_by(*WHOLE)) == talks(log)


@cache
def messages(name: str) -> list[Message]:
    return [found for found in found_in(recorded(name), 1_795_781_249) if isinstance(found, Message)]


def test_at_its_original_speed_it_tells_the_same_as_in_one_go() -> None:
    by, told, second = ami_mapper(), list[Event](), 1_795_781_197
    for message in messages("session_full"):
        # Nothing is said for seconds: the clock goes on all the same, and is looked at.
        while second * 1_000_000 < (message.stamped or 0):
            told += by.later(second * 1_000_000)
            second += 1
        told += by.map(message)

    assert told == mapped_messages(ami_mapper(), messages("session_full"))


@settings(max_examples=25)
@given(st.data())
def test_a_restart_between_two_messages_changes_nothing(data: st.DataObject) -> None:
    # The snapshot in the middle of a session is not kept: one that is cut off is asked for again.
    said = [message for message in messages("session_full") if not message.first("actionid")]
    cut = data.draw(st.integers(0, len(said)))
    by = ami_mapper()
    told = mapped_messages(by, said[:cut])

    saved = AmiPosition.read(AmiPosition(pbxs={"berlin": by.state}).write())
    told += mapped_messages(ami_mapper(saved.pbxs["berlin"]), said[cut:])

    assert told == mapped_messages(ami_mapper(), said)


@settings(max_examples=40)
@given(st.data())
def test_whatever_is_missed_nobody_is_left_behind_and_nobody_counts_twice(data: st.DataObject) -> None:
    said = messages("session_full")
    begin = data.draw(st.integers(0, len(said)))
    end = data.draw(st.integers(begin, len(said)))
    by = ami_mapper(PbxState())
    told = mapped_messages(by, said[:begin])
    told += by.lost()
    told += mapped_messages(by, said[end:])
    told += by.lost()
    told += mapped_messages(by, found_in(recorded("restart_after"), 1_795_781_536))

    visits = Counter(
        (type(event), event.subject, event.data.enqueue_seq)
        for event in told
        if isinstance(event, e.ContactEnqueued | e.ContactAnswered | e.ContactAbandoned | e.ContactDequeued)
    )
    entered, answered = (_visits(told, kind) for kind in (e.ContactEnqueued, e.ContactAnswered))
    assert set(visits.values()) <= {1}
    assert entered <= answered | _visits(told, e.ContactAbandoned, e.ContactDequeued)
    assert answered == _visits(told, e.ContactEnded, e.ContactTransferred)


def _visits(events: Iterable[Event], *kinds: type[e.SegmentEvent]) -> set[tuple[str, int]]:
    return {
        (event.subject, event.data.enqueue_seq)
        for event in events
        if isinstance(event, e.SegmentEvent) and isinstance(event, kinds)
    }
