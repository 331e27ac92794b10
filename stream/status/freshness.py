"""Why a board should not be trusted right now: the notices of the banner. Pure.

A frozen board looks calm, so the feed speaks up: what is wrong, since when, and what it means for the figures.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from stream.status.feed import Feed, PartitionFeed, RecoveryState
from stream.status.source_feed import CLOCK_AHEAD

__all__ = ["Limits", "Notice", "notices_of", "worst_notices_first"]

Severity = Literal["stale", "warning"]
"""Stale: the figures are old or not whole. Warning: they are of now, but something needs a look."""


class Limits(Struct, frozen=True, kw_only=True):
    """From when on the feed is worth a notice."""

    silent: timedelta
    """Nothing came for so long: a quiet hour, or a feed that is cut. A deployment says how long: `stale_after`."""
    stalled: timedelta = timedelta(seconds=15)
    """Records wait, and none was applied for this long."""
    behind: timedelta = timedelta(seconds=30)
    """Records wait, and the newest one applied was sent so long ago."""
    late: timedelta = timedelta(minutes=5)
    """Events come, but even the newest happened so long ago."""
    ahead: timedelta = timedelta(minutes=5)
    """The newest event is so far ahead of the clock: more than an event may be when it is accepted."""


class Notice(Struct, frozen=True, kw_only=True):
    """One sentence for the banner."""

    code: str
    severity: Severity
    text: str
    since: datetime | None
    """None where nobody knows."""


_RECOVERY: Mapping[RecoveryState, str] = {
    "starting": "Starting: no figures yet",
    "rebalancing": "Partitions are being shared out anew: queues may be missing",
    "recovering": "Recovering: figures are not whole yet",
    "stopped": "The worker has stopped, figures stand still",
}


def notices_of(feed: Feed, at: datetime, limits: Limits) -> tuple[Notice, ...]:
    """Return what is wrong with the feed at the instant *at*, worst first; empty when all is well."""
    # What follows from a broker that does not answer is not said again.
    away = [*_unreachable(feed)]
    found = [
        *away,
        *_not_ready(feed),
        *_clock(feed, at, limits),
        *(() if away else _lagging(feed, at, limits)),
        *(() if away else _quiet(feed, at, limits)),
        *_clocks_ahead(feed),
        *_unsaved(feed),
    ]
    return worst_notices_first(found)


def worst_notices_first(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """Order for the banner: what makes figures stale comes before warnings."""
    # "stale" comes before "warning" in the alphabet, too; of one severity the order stays, since `sorted` is
    # stable.
    return tuple(sorted(notices, key=lambda notice: notice.severity))


def _unreachable(feed: Feed) -> Iterator[Notice]:
    """Yield one notice: no broker answers at all, or none for some partitions."""
    since = feed.broker_silent_since
    if since is not None:
        text = "The broker does not answer: figures stand still"
        yield Notice(code="unreachable", severity="stale", text=text, since=since)
    elif silent := [one for one in feed.partitions.values() if one.silent_since is not None]:
        text = f"No broker answers for {_partitions(silent)}: their figures stand still"
        yield Notice(
            code="unreachable", severity="stale", text=text, since=_earliest(one.silent_since for one in silent)
        )


def _not_ready(feed: Feed) -> Iterator[Notice]:
    if not feed.ready:
        text = _RECOVERY[feed.recovery] + (f" ({feed.failure})" if feed.failure else "")
        yield Notice(code=feed.recovery, severity="stale", text=text, since=feed.progress_at)


def _clock(feed: Feed, at: datetime, limits: Limits) -> Iterator[Notice]:
    # An event so far ahead would have been refused: it was accepted, so it is our clock that has gone back since.
    if feed.newest_event is not None and feed.newest_event - at > limits.ahead:
        text = "The clock of this worker is behind the events: the board shows the past"
        yield Notice(code="clock", severity="stale", text=text, since=None)


def _lagging(feed: Feed, at: datetime, limits: Limits) -> Iterator[Notice]:
    """Yield one notice: stalled partitions, or else those that are far behind."""
    waiting = [one for one in feed.partitions.values() if one.lag > 0]
    stalled = [one for one in waiting if one.stalled(at, limits.stalled)]
    if stalled:
        cause = " for a dead letter to be acknowledged" if feed.letters_on_their_way else ""
        text = f"No progress in {_partitions(stalled)}: {_records(stalled)} wait{cause}"
        yield Notice(code="stalled", severity="stale", text=text, since=_earliest(one.applied_at for one in stalled))
        return
    behind = [one for one in waiting if one.record_at is not None and at - one.record_at > limits.behind]
    if behind:
        text = f"Catching up in {_partitions(behind)}: {_records(behind)} to go, the board shows the past"
        yield Notice(code="behind", severity="stale", text=text, since=_earliest(one.record_at for one in behind))


def _quiet(feed: Feed, at: datetime, limits: Limits) -> Iterator[Notice]:
    """Yield one notice: nothing comes, or what comes is old. Not while records wait: that is another notice."""
    if not feed.ready or any(one.lag for one in feed.partitions.values()):
        return
    owned = feed.partitions.values()
    applied = [one.applied_at for one in owned if one.applied_at is not None]
    # After a rebalance nothing has been applied yet of partitions that had their events before.
    heard = applied or [one.recovered_at for one in owned if one.recovered_at is not None]
    if not applied and feed.newest_event is None:
        yield Notice(code="empty", severity="warning", text="No event has come yet", since=None)
    elif heard and at - max(heard) > limits.silent:
        yield Notice(code="silent", severity="stale", text="No event has come", since=max(heard))
    elif feed.newest_event is not None and at - feed.newest_event > limits.late:
        yield Notice(
            code="late", severity="stale", text="Events arrive late: the newest is old", since=feed.newest_event
        )


def _clocks_ahead(feed: Feed) -> Iterator[Notice]:
    ahead = {name: one.clock_ahead for name, one in feed.sources.items() if one.clock_ahead >= CLOCK_AHEAD}
    if ahead:
        worst = max(ahead, key=lambda name: ahead[name])
        others = f" and of {len(ahead) - 1} more" if len(ahead) > 1 else ""
        text = f"The clock of {worst}{others} is ahead by {ahead[worst].total_seconds():.0f} s: waits look too short"
        yield Notice(code="skew", severity="warning", text=text, since=None)


def _unsaved(feed: Feed) -> Iterator[Notice]:
    since = feed.checkpoints.failing_since
    if since is not None:
        text = "Checkpoints fail: figures are right, but not saved"
        yield Notice(code="unsaved", severity="warning", text=text, since=since)


def _partitions(owned: list[PartitionFeed]) -> str:
    return "1 partition" if len(owned) == 1 else f"{len(owned)} partitions"


def _records(owned: list[PartitionFeed]) -> str:
    lag = sum(one.lag for one in owned)
    return "1 record" if lag == 1 else f"{lag:,} records"


def _earliest(instants: Iterator[datetime | None]) -> datetime | None:
    return min((at for at in instants if at is not None), default=None)
