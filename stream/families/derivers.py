"""Several ways in which events of one family lead to events of others, taken together."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from stream.core.cloudevents import Event
from stream.core.family import Derive
from stream.core.policies import Policies

__all__ = ["all_of"]

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
