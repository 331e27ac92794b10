"""`contact-stream source NAME`, a command for each source of the registry; and how `produce` and `replay` use them."""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct

from stream.cli.listing import Listing
from stream.cli.options import BadLines, producer_of, settings_of_environment
from stream.cli.printer import Printer
from stream.cli.source_options import arguments_told, options_of, parameters_of
from stream.core.cloudevents import Event
from stream.errors import SettingsError
from stream.settings import Settings
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import PositionFile, ship
from stream.sources.pulling.source_page import source_page
from stream.sources.registry import SOURCES
from stream.sources.source import Listener, Puller, Sink, Source

__all__ = ["READABLE", "follow_source", "recorded_events", "send_recorded", "ship_until_stopped", "source"]

STOPPING: Final = (signal.SIGINT, signal.SIGTERM)

FINISH_SECONDS: Final = 10.0
"""What was heard and has not arrived so long after a stop is lost: an orchestrator kills after thirty."""

READABLE = [name for name, source in SOURCES.items() if source.read]
"""Sources of recorded files."""


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


def follow_source(
    of: Source, options: Struct, settings: Settings | None, state: Path | None, metrics_port: int | None = None
) -> None:
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
        shipping = ship_until_stopped(puller, settings, position, bad.intake)
        asyncio.run(_watched(of.name, shipping, bad.intake, position, metrics_port))
    finally:
        bad.summary()


async def _watched(
    name: str, shipping: Coroutine[None, None, bool], intake: Intake, position: PositionFile, port: int | None
) -> None:
    """Ship, with pages that say how it is going where a port was given."""
    if port is None:
        await shipping
        return
    host = settings_of_environment().http_host
    async with source_page(name, intake, position, host, port) as address:
        click.echo(f"figures of the source: {address}/metrics", err=True)
        await shipping


async def ship_until_stopped(puller: Puller, settings: Settings | None, position: PositionFile, intake: Intake) -> bool:
    """
    Go on until there is no more, or somebody stops it; tell whether the puller came to its end.

    A stop loses nothing: what was heard is sent, the rest can be read again.
    """
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in STOPPING:
            loop.add_signal_handler(number, task.cancel)  # whoever asks twice does not want to wait
        if isinstance(puller, Listener) and puller.finish():
            loop.call_later(FINISH_SECONDS, task.cancel)
        else:
            task.cancel()

    for number in STOPPING:
        loop.add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        async with _sink(settings) as sink:
            await ship(puller, sink, position, intake)
            return True
    return False


class _SourceListing(Listing):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in SOURCES and args[0] not in self.commands:
            ctx.fail(f"{args[0]} takes webhooks, which `contact-stream gateway --webhooks` serves: docs/gateway.md")
        return super().resolve_command(ctx, args)


@click.group(cls=_SourceListing)
def source() -> None:
    """
    Send what a call system writes or tells: each source is a command with options of its own.

    What posts to webhooks is served by `contact-stream gateway`. All sources: docs/sources/README.md.
    """


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
        port = click.Option(["--metrics-port"], type=int, help="Serve /metrics of the source there; 0: a free port.")
        parameters += [state, port]
    return parameters


def _command(of: Source) -> click.Command:
    def run(
        broker: str | None,
        dry_run: bool,
        # What reads no files can only be followed.
        follows: bool = of.read is None,
        state: Path | None = None,
        metrics_port: int | None = None,
        **given: Any,  # noqa: ANN401  # each source has options of its own
    ) -> None:
        options = options_of(of, given)
        settings = None if dry_run else settings_of_environment(broker=broker)
        if follows:
            follow_source(of, options, settings, state, metrics_port)
        else:
            send_recorded(of, options, settings)

    about = "\n\n".join((of.about, *arguments_told(of.options)))
    return click.Command(of.name, params=_parameters(of), callback=run, help=about)


for _source in SOURCES.values():
    # What can do nothing but answer webhooks waits for a server that calls it: there is nothing to run.
    if _source.read or _source.pull:
        source.add_command(_command(_source))
