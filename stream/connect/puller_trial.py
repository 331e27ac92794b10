"""A source that asks or listens, tried once without a broker: nothing is sent, and no position is kept."""

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import Any, Final

from msgspec import Struct

from stream.doctor.finding import Finding, bad, good
from stream.errors import ContactStreamError
from stream.sources.intake import Intake
from stream.sources.source import Source

__all__ = ["tried_connection"]

_ABOUT: Final = "connection"

_LOOKED_AGAIN_SECONDS: Final = 0.05

_AFTER_WARNING_SECONDS: Final = 2.0
"""A source that has complained and is not connected by then has said what is wrong."""


async def tried_connection(source: Source, options: Struct, seconds: float) -> Finding:
    """Return whether the source hears its system, or what it says is wrong, within so many *seconds*."""
    assert source.pull is not None
    intake = Intake()
    warnings = _Warnings()
    logger = logging.getLogger("stream.sources")
    # What it says is told once, as a finding, and not a second time by the log.
    logger.addHandler(warnings)
    before, logger.propagate = logger.propagate, False
    try:
        # Made there, so that what is wrong with the options is a finding, too.
        pulled = asyncio.create_task(_first_batch(source, options, intake))
        return await _outcome(pulled, intake, warnings, seconds)
    finally:
        logger.propagate = before
        logger.removeHandler(warnings)


async def _first_batch(source: Source, options: Any, intake: Intake) -> int | None:  # noqa: ANN401  # each source has its own
    assert source.pull is not None
    batches: Any = source.pull(options, intake).batches(None)
    async with aclosing(batches):
        async for batch in batches:
            # A batch may only say that nobody was heard before.
            if batch.events:
                return len(batch.events)
    return None


async def _outcome(
    pulled: "asyncio.Task[int | None]", intake: Intake, warnings: "_Warnings", seconds: float
) -> Finding:
    loop = asyncio.get_running_loop()
    last = loop.time() + seconds
    try:
        while not pulled.done() and not _all_heard(intake) and loop.time() < last:
            await asyncio.sleep(_LOOKED_AGAIN_SECONDS)
            if warnings.said:
                last = min(last, loop.time() + _AFTER_WARNING_SECONDS) if not warnings.noticed else last
                warnings.noticed = True
        if _all_heard(intake):
            return good(_ABOUT, f"it hears {', '.join(intake.connected)}")
        if pulled.done():
            return _ended(pulled, intake)
        return bad(_ABOUT, warnings.said or f"nothing was heard within {seconds:.0f} s", "mend it, and try again")
    finally:
        pulled.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await pulled


def _ended(pulled: "asyncio.Task[int | None]", intake: Intake) -> Finding:
    try:
        events = pulled.result()
    except ContactStreamError as failure:
        return bad(_ABOUT, str(failure), "mend it, and try again")
    told = "it tells nothing yet" if events is None else f"its first batch tells {events} events"
    refused = intake.refused.total() + intake.unknown.total()
    return good(_ABOUT, f"{told}; {refused} inputs are of no use" if refused else told)


def _all_heard(intake: Intake) -> bool:
    return bool(intake.connected) and all(intake.connected.values())


class _Warnings(logging.Handler):
    """Remembers the latest thing that a source complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said = ""
        self.noticed = False

    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()
