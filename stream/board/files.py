"""What the page of the live board is made of: its files, and its words in each language. Read once, at import."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from stream.languages.words import LANGUAGES, name_of, words

__all__ = ["FILES"]

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def _words() -> bytes:
    """Return the names of the languages, and what the board says in each."""
    told = {one: {"name": name_of(one), **words(one)["figures"], **words(one)["board"]} for one in LANGUAGES}
    return msgspec.json.encode(told)


FILES: Final[Mapping[str, tuple[str, bytes]]] = {
    **{path.name: (_TYPES[path.suffix], path.read_bytes()) for path in (Path(__file__).parent / "static").iterdir()},
    "words.json": ("application/json", _words()),
}
"""Content type and body by name."""
