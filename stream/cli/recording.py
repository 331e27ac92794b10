"""`contact-stream produce --speed …`: sends a recorded file at a pace, shows how far it is, goes on after a stop."""

import asyncio
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from stream.cli.options import BadLines
from stream.cli.sources import recorded_events, ship_until_stopped
from stream.errors import SettingsError
from stream.settings import Settings
from stream.sources.intake import Intake
from stream.sources.pulling.recording import PacedRecording, Times
from stream.sources.pulling.shipping import PositionFile
from stream.sources.source import STDIN, Source

__all__ = ["SpeedParam", "send_paced"]

ENDING: Final = ".sending"
"""Of the position's file; a follower of the same log keeps its own under another name."""

Acknowledged = Callable[[int, datetime], None]
"""Told how many events have arrived, and the recorded time of the last."""


class SpeedParam(click.ParamType):
    """How many recorded seconds pass in one second; infinite for `max` and 0."""

    name = "factor"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  # as click has it
        """Return the factor; refuses what is none."""
        try:
            speed = math.inf if value == "max" else float(value)
        except ValueError:
            self.fail(f"{value} is no factor such as 1 or 60, nor max", param, ctx)
        # Not a number is neither below 0 nor above.
        if not speed >= 0:
            self.fail("time does not run backwards: 1 is as recorded, 60 a minute in a second, max at once", param, ctx)
        return speed or math.inf


def send_paced(
    of: Source, options: Struct, file: Path, settings: Settings, state: Path | None, *, speed: float, times: Times
) -> None:
    """Send a recorded file at a pace; stopped, the next call goes on behind what was acknowledged."""
    if file == STDIN and state is None:
        raise SettingsError("standard input has no place beside it for the position: name one with --state")
    bad = BadLines()
    position = PositionFile(state or file.with_name(file.name + ENDING))
    position.check()
    _say_before(position, speed, times, settings)
    sent = 0

    def count(acknowledged: int, time: datetime) -> None:
        nonlocal sent
        sent = acknowledged
        show(acknowledged, time)

    recording = PacedRecording(
        lambda: recorded_events(of, options, bad.intake), speed=speed, times=times, acknowledged=count
    )
    try:
        with _progress(of, options, total_is_known=file != STDIN) as show:
            ended = asyncio.run(ship_until_stopped(recording, settings, position, bad.intake))
    finally:
        click.echo(f"{sent} events were acknowledged in all", err=True)
    if not ended:
        click.echo(f"stopped; the same command goes on from {position.path}", err=True)
        return
    position.remove()
    bad.summary(sent)


def _say_before(position: PositionFile, speed: float, times: Times, settings: Settings) -> None:
    if position.path.exists():
        click.echo(f"going on from {position.path}; delete it to begin anew", err=True)
    if times == "now" and speed > 1:
        ahead = settings.future_tolerance.total_seconds()
        click.echo(
            "faster than 1, times that begin now run ahead of the clock: "
            f"a worker sets aside what is more than {ahead:g} s ahead (CONTACT_STREAM_FUTURE_TOLERANCE)",
            err=True,
        )


@contextmanager
def _progress(of: Source, options: Struct, *, total_is_known: bool) -> Iterator[Acknowledged]:
    """Give what shows the progress: a bar on a terminal, and nothing where standard error goes to a file."""
    if not sys.stderr.isatty():
        yield lambda _count, _time: None
        return
    # Read once before, since no file says how many events are in it; standard input can be read only once.
    total = sum(1 for _ in recorded_events(of, options, Intake())) if total_is_known else None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("events", total=total)
        yield lambda acknowledged, time: bar.update(
            task, completed=acknowledged, description=f"{time:%Y-%m-%d %H:%M:%S}"
        )
