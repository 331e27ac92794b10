"""From bytes to records: JSON of one record or many, JSON lines, rows of a table. What is none is a bad line."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, BinaryIO, Final, Literal

import orjson
from msgspec import Struct
from msgspec.structs import replace

from stream.sources.intake import Intake
from stream.sources.lines import CHUNK_BYTES, BadLine, Line, LineSplitter, Location
from stream.sources.mapped.expressions import Expression

__all__ = ["MAX_DOCUMENT_BYTES", "MAX_RECORDS", "PayloadFormat", "PayloadRecord", "RecordReader"]

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""A file of JSON is read as one document up to this size; a larger one has a record in each line."""

MAX_PAYLOAD_BYTES: Final = 1_000_000
"""Of a line; records are much smaller."""


MAX_RECORDS: Final = 10_000
"""Of one request or message: who sends more holds up everybody else."""


class PayloadFormat(Struct, frozen=True, kw_only=True):
    """How records lie in what the system sends."""

    format: Literal["json", "csv"] = "json"
    records: Expression | None = None
    """Finds the list of records in a JSON document; without it the document is a record, or a list of them."""
    columns: tuple[str, ...] = ()
    """Of a table; without it its first row names them."""
    delimiter: str = ","


class PayloadRecord(Struct, frozen=True):
    """One record, and where it was found; `number` counts the records of a document from 1."""

    place: Location
    number: int
    value: Any


class RecordReader:
    """Reads what one file or request holds; a table's first row may name the columns of the others."""

    def __init__(self, format: PayloadFormat, intake: Intake) -> None:  # noqa: A002  # the word of the mapping file
        self._format = format
        self._intake = intake
        self._columns: Sequence[str] = format.columns

    def of_stream(self, stream: BinaryIO, name: str) -> Iterator[PayloadRecord]:
        """Yield the records of a file; *name* stands for it in messages. What is no record is counted."""
        head = stream.read(MAX_DOCUMENT_BYTES + 1)
        if len(head) <= MAX_DOCUMENT_BYTES and self._format.format == "json" and _is_json(head):
            yield from self._of_text(Line(Location(name, 1, 0), head))
            return
        splitter = LineSplitter(name, limit=MAX_PAYLOAD_BYTES)
        for chunk in chain([head], iter(lambda: stream.read(CHUNK_BYTES), b"")):
            for line in splitter.feed(chunk):
                yield from self._of_text(line)
        for line in splitter.end():
            yield from self._of_text(line)

    def of_body(self, body: bytes, place: Location) -> Iterator[PayloadRecord]:
        """Yield the records of one request or message, which is counted as one already."""
        self._intake.read -= 1
        if self._format.format == "json":
            yield from self._of_text(Line(place, body), most=MAX_RECORDS)
        elif body.count(b"\n") > MAX_RECORDS:
            self._intake.read += 1
            self._intake.refuse(_too_many(place))
        else:
            yield from self.of_stream(io.BytesIO(body), place.file)

    def _of_text(self, line: Line, most: float = math.inf) -> Iterator[PayloadRecord]:
        if line.text is not None and not line.text.strip():
            self._intake.read += 1
            self._intake.empty += 1
            return
        found = self._of_row(line) if self._format.format == "csv" else self._of_json(line)
        if isinstance(found, list) and len(found) > most:
            found = _too_many(line.place)
        if isinstance(found, BadLine):
            self._intake.read += 1
            self._intake.refuse(found)
            return
        self._intake.read += max(1, len(found))
        if not found:
            self._intake.ignore("head" if self._format.format == "csv" else "empty")
        for number, value in enumerate(found, start=1):
            yield PayloadRecord(replace(line.place, offset=line.place.offset + number - 1), number, value)

    def _of_json(self, line: Line) -> list[Any] | BadLine:
        try:
            document = orjson.loads(line.text or b"")
        except orjson.JSONDecodeError:
            return BadLine(line.place, "not_json", "not JSON")
        if self._format.records is None:
            return document if isinstance(document, list) else [document]
        found = self._format.records.of(document)
        if found is None:
            return BadLine(line.place, "no_records", "nothing where the mapping says that the records are")
        return found if isinstance(found, list) else [found]

    def _of_row(self, line: Line) -> list[Any] | BadLine:
        try:
            text = (b"\xff" if line.text is None else line.text).decode("utf-8-sig")
            rows = csv.reader(io.StringIO(text), delimiter=self._format.delimiter, strict=True)
            cells = [cell.strip() for cell in next(rows, [])]
        except (UnicodeDecodeError, csv.Error):
            return BadLine(line.place, "not_a_row", "not a row of a table in UTF-8")
        if not self._columns:
            self._columns = cells
            return []
        if len(cells) != len(self._columns):
            detail = f"the row has {len(cells)} cells, and the table {len(self._columns)} columns"
            return BadLine(line.place, "not_a_row", detail)
        return [dict(zip(self._columns, cells, strict=True))]


def _too_many(place: Location) -> BadLine:
    return BadLine(place, "too_many_records", f"more than {MAX_RECORDS} records at once")


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
