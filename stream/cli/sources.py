"""`contact-stream source NAME`, a command for each source of the registry; and how `produce` and `replay` use them."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from stream.cli.options import BadLines, producer_of, settings_of_environment
from stream.cli.source_options import options_of, parameters_of
from stream.core.cloudevents import Event, encode
from stream.errors import SettingsError
from stream.settings import Settings
from stream.sources.intake import Intake
from stream.sources.registry import SOURCES
from stream.sources.shipping import PositionFile, ship
from stream.sources.source import Puller, Sink, Source

__all__ = ["READABLE", "follow_source", "recorded_events", "send_recorded", "ship_until_stopped", "source"]

READABLE = [name for name, source in SOURCES.items() if source.read]
"""Sources of recorded files."""


class Printer:
    """A sink that prints events as JSON lines instead of sending them."""

    async def send_many(self, events: Iterable[Event]) -> int:
        """Print them, which is all that can go wrong."""
        count = 0
        for event in events:
            sys.stdout.buffer.write(encode(event) + b"\n")
            count += 1
        # With each batch: whoever follows a log through a pipe sees lines at once.
        sys.stdout.buffer.flush()
        return count


@asynccontextmanager
async def _sink(settings: Settings | None) -> AsyncIterator[Sink]:
    """Give the broker of the settings, or the printer where there are none."""
    if settings is None:
        yield Printer()
        return
    async with producer_of(settings) as producer:
        yield producer


def recorded_events(of: Source, options: Struct, intake: Intake) -> Iterator[Event]:
    """Return the events of a recorded file."""
    if of.read is None:
        raise SettingsError(f"{of.name} reads no files; those that do: {' '.join(READABLE)}")
    return of.read(options, intake)


def send_recorded(of: Source, options: Struct, settings: Settings | None) -> None:
    """Send a recorded file, or print its events where there are no settings."""
    bad = BadLines()

    async def send() -> int:
        async with _sink(settings) as sink:
            return await sink.send_many(recorded_events(of, options, bad.intake))

    sent = asyncio.run(send())
    bad.summary(sent)
    click.echo(f"{sent} events were {'printed' if settings is None else 'acknowledged'}", err=True)


def follow_source(of: Source, options: Struct, settings: Settings | None, state: Path | None) -> None:
    """Pull for ever; without settings print the events, and leave the position as it is."""
    if of.pull is None or of.position is None:
        names = " ".join(name for name, source in SOURCES.items() if source.pull and source.read)
        raise SettingsError(f"--follow needs a file of a source that can follow one: {names}")
    bad = BadLines()
    puller = of.pull(options, bad.intake)
    # A dry run must leave nothing behind: a position would make the real run begin in the middle.
    position = PositionFile(state or of.position(options), read_only=settings is None)
    position.check()
    click.echo(f"following {of.name}; the position is kept in {position.path}", err=True)
    try:
        asyncio.run(ship_until_stopped(puller, settings, position, bad.intake))
    finally:
        bad.summary()


async def ship_until_stopped(puller: Puller, settings: Settings | None, position: PositionFile, intake: Intake) -> bool:
    """
    Go on until there is no more, or somebody stops it; tell whether it was the first.

    A stop loses nothing: the position is that of the last batch that arrived.
    """
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        async with _sink(settings) as sink:
            await ship(puller, sink, position, intake)
            return True
    return False


@click.group()
def source() -> None:
    """Send what a call system writes or tells: each source is a command with options of its own."""


def _parameters(of: Source) -> list[click.Parameter]:
    parameters = [
        *parameters_of(of.options),
        click.Option(["--broker"], help="Bootstrap servers, host:port."),
        click.Option(["--dry-run"], is_flag=True, help="Print the events as JSON lines instead of sending them."),
    ]
    # What can only be followed needs no option that says so.
    if of.pull and of.read:
        parameters.append(click.Option(["--follow", "follows"], is_flag=True, help="Go on with what is added."))
    if of.pull:
        state = click.Option(["--state"], type=click.Path(path_type=Path), help="Where the position is kept.")
        parameters.append(state)
    return parameters


def _command(of: Source) -> click.Command:
    def run(
        broker: str | None,
        dry_run: bool,
        # What reads no files can only be followed.
        follows: bool = of.read is None,
        state: Path | None = None,
        **given: Any,  # noqa: ANN401  # each source has options of its own
    ) -> None:
        options = options_of(of, given)
        settings = None if dry_run else settings_of_environment(broker=broker)
        if follows:
            follow_source(of, options, settings, state)
        else:
            send_recorded(of, options, settings)

    return click.Command(of.name, params=_parameters(of), callback=run, help=of.about)


for _source in SOURCES.values():
    # What can do nothing but answer webhooks waits for a server that calls it: there is nothing to run.
    if _source.read or _source.pull:
        source.add_command(_command(_source))
