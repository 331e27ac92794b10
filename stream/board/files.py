"""What the page of the live board is made of: its files, and its words in each language."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from stream.core.family import Family
from stream.languages.words import LANGUAGES, Language, name_of, panel_words, words

__all__ = ["files_of"]

# Not by `mimetypes`, which also reads tables of the machine: a browser runs no module that is called something else.
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def files_of(families: Sequence[Family[Any]]) -> Mapping[str, tuple[str, bytes]]:
    """Return content type and body of each file by its name; to be read once."""
    static = {
        path.name: (_TYPES[path.suffix], path.read_bytes()) for path in (Path(__file__).parent / "static").iterdir()
    }
    return {**static, "words.json": ("application/json", _words(families))}


def _words(families: Sequence[Family[Any]]) -> bytes:
    """Return the names of the languages, and what the board says in each; a family's own words begin with its name."""
    told = {
        one: {
            "name": name_of(one),
            **words(one)["figures"],
            **words(one)["board"],
            # The words of our own families are in the two lines above; a family from elsewhere brings its folder,
            # and must not change what others are called.
            **{f"{family.name}.{key}": word for family in families for key, word in _own_words(family, one).items()},
        }
        for one in LANGUAGES
    }
    return msgspec.json.encode(told)


def _own_words(family: Family[Any], language: Language) -> Mapping[str, str]:
    return panel_words(family.words, language) if family.words else {}
