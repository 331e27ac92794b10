"""How events of one family lead to events of others: several ways taken together, and what follows is called."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from stream.core.cloudevents import Event
from stream.core.family import Derive
from stream.core.policies import Policies

__all__ = ["all_of", "envelope_after"]

_LONGEST_ID: Final = 200
"""Of the id of an event so much stands in that of what follows: with what is added, it stays within the contract."""

Deriver = Callable[[Policies], Mapping[type[Event], Derive]]
"""A `Family.derive`."""


def all_of(*derivers: Deriver) -> Deriver:
    """Return a `Family.derive` that tells what follows by any of some."""

    def derive(policies: Policies) -> Mapping[type[Event], Derive]:
        by_kind: defaultdict[type[Event], list[Derive]] = defaultdict(list)
        for one in derivers:
            for kind, found in one(policies).items():
                by_kind[kind].append(found)
        return {kind: found[0] if len(found) == 1 else _each(found) for kind, found in by_kind.items()}

    return derive


def _each(found: Sequence[Derive]) -> Derive:
    def derive(event: Event) -> Sequence[Event]:
        return [one for follows in found for one in follows(event)]

    return derive


def envelope_after(told: Event, what: str, subject: str) -> dict[str, Any]:
    """Return the attributes of an event that follows from another: it happens at its instant, and is named after it."""
    return {
        "id": f"{told.id[-_LONGEST_ID:]}/{what}",
        "source": told.source,
        "time": told.time,
        "subject": subject,
        "tenantid": told.tenantid,
        "specversion": "1.0",
    }
