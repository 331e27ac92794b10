"""A worker by its page of figures: whether it keeps up, what it set aside, whom it hears, and whose clock is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from stream.doctor.finding import Finding, bad, good, in_short, look
from stream.doctor.pages import FiguresPage

__all__ = ["clock_of", "look_at_worker"]

MOST_WAITING: Final = 1000
"""Records. A worker takes so many in a moment: more are a backlog."""

NOT_DURABLE_FOR: Final = timedelta(seconds=30)

SILENT_AFTER: Final = timedelta(minutes=15)
"""A source that says nothing for so long may have nothing to say, or be cut off."""

CLOCK_OFF: Final = timedelta(seconds=3)
"""More than a header that counts whole seconds, and the way here, explain."""

_CLOCKS: Final = "let chrony or systemd-timesyncd set the clocks of both machines"


def look_at_worker(page: FiguresPage, at: datetime, stale_after: timedelta) -> Iterator[Finding]:
    """Yield what there is to say of a worker at the instant *at*."""
    if not page.of("contact_ready"):
        yield bad("worker", "the page is not that of a worker", "name a worker by --worker: http://host:port")
        return
    if page.of("contact_broker_silent_timestamp_seconds"):
        yield bad("worker", "no broker answers this worker", "see what is said of the broker from there: its log")
    elif not page.sum("contact_ready"):
        yield look("worker", "it is not ready: partitions are being assigned or recovered", "wait; see /readyz")
    else:
        yield good("worker", "it is ready")
    yield _backlog(page)
    yield _durability(page, at)
    yield _newest_figure(page, at, stale_after)
    yield from _sources(page, at)
    yield from _set_aside(page)


def clock_of(about: str, page: FiguresPage, at: datetime) -> Iterator[Finding]:
    """Yield a finding where the clock of who served a page differs from ours."""
    if page.clock is not None and abs(page.clock - at) > CLOCK_OFF:
        ahead = page.clock > at
        yield bad(
            about, f"its clock is {in_short(abs(page.clock - at))} {'ahead of' if ahead else 'behind'} ours", _CLOCKS
        )


def _backlog(page: FiguresPage) -> Finding:
    waiting = int(page.sum("contact_consumer_lag_records"))
    if waiting > MOST_WAITING:
        advice = "wait while it catches up; if it does not get less, add workers to the group"
        return look("backlog", f"{waiting} records wait to be applied: figures are behind", advice)
    return good("backlog", f"{waiting} records wait to be applied")


def _durability(page: FiguresPage, at: datetime) -> Finding:
    since = page.oldest("contact_uncommitted_timestamp_seconds")
    if since is not None and at - since > NOT_DURABLE_FOR:
        advice = "see the worker's log for why the brokers do not take the checkpoint"
        return bad("checkpoints", f"what was applied is not durable since {in_short(at - since)}", advice)
    return good("checkpoints", "what was applied is durable")


def _newest_figure(page: FiguresPage, at: datetime, stale_after: timedelta) -> Finding:
    newest = page.newest("contact_newest_event_timestamp_seconds")
    if newest is None:
        advice = "begin with one source: contact-stream connect NAME"
        return look("newest event", "no event has arrived since the worker started", advice)
    said = f"{in_short(max(at - newest, timedelta()))} old"
    if at - newest > stale_after:
        return look("newest event", said, "if customers are calling: see what is said of sources and gateway")
    return good("newest event", said)


def _sources(page: FiguresPage, at: datetime) -> Iterator[Finding]:
    least = {labels["source"]: value for labels, value in page.of("contact_source_least_latency_seconds")}
    for labels, heard in page.of("contact_source_last_event_timestamp_seconds"):
        source = labels["source"]
        about = f"source {source}"
        silence = at - datetime.fromtimestamp(heard, UTC)
        if (latency := least.get(source, 0.0)) < -CLOCK_OFF.total_seconds():
            yield bad(about, f"its clock is at least {-latency:.0f} s ahead of the worker's", _CLOCKS)
        elif silence > SILENT_AFTER:
            advice = "if something happens there: look at its process, its credentials, its webhook's deliveries"
            yield look(about, f"its newest event is {in_short(silence)} old", advice)
        else:
            yield good(about, f"its newest event is {in_short(max(silence, timedelta()))} old")


def _set_aside(page: FiguresPage) -> Iterator[Finding]:
    for labels, count in page.of("contact_events_invalid_total"):
        if count:
            advice = f"contact-stream dead-letters --reason {labels['reason']}"
            yield look("dead letters", f"{count:.0f} events were set aside: {labels['reason']}", advice)
