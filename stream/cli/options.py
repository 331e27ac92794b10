"""What several commands share: settings from the environment, recorded files, summaries on standard error."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from stream.core.cloudevents import Event
from stream.errors import SettingsError, SourceError
from stream.sdk.producer import Producer
from stream.settings import Settings, broker_of, settings_from
from stream.sources.intake import Intake
from stream.sources.lines import BadLine

__all__ = [
    "BadLines",
    "InstantOfDayParam",
    "InstantParam",
    "UrlParam",
    "broker_address",
    "not_ahead",
    "now",
    "on_the_day",
    "producer_of",
    "settings_of_environment",
]

SHOWN_BAD_LINES: Final = 10


def now() -> datetime:
    """Read the clock; everything below is told."""
    return datetime.now(UTC)


def settings_of_environment(**overrides: str | float | Path | timedelta | None) -> Settings:
    """Return the settings of this process; options win over variables."""
    return settings_from(os.environ, **overrides)


class InstantParam(click.ParamType):
    """An instant as RFC 3339; without an offset it is UTC."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the instant; refuses what is none."""
        try:
            # It takes `Z` as well, from Python 3.11 on.
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no time such as 2026-11-20T10:30:00Z", param, ctx)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


class InstantOfDayParam(InstantParam):
    """An instant, or a time of day (UTC) such as 10:30 on the day of the first event."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime | time:  # type: ignore[override]  # more than an instant
        """Return the instant or the time of day; refuses what is neither."""
        try:
            return time.fromisoformat(value).replace(tzinfo=UTC)
        except ValueError:
            return super().convert(value, param, ctx)


class UrlParam(click.ParamType):
    """The address of a page by HTTP, without a login: others see a command's arguments, and findings show them."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address; refuses what is none, without repeating it."""
        try:
            parts = urlsplit(value)
            known = parts.scheme in {"http", "https"} and parts.hostname is not None and parts.port != 0
        except ValueError:
            known = False
        if value and (not known or "@" in parts.netloc):
            self.fail("expected http://host:port or https://host:port, without a login", param, ctx)
        return value


def on_the_day(at: datetime | time | None, events: Iterator[Event]) -> tuple[datetime | None, Iterator[Event]]:
    """Return the instant that is meant, and the events, whose first one tells the day."""
    if not isinstance(at, time):
        return at, events
    first = next(events, None)
    if first is None:
        return None, events
    # The first event was taken only to learn the day: it is one of those that count.
    return datetime.combine(first.time.date(), at), chain([first], events)


class BadLines:
    """Says on standard error where bad lines are (never what is in them), the first ones each, the others counted."""

    def __init__(self) -> None:
        self.intake = Intake(self._show)
        self._shown = 0
        self._first: dict[str, BadLine] = {}

    def _show(self, bad: BadLine) -> None:
        # The first of each reason, for the summary: the commonest mistake is shown by an example.
        self._first.setdefault(bad.reason, bad)
        self._shown += 1
        if self._shown <= SHOWN_BAD_LINES:
            click.echo(str(bad), err=True)

    def count(self, reason: str) -> None:
        """Count what was read, and is of no use all the same: for the summary only."""
        self.intake.refused[reason] += 1

    def summary(self, used: int | None = None) -> None:
        """Say how many there were, if there were any; raises SourceError if not a single event was *used*."""
        intake = self.intake
        # Verbs that a source does not know are counted apart, since there may be many kinds; here they are one
        # reason of several.
        aside = intake.refused + Counter({"unknown_verb": intake.unknown.total()})
        for counts, what in ((aside, "set aside"), (intake.ignored, "left out on purpose")):
            if counts:
                listed = ", ".join(f"{count} {name}" for name, count in counts.most_common() if count)
                click.echo(f"{counts.total()} lines were {what}: {listed}", err=True)
        if intake.unknown:
            listed = ", ".join(f"{count} {name}" for name, count in intake.unknown.most_common())
            click.echo(f"not known: {listed}", err=True)
        if aside and used == 0:
            commonest = self._first.get(aside.most_common(1)[0][0])
            raise SourceError(
                f"nothing in it is an event; {commonest or 'all is of the future'}; is it of another --source?"
            )


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
    # The scheme says that it is a real broker, for which a producer is idempotent.
    return Producer(f"kafka://{address}" if real else address, security=settings.security)
