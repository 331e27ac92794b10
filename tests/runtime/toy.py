"""A fold in miniature, with the duties of the real one: counts distinct ids per key, exactly.

`marks` stand for segments (an id was seen), `counts` for tallies (how many ids a key has).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from stream.core.family import Applied, Family
from stream.core.row_codec import RowCodec
from stream.core.rows import Rows
from stream.errors import InvalidEvent
from stream.runtime.source_topic import Headers, SourceTopic

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TOPIC = "toys"


class Ping(msgspec.Struct, frozen=True, tag="Ping"):
    key: str
    id: int
    poison: bool = False

    def key_parts(self) -> tuple[str]:
        return (self.key,)


class Count(msgspec.Struct, frozen=True, array_like=True):
    applied_offset: int
    count: int


class Mark(msgspec.Struct, frozen=True, array_like=True):
    applied_offset: int


class ToyFold:
    """Keeps the marks of the last `keep` offsets below the commit, so that repeats within them are known."""

    def __init__(self, keep: int = 50) -> None:
        self.counts: Rows[str, Count] = Rows()
        self.marks: Rows[tuple[str, int], Mark] = Rows()
        self.keep = keep
        self.recoveries = 0

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        return {"counts": self.counts, "marks": self.marks}

    def apply(self, events: Sequence[Any], offsets: Sequence[int]) -> Applied:
        applied = Applied(by_type=Counter({cast("Any", Ping): len(events)}), times_by_source={"toy": [START]})
        for event, offset in zip(events, offsets, strict=True):
            if event.poison:
                applied.failed.append((offset, KeyError(event.key)))
                continue
            mark = self.marks.get((event.key, event.id))
            if mark is not None:
                applied.replayed += mark.applied_offset >= offset
                applied.duplicates += mark.applied_offset < offset
                continue
            count = self.counts.get(event.key, Count(-1, 0))
            if count.applied_offset < offset:
                self.counts.put(event.key, Count(offset, count.count + 1))
            self.marks.put((event.key, event.id), Mark(offset))
        return applied

    def settle(self) -> None:
        """Rows are up to date at any time."""

    def committed(self, offset: int) -> None:
        for key in [key for key, mark in self.marks.items() if mark.applied_offset < offset - self.keep]:
            self.marks.remove(key)

    def recovered(self) -> None:
        self.recoveries += 1

    def snapshots(self, at: datetime) -> Iterator[tuple[int, Any]]:
        del at
        return iter(())


def decode(value: bytes | None, headers: Headers) -> Ping:
    del headers
    if not value:
        raise InvalidEvent("empty", "the record has no value")
    try:
        return msgspec.json.decode(value, type=Ping)
    except msgspec.ValidationError as failure:
        raise InvalidEvent("missing_field", "a field is missing", field="key") from failure
    except msgspec.DecodeError as failure:
        raise InvalidEvent("not_json", "the value is not JSON") from failure


def encode(key: str, number: int, *, poison: bool = False) -> bytes:
    return msgspec.json.encode(Ping(key, number, poison))


class Codec(RowCodec[Any, Any]):
    """Writes keys as the tests do, which read and write changelogs themselves."""

    def __init__(self, row_type: type, encode_key: Callable[[Any], bytes], decode_key: Callable[[bytes], Any]) -> None:
        super().__init__(Any, row_type, version=1, oldest=1)
        self.encode_key = encode_key
        self.decode_one_key = decode_key

    def decode_keys(self, data: Sequence[bytes]) -> list[Any]:
        return [*map(self.decode_one_key, data)]


COUNTS = Codec(Count, str.encode, bytes.decode)
MARKS = Codec(Mark, msgspec.msgpack.encode, msgspec.msgpack.Decoder(tuple[str, int]).decode)


def toy_source(name: str = TOPIC, keep: int = 50) -> SourceTopic:
    family: Family[Any] = Family(
        name=name,
        summary="Pings.",
        rows="keys",
        keyed_by="the key",
        events=(cast("Any", Ping),),
        tables={"counts": COUNTS, "marks": MARKS},
        new_fold=lambda _: ToyFold(keep),
        snapshot=Any,
        labels=(),
        figures=(),
    )
    return SourceTopic(family=family, decode=decode)
