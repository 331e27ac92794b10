"""What a system is that keeps what happened and is asked for it, as the contract of polled systems wants it."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from msgspec import Struct

from stream.sources.intake import Intake
from stream.sources.source import Puller
from tests.sources.contract.marks import altered_one_by_one, marked

__all__ = ["AWAY_FOR", "Interrupted", "Kept", "PolledSystem", "begun"]


class Kept(Protocol):
    """What one system keeps: a table, a topic, a mailbox."""

    async def add(self, records: Iterable[bytes]) -> None:
        """Store records behind those that there are."""
        ...

    def puller(self, intake: Intake) -> Puller:
        """Return what asks for them, from now on and without long pauses."""
        ...


@runtime_checkable
class Interrupted(Kept, Protocol):
    """One that a test may take away."""

    async def goes_away(self) -> None:
        """Give no answer to the next questions, until it was asked some times; then be back."""
        ...


class PolledSystem(Struct, frozen=True, kw_only=True):
    """A system that is asked again and again."""

    call: Callable[[int], bytes]
    """The record of the call with this number, which came so many moments after the first."""
    tells: int = 1
    """Events of each such record."""
    noise: Sequence[bytes]
    """Records of no use: garbage, what is known and left out, and what nobody knows."""
    counted: tuple[int, int, int]
    """How much of that is refused, ignored, unknown."""
    marked: Callable[[bytes], bytes] = marked
    """A record with PERSONAL wherever the system has something of a person."""
    altered: Callable[[bytes], Iterator[bytes]] = altered_one_by_one
    """A record as often as it has values, one of them ALTERED each time."""
    kept: Callable[[Path], AbstractAsyncContextManager[Kept]]
    """Begins it anew, without records; the folder is for files."""


AWAY_FOR: Final = 3
"""So many questions."""


def begun(make: Callable[[Path], Kept]) -> Callable[[Path], AbstractAsyncContextManager[Kept]]:
    """Return how something is begun that needs no end."""

    @asynccontextmanager
    async def kept(folder: Path) -> AsyncIterator[Kept]:
        yield make(folder)

    return kept
