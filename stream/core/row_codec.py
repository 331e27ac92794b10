"""
Keys and rows of a table as bytes, for its changelog: MessagePack, and before each row the version of its table.

A row is a struct written as an array, and so are the structs in it. Fields are only ever added at the end of a
struct, each with a default: then rows that lack them are read by the very same decoder, as fast as new ones.
"""

from collections.abc import Callable, Hashable, Sequence
from sys import intern
from typing import Generic, TypeVar

import msgspec

__all__ = ["RowCodec", "RowFormatError"]


class RowFormatError(ValueError):
    """A changelog row was written in a format that this version does not read."""


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class RowCodec(Generic[K, V]):
    """
    Keys and rows of one table as bytes. Equal keys have equal bytes: compaction depends on it.

    A key is a tuple that begins with names that many keys share, two or *shared*, or it is anything else and shares
    none; a row is a struct that is written as an array. Many are read at once: a recovery has a million.
    """

    def __init__(
        self,
        key_type: object,
        row_type: object,
        *,
        version: int,
        oldest: int,
        shared: int = 2,
        share: Callable[[V], V] | None = None,
    ) -> None:
        """
        Rows are written in *version*, and read in every version from *oldest* on.

        *share* is given every row that was read, and returns it with what many rows have as one object
        (`stream.core.sharing`): done at last, a million rows would have had their own for a while.

        Whoever adds a field raises *version*, so that programs that do not know the field refuse such
        rows: they would write them again without it. Versions are single bytes, never used twice.
        """
        self.version = version
        self._shared = shared
        self._share = share
        self._write = msgspec.msgpack.Encoder()
        self._mark = bytes([version])
        self._marks = {bytes([known]) for known in range(oldest, version + 1)}
        # The encoder's own method: one of ours around it would be one more call for each row of a checkpoint.
        self.encode_key: Callable[[K], bytes] = self._write.encode
        """Write a key."""
        self._keys: msgspec.msgpack.Decoder[list[K]] = msgspec.msgpack.Decoder(list[key_type])  # type: ignore[valid-type]
        self._rows: msgspec.msgpack.Decoder[list[V]] = msgspec.msgpack.Decoder(list[row_type])  # type: ignore[valid-type]

    def decode_key(self, data: bytes) -> K:
        """Read a key. Raises RowFormatError."""
        return self.decode_keys([data])[0]

    def decode_keys(self, data: Sequence[bytes]) -> list[K]:
        """Read keys, in their order; equal names are one object. Raises RowFormatError."""
        try:
            keys = self._keys.decode(_array(data))
        except msgspec.MsgspecError as failure:
            raise RowFormatError(f"not a key of this table: {failure}") from failure
        # A million rows name a few tenants and queues: one string each, not a million.
        shared = self._shared
        if not shared:
            return keys
        return [(*map(intern, key[:shared]), *key[shared:]) for key in keys]  # type: ignore[misc, index]  # the same type again

    def encode_row(self, row: V) -> bytes:
        """Write a row."""
        return self._mark + self._write.encode(row)

    def decode_row(self, data: bytes) -> V:
        """Read a row. Raises RowFormatError."""
        return self.decode_rows([data])[0]

    def decode_rows(self, data: Sequence[bytes]) -> list[V]:
        """Read rows, in their order. Raises RowFormatError if any of them cannot be read."""
        foreign = {row[:1] for row in data} - self._marks
        if foreign:
            known, found = (
                ", ".join(sorted(mark.hex() or "empty" for mark in marks)) for marks in (self._marks, foreign)
            )
            raise RowFormatError(f"row format {found}, this version reads {known}")
        try:
            rows = self._rows.decode(_array([row[1:] for row in data]))
        except msgspec.MsgspecError as failure:
            raise RowFormatError(f"not a row of this table: {failure}") from failure
        return rows if self._share is None else [*map(self._share, rows)]


def _array(items: Sequence[bytes]) -> bytes:
    """Join values of MessagePack to one array of them."""
    # So that one call decodes all of them: a recovery reads a million.
    # MessagePack's `array 32`, a header of five bytes for any number of items.
    return b"\xdd" + len(items).to_bytes(4, "big") + b"".join(items)
