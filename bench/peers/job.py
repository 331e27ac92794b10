"""The job as every Python peer does it: plain JSON values in and out, so that any state store takes them.

It is less than what a worker of ours does (no histograms, days or totals, no other order of events
than that of time), so that no peer can be slow for want of our arithmetic. Standard library only.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["PARTITIONS", "TALLY_FIELDS", "Change", "add", "fold_event", "queue_of", "segment_of"]

PARTITIONS = 16
"""Of the topic of events, and so of every changelog."""

TALLY_FIELDS = ("offered", "answered", "answered_in_target", "answer_wait_ms", "abandoned", "handled", "handle_ms")
THRESHOLD_MS = 20_000

_ENQUEUED, _ANSWERED, _ABANDONED, _ENDED, _WRAPPED_UP, _HELD, _RESUMED = range(7)
_FACTS = {
    "contact.enqueued": _ENQUEUED,
    "contact.answered": _ANSWERED,
    "contact.abandoned": _ABANDONED,
    "contact.ended": _ENDED,
    "contact.wrapup_ended": _WRAPPED_UP,
    "contact.held": _HELD,
    "contact.resumed": _RESUMED,
}


class Change(NamedTuple):
    """What an event did."""

    segment: list[Any]
    """The segment as it is now: five facts, each None or known, the spells on hold, and their ends."""
    minute: str
    """When that counts, as `2026-11-20T09:41`."""
    added: tuple[int, ...] | None
    """What to add to the tally of the minute, by `TALLY_FIELDS`; None where nothing."""


def queue_of(event: dict[str, Any]) -> str:
    """Return queue and channel of an event, as `queue/channel`."""
    data = event["data"]
    return f"{data['queue']}/{data.get('channel', 'voice')}"


def segment_of(event: dict[str, Any]) -> str:
    """Return which visit of which contact an event is about, as `contact/enqueue_seq`."""
    return f"{event['subject']}/{event['data'].get('enqueue_seq', 1)}"


def fold_event(segment: list[Any] | None, event: dict[str, Any]) -> Change | None:
    """Fold an event into its segment (None for a new one), in place; returns None for what changes nothing."""
    fact = _FACTS.get(event["type"])
    if fact is None:
        return None
    at = event["time"]
    if segment is None:
        segment = [None, None, None, None, None, [], []]
    known = segment[fact]
    if fact >= _HELD:
        if at in known:
            return None
        known.append(at)
        return Change(segment, at[:16], None)
    if known is not None:
        return None
    segment[fact] = at
    return Change(segment, at[:16], _counts(fact, segment, event["data"]))


def add(tally: list[int] | None, added: Sequence[int]) -> list[int]:
    """Return the tally (None for a new one) with what a change added."""
    if tally is None:
        return list(added)
    return [one + other for one, other in zip(tally, added, strict=True)]


def _counts(fact: int, segment: list[Any], data: dict[str, Any]) -> tuple[int, ...] | None:
    if fact == _ENQUEUED:
        return (1, 0, 0, 0, 0, 0, 0)
    if fact == _ANSWERED:
        wait_ms = data["wait_ms"]
        return (0, 1, int(wait_ms <= THRESHOLD_MS), wait_ms, 0, 0, 0)
    if fact == _ABANDONED:
        return (0, 0, 0, 0, 1, 0, 0)
    if fact == _ENDED:
        handle_ms = data["talk_ms"] + data["hold_ms"]
        segment[_ENDED] = handle_ms  # what the end of the wrap-up needs
        return None if data.get("wrapup") else (0, 0, 0, 0, 0, 1, handle_ms)
    return (0, 0, 0, 0, 0, 1, segment[_ENDED] + data["acw_ms"])
