"""What processing asks of a domain: a fold per source partition, its rows, and the bytes they become.

Nothing here knows what an event means; `app.py` brings the real folds in, tests bring toys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from stream.core.rows import Rows

__all__ = ["Applied", "Decode", "Fold", "Headers", "Record", "RowCodec", "SourceTopic"]

Headers = Sequence[tuple[str, bytes | None]]


class Record(Protocol):
    """One Kafka record as it was fetched; key and value are untouched bytes."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int | None: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


class Applied(Protocol):
    """What became of the events of one call of `Fold.apply`."""

    @property
    def by_type(self) -> Mapping[Any, int]: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def replayed(self) -> int: ...
    @property
    def late(self) -> int: ...
    @property
    def overflowed(self) -> int: ...
    @property
    def failed(self) -> Sequence[tuple[int, Exception]]:
        """Offset and cause of each event that could not be folded; the others have been."""
        ...

    @property
    def newest_by_source(self) -> Mapping[str, datetime]: ...


class Fold(Protocol):
    """
    The state of one source partition.

    It is only called from the event loop, between two awaits, so it needs no locks.
    """

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        """Rows by table, in the order in which a checkpoint must write the tables."""
        ...

    def apply(self, events: Sequence[Any], offsets: Sequence[int]) -> Applied:
        """
        Fold *events*; `offsets[i]` is the offset of the record of `events[i]`, rising.

        An event at or below the applied offset of a row leaves that row as it is. Never raises for an event at
        fault: an exception is a defect that stops the worker.
        """
        ...

    def settle(self) -> None:
        """Bring the rows up to date with all that was applied; called before a checkpoint takes them."""
        ...

    def committed(self, offset: int) -> None:
        """Learn that everything below *offset* is durable and will not be replayed."""
        ...

    def recovered(self) -> None:
        """Derive from the rows what is not in a table; called after rows were loaded, possibly again."""
        ...


Decode = Callable[[bytes | None, Headers], Any]
"""Makes an event of a record's value and headers, or raises InvalidEvent."""


class RowCodec(Protocol):
    """Bytes of one table's keys and rows; decoding what another version wrote succeeds or raises."""

    def encode_key(self, key: Any, /) -> bytes: ...
    def decode_keys(self, data: Sequence[bytes], /) -> list[Any]: ...
    def encode_row(self, row: Any, /) -> bytes: ...
    def decode_rows(self, data: Sequence[bytes], /) -> list[Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTopic:
    """A topic of events, and what folds each of its partitions."""

    name: str
    decode: Decode
    key_parts_of: Callable[[Any], tuple[str | None, ...]]
    """
    What makes the key an event must have, joined by `/`.

    The key decides the partition, and so the worker that shows the event.
    """
    new_fold: Callable[[], Fold]
    codecs: Mapping[str, RowCodec]
    """By table name; exactly the tables of the fold."""
    decode_all: Callable[[Sequence[Record]], list[Any] | None] = lambda _: None
    """Decodes many records at once, as `decode` would each; None where one of them is not plainly an event."""
    type_name: Callable[[Any], str] = str
    """The name of a key of `Applied.by_type` in the figures of the feed."""
