"""Rows of one table and one partition, and which of them changed since they were last written.

A row knows the *applied offset*: the offset of the last record applied to it.
"""

from collections.abc import Hashable, Iterable
from typing import Protocol, TypeVar

__all__ = ["HasAppliedOffset", "Rows"]


class HasAppliedOffset(Protocol):
    """What a row must tell: the offset of the last record that was applied to it."""

    @property
    def applied_offset(self) -> int:
        """The offset of the last record applied."""


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=HasAppliedOffset)


class Rows(dict[K, V]):
    """
    The rows of one partition by key; a dict that remembers which keys changed.

    Change rows with `put`, `put_under` and `remove` only: plain item assignment is not seen by the changelog.
    """

    __slots__ = ("changed", "contested")

    def __init__(self) -> None:
        super().__init__()
        self.changed: dict[K, bool] = {}
        """What the next checkpoint writes; true of a key of which the changelog knows nothing, and never will."""
        self.contested = False
        """
        Whether another worker may have applied the records that are being applied now.

        A row that it made of them may still come into the changelog. So one that goes has to leave a tombstone,
        also where nothing was written of it here.
        """

    def put(self, key: K, row: V) -> None:
        """Set the row of *key*; it is written at the next checkpoint."""
        # Of a row that has changed already it stays as it is: a second change makes no row known to the
        # changelog.
        self.changed.setdefault(key, not self.contested and key not in self)
        self[key] = row

    def write_again(self, keys: Iterable[K]) -> None:
        """Have the rows of *keys*, or that there are none, written at the next checkpoint, changed or not."""
        self.changed.update(dict.fromkeys(keys, False))

    def put_under(self, key: K, row: V) -> None:
        """Like `put`, but stores this key object, so that callers can share one tuple with the table."""
        # A dict keeps the key object that it has: only a key that was taken out is replaced by an equal one.
        self.changed.setdefault(key, self.pop(key, None) is None and not self.contested)
        self[key] = row

    def remove(self, key: K) -> None:
        """Delete the row of *key*, if there is one; where it was ever written, a tombstone follows at a checkpoint."""
        # A row that came and went between two checkpoints was never written by anybody: it needs no tombstone.
        if self.pop(key, None) is not None and not self.changed.pop(key, False):
            self.changed[key] = False

    def load(self, key: K, row: V | None) -> None:
        """
        Take a row from the changelog (None: a tombstone), as it is there.

        Of two rows the one with the higher applied_offset stays: a worker that lost its partition may have
        written an older row after a newer one. Then the newer one counts as changed: once the log
        is compacted, the older one would be left alone.
        """
        if row is None:
            self.pop(key, None)
            return
        known = self.setdefault(key, row)
        if known.applied_offset <= row.applied_offset:
            if known is not row:
                self[key] = row
        else:
            self.changed[key] = False

    def drain_changed(self) -> list[tuple[K, V | None]]:
        """Return every row that changed since the last call (None: deleted), and forget that it did."""
        drained = list(zip(self.changed, map(self.get, self.changed), strict=True))
        self.changed.clear()
        return drained
