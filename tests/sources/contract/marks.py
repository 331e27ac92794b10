"""Personal data, and whatever else must not get far, put into what a system sends so that it can be looked for."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final

from msgspec.structs import replace

from stream.sources.source import Received
from tests.sources.contract.caller import Caller

__all__ = [
    "ALTERED",
    "PERSONAL",
    "altered_cells",
    "altered_fields",
    "altered_one_by_one",
    "marked",
    "marked_cells",
    "marked_header",
    "places_of",
    "resigned",
]

PERSONAL: Final = "ann.marked@example.org +38640777123"
"""Of a customer."""
ALTERED: Final = "an-altered-value-38640777321"
"""Stands where something else should: also in ids and names, which get far."""

_PERSONAL_KEYS: Final = frozenset(
    {
        *("address", "ani", "dnis", "email", "emailaddress", "phone", "phonenumber"),
        *("customername", "displayname", "firstname", "fullname", "lastname"),
        *("body", "comment", "content", "description", "htmlbody", "message", "note", "subject", "text", "textbody"),
        "title",
    }
)
_SIGNATURE: Final = re.compile("signature|hmac|sha|time")
_ADDED: Final = ("email", "phone", "subject", "body", "first_name", "last_name", "address")


def marked(body: bytes) -> bytes:
    """Return a body in which names, addresses, numbers, subjects and texts are PERSONAL, also where it has none."""
    try:
        return json.dumps(_inner(json.loads(body), _personal)).encode()
    except ValueError:
        # A form.
        return body + b"&Email=" + PERSONAL.encode().replace(b" ", b"%20").replace(b"+", b"%2B")


def altered_one_by_one(body: bytes) -> Iterator[bytes]:
    """Yield a body as often as it has values, one of them ALTERED each time; lastly all of them."""
    try:
        content = json.loads(body)
    except ValueError:
        yield ALTERED.encode() + body
        return
    for place in range(_leaves(content)):
        yield json.dumps(_with_one_altered(content, place)).encode()
    yield json.dumps(_each_leaf(content, lambda _: ALTERED)).encode()


def places_of(body: bytes) -> list[str]:
    """Return where the values of a body are, each by the names that lead to it: as `altered_one_by_one` goes."""
    return [*_places(json.loads(body), "")]


def _places(value: Any, place: str) -> Iterator[str]:  # any JSON
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _places(one, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for one in value:
            yield from _places(one, place)
    else:
        packed: list[str] = []
        is_packed = isinstance(value, str) and _repacked(value, lambda content: packed.extend(_places(content, place)))
        yield from packed if is_packed else [place]


def marked_header(header: bytes) -> bytes:
    """Return a message's header with the same id, written by somebody with a name and an address."""
    told = dict(line.split(": ", 1) for line in header.decode().splitlines())
    # Not of the team; and what one writes about the same is the same case.
    address = "ann.marked@example.net"
    who, subject = f"Ann Marked <{address}>", f"{PERSONAL} {told.get('Message-ID', '')}"
    told |= {"From": who, "Reply-To": who, "Cc": who, "Return-Path": f"<{address}>", "Subject": subject}
    return "".join(f"{name}: {text}\r\n" for name, text in told.items()).encode()


def altered_fields(header: bytes) -> Iterator[bytes]:
    """Yield a header as often as it has fields, one of them ALTERED each time."""
    fields = header.decode().splitlines()
    for place, line in enumerate(fields):
        changed = f"{line.partition(':')[0]}: {ALTERED}"
        yield "".join(f"{one}\r\n" for one in (*fields[:place], changed, *fields[place + 1 :])).encode()


def marked_cells(line: bytes) -> bytes:
    """Return a line of a queue_log with who calls, where it has that."""
    return line.replace(b"ENTERQUEUE||x|", b"ENTERQUEUE||%s|" % PERSONAL.encode())


def altered_cells(line: bytes) -> Iterator[bytes]:
    """Yield a line as often as it has cells, one of them ALTERED each time."""
    cells = line.split(b"|")
    for place in range(len(cells)):
        yield b"|".join([*cells[:place], ALTERED.encode(), *cells[place + 1 :]])


def _with_one_altered(content: object, place: int) -> object:
    places = count()
    return _each_leaf(content, lambda leaf: ALTERED if next(places) == place else leaf)


def _personal(content: dict[str, Any]) -> dict[str, Any]:
    is_text = {key: isinstance(value, str) for key, value in content.items()}
    found = {key: PERSONAL if is_text[key] and _plain(key) in _PERSONAL_KEYS else content[key] for key in content}
    # One that has no value of its own is a list by names or numbers, whose entries are all alike.
    is_record = any(not isinstance(value, dict | list) for value in content.values())
    return dict.fromkeys(_ADDED if is_record else (), PERSONAL) | found


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _inner(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:  # any JSON
    """Return a value with each object changed, also those that are packed in texts."""
    if isinstance(value, dict):
        return change({key: _inner(one, change) for key, one in value.items()})
    if isinstance(value, list):
        return [_inner(one, change) for one in value]
    packed = _repacked(value, lambda content: _inner(content, change)) if isinstance(value, str) else None
    return value if packed is None else packed


def _repacked(text: str, change: Callable[[Any], Any]) -> str | None:
    """Return a text that is JSON, perhaps in base64, with its content changed; None for any other."""
    for unpack, pack in ((str, str), (_from_base64, _to_base64)):
        try:
            content = json.loads(unpack(text))
        except ValueError:
            continue
        if isinstance(content, dict | list):
            return pack(json.dumps(change(content)))
    return None


def _from_base64(text: str) -> str:
    return b64decode(text, validate=True).decode()


def _to_base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _leaves(value: object) -> int:
    places = count()
    _each_leaf(value, lambda _: next(places))
    return next(places)


def _each_leaf(value: Any, change: Callable[[Any], Any]) -> Any:  # any JSON
    if isinstance(value, dict):
        return {key: _each_leaf(one, change) for key, one in value.items()}
    if isinstance(value, list):
        return [_each_leaf(one, change) for one in value]
    if isinstance(value, str):
        packed = _repacked(value, lambda content: _each_leaf(content, change))
        return change(value) if packed is None else packed
    return change(value)


def resigned(caller: Caller, body: bytes, changed: bytes) -> Received:
    """Return the request of *body* with another in its place, signed anew; what else its headers say stays."""
    request = caller.signed(changed)
    signed_anew = {name: value for name, value in request.headers.items() if _SIGNATURE.search(name)}
    return replace(request, headers={**request.headers, **caller.signed(body).headers, **signed_anew})
