"""One line of a table of figures: what was measured, what was promised, and whether that held."""

from typing import NamedTuple

__all__ = ["Judged"]


class Judged(NamedTuple):
    """A figure beside its promise, both as a reader wants to see them."""

    what: str
    figure: str
    promise: str
    held: bool
