"""Lines of the log that whoever reaches the port can bring about: each once in a while, with how many there were."""

import logging
from time import monotonic
from typing import Final

__all__ = ["space_lines"]

SPACED_SECONDS: Final = 10.0
"""The same line is not written again for so long."""


def space_lines(*loggers: str) -> None:
    """Let these *loggers* write the same line, with whatever values, no more than once in a while."""
    for name in loggers:
        logger = logging.getLogger(name)
        if not any(isinstance(one, _Spaced) for one in logger.filters):
            logger.addFilter(_Spaced())


class _Spaced(logging.Filter):
    """Knows of each text that is in the code when it was written last; there are no more than the code has."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[object, float] = {}
        self._held_back: dict[object, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        # What failed is part of it: another defect is another line.
        line = (record.msg, record.exc_info and record.exc_info[0])
        now = monotonic()
        if now < self._next.get(line, 0.0):
            self._held_back[line] = self._held_back.get(line, 0) + 1
            return False
        self._next[line] = now + SPACED_SECONDS
        if more := self._held_back.pop(line, 0):
            record.msg = f"{record.msg} (and {more} times more before)"
        return True
