"""A source that asks or listens, tried without a broker: nothing is sent, and no position is kept."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Final

from msgspec import Struct

from stream.connect.inputs import InputCounts, more_inputs, not_used
from stream.core.cloudevents import tag_of
from stream.doctor.finding import Finding, bad, good, look
from stream.errors import ContactStreamError
from stream.sources.intake import Intake
from stream.sources.source import Source

__all__ = ["PullerTrial", "pulling"]

_CONNECTION: Final = "connection"

_FIRST: Final = "first event"

_MEND: Final = "mend it, and try again"

_LOOKED_AGAIN_SECONDS: Final = 0.05

_AFTER_WARNING_SECONDS: Final = 2.0
"""A source that has complained and is not connected by then has said what is wrong."""

_QUIET_FILE_SECONDS: Final = 2.0
"""Who reads a file has said by then what is wrong with it; it may have no line to read for hours."""


@asynccontextmanager
async def pulling(source: Source, options: Struct) -> AsyncIterator["PullerTrial"]:
    """Pull until something comes, or the context is left; what the source logs is said by findings, and not twice."""
    trial = PullerTrial(source, options)
    logger = logging.getLogger("stream.sources")
    logger.addHandler(trial.warnings)
    before, logger.propagate = logger.propagate, False
    try:
        yield trial
    finally:
        logger.propagate = before
        logger.removeHandler(trial.warnings)
        await trial.stop()


class PullerTrial:
    """One run of a source, up to the first events."""

    def __init__(self, source: Source, options: Struct) -> None:
        self.warnings = _Warnings()
        self._source = source
        self._intake = Intake()
        # Made there, so that what is wrong with the options is a finding, too.
        self._pulled = asyncio.create_task(self._first_events(options))

    async def stop(self) -> None:
        """Pull no more."""
        self._pulled.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._pulled

    async def connection(self, seconds: float) -> Finding:
        """Return whether the source hears its system, or what it says is wrong, within so many *seconds*."""
        loop = asyncio.get_running_loop()
        is_file = self._source.read is not None
        last = loop.time() + (_QUIET_FILE_SECONDS if is_file else seconds)
        is_warned = False
        while not self._pulled.done() and not self._all_heard() and loop.time() < last:
            await asyncio.sleep(_LOOKED_AGAIN_SECONDS)
            if self.warnings.said and not is_warned:
                last, is_warned = min(last, loop.time() + _AFTER_WARNING_SECONDS), True
        if (failure := self._failure()) is not None:
            return bad(_CONNECTION, failure, _MEND)
        if self._all_heard():
            return good(_CONNECTION, f"it hears {', '.join(self._intake.connected)}")
        if self._pulled.done():
            return good(_CONNECTION, "it answers")
        if is_file and not self.warnings.said:
            return look(_CONNECTION, "it reads the file, in which nothing of use is written yet")
        return bad(_CONNECTION, self.warnings.said or f"nothing was heard within {seconds:.0f} s", _MEND)

    async def first_event(self, seconds: float) -> AsyncIterator[Finding]:
        """Yield what comes and is not used, with what to do, until an event comes or time is over."""
        last = asyncio.get_running_loop().time() + seconds
        counted: InputCounts = {}
        said = self.warnings.said
        while True:
            is_over = self._pulled.done()
            shown = _counts_of(self._intake)
            for outcome, kind in more_inputs(counted, shown):
                # A history may have thousands of each: once is enough.
                if (outcome, kind) not in counted:
                    yield not_used("input", outcome, kind)
            if self.warnings.said != said:
                said = self.warnings.said
                yield look(_CONNECTION, said)
            if is_over or asyncio.get_running_loop().time() >= last:
                yield self._end(seconds)
                return
            counted = shown
            await asyncio.sleep(_LOOKED_AGAIN_SECONDS)

    async def _first_events(self, options: Any) -> Counter[str]:  # noqa: ANN401  # each source has its own
        assert self._source.pull is not None
        batches: Any = self._source.pull(options, self._intake).batches(None)
        async with aclosing(batches):
            async for batch in batches:
                # A batch may only say that nobody was heard before.
                if batch.events:
                    return Counter(tag_of(event) for event in batch.events)
        return Counter()

    def _end(self, seconds: float) -> Finding:
        if not self._pulled.done():
            said = f"nothing of use came within {seconds:.0f} s"
            return bad(_FIRST, said, "make something happen in the system; the command above waits for it, too")
        if (failure := self._failure()) is not None:
            return bad(_CONNECTION, failure, _MEND)
        types = self._pulled.result().most_common()
        if not types:
            return look(_FIRST, "it has come to its end without one")
        return good(_FIRST, f"{', '.join(f'{count} {name}' for name, count in types)}; a trial sends none of them")

    def _failure(self) -> str | None:
        """Return what the source raised; None while it is well."""
        if not self._pulled.done():
            return None
        try:
            self._pulled.result()
        except ContactStreamError as failure:
            return str(failure)
        return None

    def _all_heard(self) -> bool:
        connected = self._intake.connected
        return bool(connected) and all(connected.values())


def _counts_of(intake: Intake) -> InputCounts:
    counts = {"ignored": intake.ignored, "unknown": intake.unknown, "refused": intake.refused}
    return {(outcome, kind): count for outcome, kinds in counts.items() for kind, count in kinds.items()}


class _Warnings(logging.Handler):
    """Remembers the latest thing that a source complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()
