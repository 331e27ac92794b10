"""Whether this worker should be restarted (not alive) or left out for now (not ready), with reasons."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from stream.status.feed import Feed

__all__ = ["PATIENCE", "Health", "health_of"]

PATIENCE: Final = timedelta(seconds=60)
"""How long work may wait without any progress before only a restart helps."""


class Health(Struct, frozen=True, kw_only=True):
    """Reasons why not; empty means all is well."""

    dead: tuple[str, ...] = ()
    """Why nothing moves although there is work: the orchestrator should restart the worker."""
    unready: tuple[str, ...] = ()
    """Why the board is not whole: nobody should look here for now."""


def health_of(feed: Feed, at: datetime, patience: timedelta = PATIENCE) -> Health:
    """Judge a worker by its feed at the instant *at*."""
    waited = f"for more than {patience.total_seconds():g} s"
    stalled = [
        f"{one.topic}/{one.partition}: {one.lag} records wait, none applied {waited}"
        for one in feed.partitions.values()
        # A restart brings no broker back, and would have to recover the rows for nothing.
        if one.stalled(at, patience) and feed.broker_silent_since is None
    ]
    if feed.failure is not None:
        stalled.append(f"stopped: {feed.failure}")
    # What no partition explains: a recovery that does not move.
    if not stalled and not feed.alive(at, patience):
        stalled.append(f"{feed.recovery}, without progress {waited}")
    return Health(dead=tuple(stalled), unready=(*_unready(feed),))


def _unready(feed: Feed) -> Iterator[str]:
    if not feed.ready:
        yield f"{feed.recovery}: partitions are not all assigned and recovered"
    if feed.broker_silent_since is not None:
        yield f"no broker has answered since {feed.broker_silent_since:%H:%M:%S} UTC"
    elif silent := [one for one in feed.partitions.values() if one.silent_since is not None]:
        names = ", ".join(f"{one.topic}/{one.partition}" for one in silent)
        yield f"no broker answers for {names}"
