"""
The worked examples of mappings: what each record of their samples tells, and the figures that follow.

The figures were computed by hand, from the samples alone.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.app.replay import replay
from stream.board.view import panels_of
from stream.core.cloudevents import Event, tag_of
from stream.core.windows import ALL
from stream.families.registry import FAMILIES
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.mapped.mapping_file import read_mapping
from stream.sources.mapped.source import MappedFileOptions, read
from tests.sources.mapped.examples import EXAMPLES, SAMPLES


def events_of(name: str, intake: Intake | None = None) -> list[Event]:
    return list(read(MappedFileOptions(file=SAMPLES[name], mapping=EXAMPLES[name]), intake or Intake()))


def figures_of(events: list[Event]) -> Mapping[str, Mapping[str, Any]]:
    """Return the figures of each queue over all of the time."""
    panels = panels_of(replay(events, whole=True).board(), FAMILIES, ALL, detailed=True)
    return {row["queue"]: row for row in panels["contacts"].rows}


# offered, answered, in 20 s, abandoned, within 5 s, dequeued, mean wait, handled, mean handle time
BY_HAND = {
    # sales: waits of 12 and 30 s, abandons after 45 and 3 s; 110 + 10 s and 60 s handled.
    # support: a wait of 5 s, 120 s handled; one goes on elsewhere.
    "genesys-like": {"sales": (4, 2, 1, 2, 1, 0, 21.0, 2, 90.0), "support": (2, 1, 1, 0, 0, 1, 5.0, 1, 120.0)},
    # sales: waits of 15 and 25 s, an abandon after 40 s; 120 and 600 s. support: 4 s, and 56 s.
    "3cx-like": {"sales": (3, 2, 1, 1, 0, 0, 20.0, 2, 360.0), "support": (1, 1, 1, 0, 0, 0, 4.0, 1, 56.0)},
    # A wait of 8.4 s and 95 s of talk; an abandon after 22 s.
    "home-made": {"orders": (2, 1, 1, 1, 0, 0, 8.4, 1, 95.0)},
}
FIGURES = (
    *("offered", "answered", "answered_in_target", "abandoned", "abandoned_short", "dequeued"),
    *("asa_seconds", "handled", "aht_seconds"),
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_figures_of_an_example_are_those_computed_by_hand(name: str) -> None:
    found = figures_of(events_of(name))

    assert {queue: tuple(row[figure] for figure in FIGURES) for queue, row in found.items()} == BY_HAND[name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_that_is_read_backwards_and_twice_has_the_same_figures(name: str) -> None:
    events = events_of(name)

    again = figures_of([*sorted(events, key=lambda event: event.time, reverse=True), *events])

    assert {queue: tuple(row[figure] for figure in FIGURES) for queue, row in again.items()} == BY_HAND[name]


TOLD = {
    "genesys-like": {"read": 17, "ignored": {"legs": 2}, "events": 15},
    "3cx-like": {"read": 5, "ignored": {"calls past the queues": 1}, "events": 11},
    "home-made": {"read": 9, "ignored": {"pings": 1, "empty": 1}, "events": 7},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_of_an_example_every_record_is_used_or_left_out_on_purpose(name: str) -> None:
    intake = Intake()

    events = events_of(name, intake)

    assert {"read": intake.read, "ignored": intake.ignored, "events": len(events)} == TOLD[name]
    assert intake.refused.total() + intake.unknown.total() == 0
    assert intake.read == intake.used.total() + intake.ignored.total()
    for event in events:
        checked(event)


def test_a_row_of_a_table_tells_several_events_each_at_its_local_time() -> None:
    told = [(tag_of(event), f"{event.time:%H:%M:%S}") for event in events_of("3cx-like")[:3]]

    # At nine in the morning in Ljubljana it is eight o'clock in UTC, in March.
    assert told == [
        ("contact.enqueued", "08:00:00"),
        ("contact.answered", "08:00:15"),
        ("contact.ended", "08:02:15"),
    ]


def test_words_units_and_numbers_come_as_the_contract_has_them() -> None:
    ended = next(event for event in events_of("home-made") if tag_of(event) == "contact.ended")

    assert (ended.subject, ended.id) == ("4711", "7/contact.ended")
    assert (ended.data.talk_ms, ended.data.ended_by, ended.data.agent) == (95_000, "customer", "eva")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
MAPPINGS = {name: read_mapping(path).mapping for name, path in EXAMPLES.items()}
KEYS = st.sampled_from(
    [
        *("id", "detail-type", "detail", "eventBody", "eventTime", "conversationId", "queueId", "acdOutcome"),
        *("disconnectType", "kind", "no", "at", "call", "line", "who", "talked", "to_type", "answered", "start"),
    ]
)
SIMILAR = st.recursive(
    ANYTHING | st.sampled_from(["x.acd.start", "x.acd.end", "x.user.end", "ANSWERED", "queued", "hung_up", "Queue"]),
    lambda inner: st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


@pytest.mark.parametrize("name", EXAMPLES)
@given(record=ANYTHING | SIMILAR)
def test_whatever_a_record_is_a_mapping_tells_valid_events_or_a_fault_and_never_raises(
    name: str, record: object
) -> None:
    mapped = MAPPINGS[name].of(record)

    for event in mapped.events:
        checked(event)
    assert all(fault.line > 0 and fault.detail for fault in mapped.faults)
