"""The ways in by their pages of figures: what a gateway keeps back and refuses, whether a source hears its systems."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from stream.doctor.finding import Finding, bad, good, in_short, look
from stream.doctor.pages import FiguresPage

__all__ = ["look_at_gateway", "look_at_source"]

KEPT_BACK_FOR: Final = timedelta(seconds=30)


def look_at_gateway(page: FiguresPage, at: datetime) -> Iterator[Finding]:
    """Yield what there is to say of a gateway at the instant *at*."""
    if not page.of("contact_gateway_set_aside_total"):
        yield bad("gateway", "the page is not that of a gateway", "name a gateway by --gateway: http://host:port")
        return
    yield from _spool(page, at)
    for labels, count in page.of("contact_gateway_events_refused_total"):
        yield look("gateway", f"{count:.0f} events of {labels['source']} were refused: {labels['reason']}", _REASONS)
    yield from _inputs(page, at)


def look_at_source(page: FiguresPage, at: datetime) -> Iterator[Finding]:
    """Yield what there is to say of a source that runs by itself at the instant *at*."""
    if not page.of("contact_source_events_total"):
        yield bad(
            "source", "the page is not that of a source", "name one by --source: http://host:port, its --metrics-port"
        )
        return
    for labels, connected in page.of("contact_source_connected"):
        about = f"source {labels['source']}"
        if connected:
            yield good(about, f"it hears {labels['system']}")
        else:
            yield bad(about, f"it does not hear {labels['system']}", "see its log for what the system answers")
    for labels, count in page.of("contact_source_position_failures_total"):
        if count:
            advice = "make room on the disk of its position file"
            yield bad(f"source {labels['source']}", f"its position was not kept {count:.0f} times", advice)
    yield from _inputs(page, at)


_REASONS: Final = "docs/operations.md says what each reason asks for"


def _spool(page: FiguresPage, at: datetime) -> Iterator[Finding]:
    if page.sum("contact_gateway_spool_broken"):
        yield bad("spool", "the disk refuses what is to be spooled", "make room on it, or mend it")
    oldest = page.oldest("contact_gateway_spool_oldest_timestamp_seconds")
    waiting = int(page.sum("contact_gateway_spool_events"))
    if not page.of("contact_gateway_spool_limit_bytes"):
        advice = "set CONTACT_STREAM_GATEWAY_SPOOL: else posts are answered with 503 while the broker is away"
        yield look("spool", "the gateway has none", advice)
    elif oldest is not None and at - oldest > KEPT_BACK_FOR:
        advice = "see what is said of the broker; nothing is lost while the spool has room"
        yield bad("spool", f"{waiting} accepted events wait for the broker since {in_short(at - oldest)}", advice)
    else:
        yield good("spool", f"{waiting} accepted events wait for the broker")
    if aside := page.sum("contact_gateway_spool_aside_events"):
        yield look("spool", f"{aside:.0f} events are kept aside, which no topic takes", "contact-stream gateway-aside")


def _inputs(page: FiguresPage, at: datetime) -> Iterator[Finding]:
    for labels, newest in page.of("contact_source_newest_event_timestamp_seconds"):
        age = at - datetime.fromtimestamp(newest, UTC)
        yield good(f"source {labels['source']}", f"the newest event that it has sent is {in_short(age)} old")
    for labels, count in page.of("contact_source_inputs_total"):
        if count and labels["outcome"] in {"refused", "unknown"}:
            said = f"{count:.0f} inputs {'are of no use' if labels['outcome'] == 'refused' else 'are not known'}"
            yield look(f"source {labels['source']}", f"{said}: {labels['kind']}", _REASONS)
