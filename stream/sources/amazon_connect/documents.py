"""Finds the documents in a request: by themselves, several in a row, or packed by Firehose or an EventBridge pipe."""

import json
import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from stream.sources.requests.parts import UnusablePart

__all__ = ["documents_in"]

_PACKED_AT_MOST: Final = 4
"""An agent event in a Kinesis record in a Firehose record in a list: nobody packs deeper."""

_MOST_DOCUMENTS: Final = 10_000
"""Whatever AWS sends in one body has fewer; more are somebody's who means to keep us busy."""


def _no_number(_: str) -> object:
    raise ValueError


# The one decoder that says where a value ends: Firehose may put several into one record, with nothing between them.
_DECODER: Final = json.JSONDecoder(parse_constant=_no_number)

_NO_SPACE: Final = re.compile(r"\S")


def documents_in(body: bytes) -> Iterator[dict[str, Any] | UnusablePart]:
    """Yield each object that is no package, and in place of what cannot be read what is wrong with it."""
    found = _found_in(body, 0)
    yield from islice(found, _MOST_DOCUMENTS)
    if next(found, None) is not None:
        yield UnusablePart("too_many", f"one request has more than {_MOST_DOCUMENTS} documents")


def _found_in(data: bytes, packed: int) -> Iterator[dict[str, Any] | UnusablePart]:
    try:
        for value in _values_in(data):
            yield from _unpacked(value, packed)
    except UnusablePart as problem:
        yield problem


def _values_in(data: bytes) -> Iterator[object]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise UnusablePart("not_utf8", "the text is not UTF-8") from None
    at = 0
    while begin := _NO_SPACE.search(text, at):
        try:
            value, at = _DECODER.raw_decode(text, begin.start())
        # Brackets may be nested as deep as somebody likes: the decoder answers that with RecursionError.
        except (ValueError, RecursionError):
            raise UnusablePart("not_json", "the text is not JSON") from None
        yield value


def _unpacked(value: object, packed: int) -> Iterator[dict[str, Any] | UnusablePart]:
    if packed > _PACKED_AT_MOST:
        yield UnusablePart("packed_too_deep", "packages are nested too deep")
        return
    match value:
        case list():
            for item in value:
                yield from _unpacked(item, packed + 1)
        case {"requestId": _, "records": list(records)}:  # a delivery of Firehose
            for record in records:
                yield from _record(record.get("data") if isinstance(record, dict) else None, packed + 1)
        case {"eventSource": "aws:kinesis", "data": data}:  # of a pipe, which may have decoded it
            yield from _record(data, packed + 1) if isinstance(data, str) else _unpacked(data, packed + 1)
        case dict():
            yield value
        case _:
            yield UnusablePart("not_an_object", "the JSON is no object")


def _record(data: object, packed: int) -> Iterator[dict[str, Any] | UnusablePart]:
    try:
        found = a2b_base64(data, strict_mode=True) if isinstance(data, str) else None
    except (Base64Error, ValueError):
        found = None
    if found is None:
        yield UnusablePart("not_base64", "the data of the record is not base64")
    else:
        yield from _found_in(found, packed)
