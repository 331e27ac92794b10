"""What several commands share: settings from the environment, recorded files, summaries on standard error."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Final

import click

from stream.core.cloudevents import Event
from stream.errors import SettingsError, SourceError
from stream.sdk.producer import Producer
from stream.settings import Settings, broker_of, settings_from
from stream.sources import jsonl
from stream.sources.asterisk_queue_log.mapper import Mapper
from stream.sources.asterisk_queue_log.source import read, read_stream
from stream.sources.asterisk_queue_log.stories import Speaker
from stream.sources.lines import BadLine

__all__ = [
    "QUEUE_LOG",
    "SOURCES",
    "STDIN",
    "BadLines",
    "Instant",
    "InstantOfDay",
    "broker_address",
    "not_ahead",
    "now",
    "on_the_day",
    "producer_of",
    "recorded_events",
    "settings_of_environment",
    "source_option",
    "tenant_option",
]

QUEUE_LOG: Final = "asterisk-queue-log"
SOURCES: Final = ("jsonl", QUEUE_LOG)
STDIN: Final = Path("-")
SHOWN_BAD_LINES: Final = 10

source_option = click.option(
    "--source", type=click.Choice(SOURCES), default="jsonl", show_default=True, help="What wrote the file."
)
tenant_option = click.option(
    "--tenant", default="default", show_default=True, help="Tenant of events from a queue_log, which names none."
)


def now() -> datetime:
    """Read the clock; everything below is told."""
    return datetime.now(UTC)


def settings_of_environment(**overrides: str | float | Path | timedelta | None) -> Settings:
    """Return the settings of this process; options win over variables."""
    return settings_from(os.environ, **overrides)


class Instant(click.ParamType):
    """An instant as RFC 3339; without an offset it is UTC."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the instant; refuses what is none."""
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no time such as 2026-11-20T10:30:00Z", param, ctx)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


class InstantOfDay(Instant):
    """An instant, or a time of day (UTC) such as 10:30 on the day of the first event."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime | time:  # type: ignore[override]  # more than an instant
        """Return the instant or the time of day; refuses what is neither."""
        try:
            return time.fromisoformat(value).replace(tzinfo=UTC)
        except ValueError:
            return super().convert(value, param, ctx)


def on_the_day(at: datetime | time | None, events: Iterator[Event]) -> tuple[datetime | None, Iterator[Event]]:
    """Return the instant that is meant, and the events, whose first one tells the day."""
    if not isinstance(at, time):
        return at, events
    first = next(events, None)
    if first is None:
        return None, events
    return datetime.combine(first.time.date(), at), chain([first], events)


class BadLines:
    """Says on standard error where bad lines are (never what is in them), the first ones each, the others counted."""

    def __init__(self) -> None:
        self.by_reason: Counter[str] = Counter()

    def __call__(self, bad: BadLine) -> None:
        """Take one bad line."""
        self.by_reason[bad.reason] += 1
        if self.by_reason.total() <= SHOWN_BAD_LINES:
            click.echo(str(bad), err=True)

    def count(self, reason: str) -> None:
        """Count what was read, and is of no use all the same: for the summary only."""
        self.by_reason[reason] += 1

    def summary(self, used: int) -> None:
        """Say how many there were, if there were any; raises SourceError if not a single event was *used*."""
        if self.by_reason:
            reasons = ", ".join(f"{count} {reason}" for reason, count in self.by_reason.most_common())
            click.echo(f"{self.by_reason.total()} lines were set aside: {reasons}", err=True)
            if not used:
                raise SourceError(f"nothing in it is an event; is it of another --source ({' or '.join(SOURCES)})?")


def recorded_events(path: Path, source: str, tenant: str, bad: BadLines) -> Iterator[Event]:
    """Yield the events of a recorded file, or of standard input for `-`."""
    if source == QUEUE_LOG:
        mapper = Mapper(Speaker(source=f"/{QUEUE_LOG}", tenant=tenant), set_aside=bad)
        yield from read_stream(sys.stdin.buffer, "stdin", mapper) if path == STDIN else read(path, mapper)
    elif path == STDIN:
        yield from jsonl.read_stream(sys.stdin.buffer, "stdin", bad)
    else:
        yield from jsonl.read(path, bad)


def not_ahead(events: Iterator[Event], latest: datetime, bad: BadLines) -> Iterator[Event]:
    """Yield the events up to *latest*: one with a wrong clock would be the newest, and the board that of its day."""
    for event in events:
        if event.time <= latest:
            yield event
        else:
            bad.count("future")


def broker_address(settings: Settings) -> str:
    """Return the address of a broker that runs already. Raises SettingsError where none is named."""
    address, _ = broker_of(settings)
    if address is None:
        raise SettingsError(
            "name a broker with --broker host:port or CONTACT_STREAM_BROKER; "
            "a worker with the embedded broker prints its address when it starts"
        )
    return address


def producer_of(settings: Settings) -> Producer:
    """Return a producer for that broker: a real one drops what a retry sends twice."""
    address = broker_address(settings)
    _, real = broker_of(settings)
    return Producer(f"kafka://{address}" if real else address, security=settings.security)
