"""At which line of a TOML file each key stands, which the reader of the standard library does not tell."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

__all__ = ["KeyPath", "TomlLines"]

KeyPath = tuple[str | int, ...]
"""Keys and places in lists, from the top of the file: `("rules", 2, "data", "queue")`."""


class TomlLines:
    """Knows the line, from 1, of every table and key of a text that is TOML."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        self._tables: Counter[KeyPath] = Counter()
        table: KeyPath = ()
        for line, statement, told in _statements(text):
            if statement.lstrip().startswith("["):
                table = self._numbered(next(_paths(told), ()))
                self._lines.setdefault(table, line)
            else:
                self._lines |= {(*table, *path): line for path in _paths(told)}

    def of(self, path: KeyPath) -> int:
        """Return the line of a key; of one that is not there, that of the table that it belongs to."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _numbered(self, header: KeyPath) -> KeyPath:
        """Return the path of a header, with the place of each list on it; 0 stands for a new table of a list."""
        path: KeyPath = ()
        for key, following in pairwise((*header, None)):
            assert key is not None
            if key == 0:
                path = (*path, self._tables[path])
                self._tables[path[:-1]] += 1
            else:
                path = (*path, key)
                # `[rules.data]` is about the latest of `[[rules]]`.
                if following and path in self._tables:
                    path = (*path, self._tables[path] - 1)
        return path


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield each statement with the line where it begins: the fewest lines from there that are TOML by themselves."""
    begin, statement = 1, ""
    for number, line in enumerate(text.split("\n"), start=1):
        statement += line + "\n"
        try:
            told = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue  # it goes on in the next line
        if told:
            yield begin, statement, told
        begin, statement = number + 1, ""


def _paths(told: object) -> Iterator[KeyPath]:
    """Yield where a statement leads: the path of the header, or of each key, deepest first."""
    match told:
        case dict() if told:
            for key, value in told.items():
                yield from ((key, *path) for path in _paths(value))
                yield (key,)
        case [dict()]:
            yield (0,)
        case _:
            return
