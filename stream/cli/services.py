"""Commands that run: worker, demo, board, topics."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from stream.board.terminal import follow, print_board
from stream.board.view import panels_of
from stream.cli.options import broker_address, now, settings_of_environment
from stream.core.family import Board, windows_of
from stream.core.format import duration, level, printable
from stream.core.windows import DEFAULT_WINDOW
from stream.errors import defect_in_places
from stream.families.registry import FAMILIES
from stream.settings import EMBEDDED, LogLevel, Settings, broker_of
from stream.status.feed import Feed

# Faust and all that runs are imported by the commands that need them: it takes longer than a replay of a day.
if TYPE_CHECKING:
    from stream.app.service import Service

__all__ = ["board", "dead_letters", "demo", "end_for_sure", "log_to_stderr", "run_until_signalled", "topics", "worker"]

SUMMARY_EVERY = 5.0
"""Seconds between the summary lines of the demo."""

STOP_SECONDS = 30.0
"""How long a stop may take; a last checkpoint is a matter of a second."""

QUIET = {"aiokafka": logging.ERROR, "faust": logging.ERROR, "mode": logging.ERROR, "aiohttp.access": logging.WARNING}
"""Loggers that write paragraphs about what is normal, such as a rebalance; what matters of it is in the feed."""


SAME_AGAIN_SECONDS = 60.0
MOST_REMEMBERED = 1000

_FAUST_SPEAKS_AS = frozenset(
    {"stream.runtime.kafka.transport", "stream.runtime.kafka.consumer_thread", "stream.runtime.checkpoint.tables"}
)
"""Faust's classes log under the module of the class that inherits from them."""

_LIFE_CYCLE = "[^"
"""Begins each of the dozens of lines in which Faust's services say that they start and stop."""


class QuotingNothing(logging.Formatter):
    """Writes of what failed where that was, and not what it says: that may quote an event."""

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802  # of logging
        return defect_in_places(ei[1])

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # of logging
        if record.name == "asyncio":  # in its further lines are the task, and what that has raised
            record.message = record.message.partition("\n")[0]
        return super().formatMessage(record)


class RepeatFilter(logging.Filter):
    """
    Lets a library say the same thing once a minute, and us the same sentence.

    A broker that is away is reported dozens of times a second, and keeps a checkpoint from being taken every time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be written."""
        if record.levelno < logging.WARNING and str(record.msg).startswith(_LIFE_CYCLE):
            return False
        # A library is known by the template of its message, since addresses and ids in it differ each time. A
        # sentence of ours counts as a whole: which partition it is about makes it another one.
        ours = record.name.startswith("stream.") and record.name not in _FAUST_SPEAKS_AS
        said = (record.name, record.lineno, record.getMessage() if ours else str(record.msg))
        # The clock may be set back: that must not silence a library for as long.
        if abs(record.created - self._said.get(said, 0.0)) < SAME_AGAIN_SECONDS:
            return False
        # Messages with addresses or offsets in them are without number.
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[said] = record.created
        return True


def log_to_stderr(level: LogLevel) -> None:
    """Log to standard error, and let nobody repeat himself."""
    logging.basicConfig(level=level)
    # On the handlers: a filter on a logger does not see what its children log.
    for handler in logging.getLogger().handlers:
        handler.setFormatter(QuotingNothing("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handler.addFilter(RepeatFilter())
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLogger().level))


@asynccontextmanager
async def _broker(settings: Settings) -> AsyncIterator[tuple[str, bool]]:
    """Yield the address of the broker and whether it is a real one; starts the embedded one if need be."""
    address, real = broker_of(settings)
    if address is not None:
        yield address, real
        return
    from stream.broker.embedded import EmbeddedBroker

    async with EmbeddedBroker() as broker:
        click.echo(f"embedded broker, in memory, for a first look only: {EMBEDDED}{broker.address}", err=True)
        yield broker.address, False


@click.command()
@click.option("--broker", help="Bootstrap servers, host:port; else the embedded broker.")
@click.option("--port", type=int, help="Port of /metrics and the board; 0 takes a free one.")
def worker(broker: str | None, port: int | None) -> None:
    """Fold events into figures; serve /metrics, /healthz, /readyz and the live board."""
    settings = settings_of_environment(broker=broker, http_port=port)
    log_to_stderr(settings.log_level)
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    from stream.app.service import Service

    # Around the worker: an embedded broker must outlive its last checkpoint.
    async with _broker(settings) as (address, idempotent):
        await run_until_signalled(Service(settings, brokers=address, idempotent=idempotent, clock=now).run())


