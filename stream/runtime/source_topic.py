"""What processing asks of a family: how records become its events, and a fold per source partition.

Nothing here knows what an event means; `stream.app.topics` brings the real families in, tests bring toys.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from stream.core.cloudevents import Event, Headers
from stream.core.family import Applied, Family, Fold, FoldOptions

__all__ = ["Applied", "Decode", "Fold", "Follows", "Headers", "Record", "SourceTopic"]


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


Follows = Sequence[tuple[Event, bytes]]
"""Events for other families, and their bytes."""


class SourceTopic(Struct, frozen=True, kw_only=True):
    """The topic of a family's events: how its records are decoded, and what folds each of its partitions."""

    family: Family[Any]
    options: FoldOptions = FoldOptions()
    decode: Decode
    decode_all: Callable[[Sequence[Record]], list[Any] | None] = lambda _: None
    """Decodes many records at once, as `decode` would each; None where one of them is not plainly an event."""
    derive: Callable[[Sequence[Any]], Iterable[tuple[Any, Follows | Exception]]] | None = None
    """
    Yields those of its events from which any for other families follow, with these; or with why they cannot.

    None: none ever do.
    """

    @property
    def name(self) -> str:
        """The name of the topic, which is the family's."""
        return self.family.name

    def new_fold(self) -> Fold[Any]:
        """Return the fold of one partition, with no rows yet."""
        return self.family.new_fold(self.options)
