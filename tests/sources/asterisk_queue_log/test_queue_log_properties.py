"""What must not change the figures of a log: other ids of calls, other spellings of queues, lines that stand twice."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.cloudevents import Event, tag_of
from stream.families.contacts.events import OfferEnded, SegmentEvent
from stream.sdk.producer import checked
from stream.simulator import office_centre, simulate, to_queue_log
from stream.sources.asterisk_queue_log.mapper import VERBS
from tests.sources.queue_logs import log_of, mapped, mapper

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
STILL_THERE = {"ENTERQUEUE", "RINGNOANSWER", "CONNECT"}
HANG_UPS = {"COMPLETEAGENT", "COMPLETECALLER", "BLINDTRANSFER", "ATTENDEDTRANSFER"}
AS_DIALLED = {"ENTERQUEUE", "EXITWITHTIMEOUT", "ABANDON", "EXITWITHKEY"}


@cache
def log() -> tuple[str, ...]:
    centre = office_centre()
    day = simulate(centre, start=BEGIN, end=BEGIN.replace(hour=11), seed=5)
    return tuple(to_queue_log(day, queues=centre.queue_names("voice")))


LINES = st.integers(0, len(log()) - 1)


def told(lines: Sequence[str]) -> list[tuple[Any, ...]]:
    """All that events of contacts say but for their ids, and for the calls of a second that rang in vain."""
    events: list[Event] = mapped("".join(f"{line}\n" for line in lines).encode())
    own = [event for event in events if isinstance(event, SegmentEvent) and not isinstance(event, OfferEnded)]
    return [(tag_of(event), event.time, event.subject, event.data) for event in own]


@cache
def told_of_the_log() -> list[tuple[Any, ...]]:
    return told(log())


def without_names(events: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Which of two that entered a queue in the same second was meant nobody can tell, and nobody needs to."""
    return sorted((kind, time, data.queue) for kind, time, _, data in events)


def test_the_log_has_all_that_the_properties_are_about() -> None:
    verbs = {line.split("|")[4] for line in log()}

    assert verbs >= {"ENTERQUEUE", "CONNECT", "ABANDON", "COMPLETEAGENT", "COMPLETECALLER", "ADDMEMBER", "PAUSE"}


@settings(max_examples=40)
@given(st.sets(LINES, max_size=30))
def test_a_call_that_has_another_id_when_it_ends_is_the_call_that_it_was(renamed: set[int]) -> None:
    last = {line.split("|")[1]: number for number, line in enumerate(log())}
    lines = list(log())
    for number in renamed:
        epoch, call, queue, member, verb, *params = lines[number].split("|")
        if verb in HANG_UPS and last[call] == number:
            lines[number] = "|".join([epoch, f"{epoch}.9999{number}", queue, member, verb, *params])

    assert told(lines) == told_of_the_log()


@settings(max_examples=40)
@given(st.data())
def test_two_calls_that_exchange_their_ids_are_told_as_if_they_had_not(data: st.DataObject) -> None:
    """As in a transfer: from some line on each is called what the other was."""
    at = data.draw(LINES)
    latest = {line.split("|")[1]: line.split("|")[4] for line in log()[:at]}
    ids = sorted(call for call, verb in latest.items() if verb in STILL_THERE)
    if len(ids) < 2:
        return
    one, other = data.draw(st.permutations(ids))[:2]
    names = {one: other, other: one}
    lines = [
        line if number < at else "|".join([names.get(field, field) for field in line.split("|")])
        for number, line in enumerate(log())
    ]

    assert without_names(told(lines)) == without_names(told_of_the_log())


@settings(max_examples=40)
@given(st.sets(LINES, max_size=200))
def test_a_queue_that_is_dialled_in_capital_letters_is_the_same_queue(dialled: set[int]) -> None:
    lines = list(log())
    first = next(number for number, line in enumerate(lines) if line.split("|")[2] != "NONE")
    for number in dialled - set(range(first + 20)):
        fields = lines[number].split("|")
        if fields[4] in AS_DIALLED:
            lines[number] = "|".join([*fields[:2], fields[2].upper(), *fields[3:]])

    assert told(lines) == told_of_the_log()


FEW = st.tuples(
    st.integers(0, 40),
    st.sampled_from(["c1", "c2", "c3"]),
    st.sampled_from(["q1", "Q1", "q2"]),
    st.sampled_from(["NONE", "m1", "m2"]),
    st.sampled_from(sorted(VERBS)),
    st.lists(st.integers(0, 20).map(str), max_size=5),
)


@settings(max_examples=300)
@given(st.lists(FEW, max_size=60))
def test_whatever_stands_in_a_log_each_visit_that_is_open_is_found_by_its_queue_and_its_call(
    lines: list[tuple[int, str, str, str, str, list[str]]],
) -> None:
    by = mapper()
    events = mapped(log_of("\n".join("|".join([str(line[0]), *line[1:5], *line[5]]) for line in lines)), by)

    calls = by.memory.calls
    expected = sorted(
        (name, visit.queue, visit.contact, visit.seq)
        for name, call in calls.by_id.items()
        for visit in call.visits
        if visit.state in {"waiting", "talking"}
    )
    found = [(name, visit.queue, visit.contact, visit.seq) for each in calls._open.values() for name, visit in each]
    assert sorted(found) == expected
    assert len({event.id for event in events}) == len(events)
    for event in events:
        checked(event)


@settings(max_examples=40)
@given(LINES, st.integers(1, 300))
def test_a_block_of_lines_that_stands_twice_counts_once(begin: int, length: int) -> None:
    end = begin + length
    lines = log()

    assert told([*lines[:end], *lines[begin:end], *lines[end:]]) == told_of_the_log()
