"""What processing asks of a domain: a fold per source partition, its rows, and the bytes they become.

Nothing here knows what an event means; `app.py` brings the real folds in, tests bring toys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stream.core.cloudevents import Headers
from stream.core.family import Applied, Fold

__all__ = ["Applied", "Decode", "Fold", "Headers", "Record", "RowCodec", "SourceTopic"]


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
    new_fold: Callable[[], Fold[Any]]
    codecs: Mapping[str, RowCodec]
    """By table name; exactly the tables of the fold."""
    decode_all: Callable[[Sequence[Record]], list[Any] | None] = lambda _: None
    """Decodes many records at once, as `decode` would each; None where one of them is not plainly an event."""
    type_name: Callable[[Any], str] = str
    """The name of a key of `Applied.by_type` in the figures of the feed."""