async def run_until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run *work* until it ends, or the process is told to; what then cleans up gets the time that it is given."""
    # A task of its own, so that a signal cancels the work and not what cleans up after it.
    running = asyncio.create_task(work)
    stop_on_signals(running)
    try:
        with suppress(asyncio.CancelledError):
            await running
    finally:
        end_for_sure()


def stop_on_signals(task: "asyncio.Task[None]") -> None:
    """Cancel *task* when the process is to end."""

    def stop() -> None:
        end_for_sure()
        task.cancel()

    loop = asyncio.get_running_loop()
    # By the loop, which calls them between two steps; a handler of `signal` may run in the middle of anything.
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def end_for_sure() -> None:
    """End the process in any case: an orchestrator waits for that, and a thread of a library may not want to."""
    watchdog = threading.Timer(STOP_SECONDS, _give_up)
    # A process that ends in time does not wait for its watchdog.
    watchdog.daemon = True
    watchdog.start()


def _give_up() -> None:
    click.echo(f"not stopped after {STOP_SECONDS:g} s: ending at once; what was not committed is replayed", err=True)
    # Not `sys.exit`, which waits for the very threads that do not end.
    os._exit(1)


@click.command()
@click.option("--duration", type=float, help="Seconds until the demo ends by itself, with the final board.")
@click.option("--port", type=int, help="Port of the board; 0 takes a free one.")
@click.option("--speed", default=1.0, show_default=True, help="Simulated seconds per second.")
@click.option("--seed", default=1, show_default=True)
def demo(duration: float | None, port: int | None, speed: float, seed: int) -> None:
    """Start broker, worker and a simulated contact centre; prints the address of the live board."""
    settings = settings_of_environment(http_port=port)
    # Whatever the settings say: between the lines of the demo a log would be noise.
    log_to_stderr("WARNING")
    asyncio.run(_demo(settings, duration, speed, seed))


async def _demo(settings: Settings, duration: float | None, speed: float, seed: int) -> None:
    from stream.app.demo import running_demo

    click.echo("starting broker, worker and simulator ...")
    async with running_demo(settings, seed=seed, speed=speed, clock=now) as service:
        click.echo(f"\n  live board:  {service.address}/\n  metrics:     {service.address}/metrics\n")
        summaries = asyncio.create_task(_summarise(service))
        stop_on_signals(summaries)
        with suppress(asyncio.CancelledError, TimeoutError):
            # Ends by the clock, by a signal, which cancels, or by a failure of the worker, which is raised.
            await asyncio.wait_for(summaries, duration)
        panels = panels_of(await service.board(), FAMILIES, DEFAULT_WINDOW)
        print_board(panels, FAMILIES, DEFAULT_WINDOW, Console())


async def _summarise(service: "Service") -> None:
    while service.worker.failure is None:
        await asyncio.sleep(SUMMARY_EVERY)
        click.echo(_summary(service.feed, await service.board()))
    raise service.worker.failure


def _summary(feed: Feed, now_board: Board) -> str:
    """One line: how many wait where it is worst, and whether the feed moves."""
    rows = panels_of(now_board, FAMILIES, DEFAULT_WINDOW)[FAMILIES[0].name].rows
    waiting = sum(row["open_cases"] for row in rows)
    longest = max((row["longest_wait_seconds"] or 0.0 for row in rows), default=None)
    name = printable(f"{rows[0]['tenant']}/{rows[0]['queue']}") if rows else ""
    worst = f"worst {name} {level(rows[0]['service_level'])}" if rows else "no queue yet"
    return (
        f"{now_board.at:%H:%M:%S}Z  events {feed.events.total():>6}  open cases {waiting:>3}  "
        f"longest wait {duration(longest):>5}  {worst}"
    )


@click.command()
@click.argument("address", default="http://127.0.0.1:9108")
@click.option("--window", type=click.Choice(windows_of(FAMILIES)), default=DEFAULT_WINDOW, show_default=True)
def board(address: str, window: str) -> None:
    """Follow the live board of a worker in this terminal."""
    with suppress(KeyboardInterrupt):
        asyncio.run(follow(address, Console(), FAMILIES, clock=now, window=window))


@click.command()
@click.option("--broker", help="Bootstrap servers, host:port.")
@click.option("--check", "only_check", is_flag=True, help="Create nothing; exit status 1 if something is missing.")
def topics(broker: str | None, only_check: bool) -> None:
    """Create the topics that are missing, and compare the others with what is declared."""
    from stream.runtime.app import declared_topics
    from stream.runtime.kafka.topics import ensure_topics

    settings = settings_of_environment(broker=broker)
    address = broker_address(settings)
    declared = declared_topics(settings, FAMILIES)
    # The same call as that of a worker that starts: whoever runs the command sees what a worker would say.
    work = ensure_topics(
        address.split(","),
        declared,
        replication=settings.replication,
        create=not only_check,
        security=settings.security,
    )
    asyncio.run(work)
    for topic in declared:
        click.echo(f"{topic.name}: {topic.partitions} partitions, {topic.config['cleanup.policy']}")


@click.command("dead-letters")
@click.option("--broker", help="Bootstrap servers, host:port.")
@click.option("--reason", help="Only those set aside for this reason.")
@click.option("--show", metavar="PLACE", help="Write the bytes of the record that was at topic/partition/offset.")
def dead_letters(broker: str | None, reason: str | None, show: str | None) -> None:
    """List the records that were set aside: where they were, and what is wrong with them."""
    asyncio.run(_dead_letters(settings_of_environment(broker=broker), reason, show))


async def _dead_letters(settings: Settings, reason: str | None, show: str | None) -> None:
    from stream.runtime.routing.dead_letter_reader import read_letters

    found = 0
    async for letter in read_letters(broker_address(settings).split(","), settings.security):
        if show == letter.place:
            # Bytes as they came: whoever asks for one record wants to mend it and send it again.
            click.get_binary_stream("stdout").write(letter.value or b"")
            if not letter.value:
                click.echo("it was set aside without its content, which may be personal", err=True)
            return
        if show is None and reason in {None, letter.reason}:
            found += 1
            # What stands in a dead letter came from anybody: it must not steer the terminal.
            click.echo(printable(f"{letter.place}  {letter.reason}  {letter.field or '-'}  {letter.error}"))
    if show is not None:
        # Read to the end by now: what was asked for is not there, or has been deleted.
        raise click.ClickException(f"no dead letter was at {show}")
    click.echo(f"{found} dead letters", err=True)
