"""The text of a file of webhooks, and that text with one table more: whatever else a person wrote there stays."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stream.errors import SettingsError
from stream.sources.toml_text import toml_table

__all__ = ["tables_in", "with_webhook"]

_HEAD: Final = re.compile(r"\s*\[[^\[\]]+\]\s*(?:#.*)?")


def tables_in(text: str, root: str = "webhooks") -> dict[str, dict[str, Any]]:
    """Return the tables below *root*, by name; raises SettingsError for what is no file of webhooks."""
    webhooks = _parsed(text, "it is no TOML: mend it first").get(root, {})
    if not isinstance(webhooks, dict) or not all(isinstance(table, dict) for table in webhooks.values()):
        raise SettingsError(f"{root} holds something else than tables: mend it first")
    return webhooks


def with_webhook(
    text: str, name: str, table: Mapping[str, object], *, replace: bool = False, root: str = "webhooks"
) -> str:
    """
    Return *text* with the table of the webhook *name*; it is the same text where that says so already.

    Raises SettingsError where the name says something else and may not be replaced, or the text cannot be extended.
    """
    before = _parsed(text, "it is no TOML: mend it first")
    webhooks = tables_in(text, root)
    added = toml_table((root, name), table)
    if webhooks.get(name) == table:
        return text
    if name in webhooks and not replace:
        raise SettingsError(f"{root}.{name} is there and says something else: take another --name, or --replace it")
    after = "".join(_replaced(text, [root, name], added)) if name in webhooks else _appended(text, added)
    by_hand = f"it is written in a way that only its author can change: put there by hand\n{added}"
    # Whatever the text looked like, this is what the next reader sees.
    if _parsed(after, by_hand) != before | {root: webhooks | {name: dict(table)}}:
        raise SettingsError(by_hand)
    return after


def _parsed(text: str, otherwise: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise SettingsError(otherwise) from None


def _appended(text: str, added: str) -> str:
    if not text.strip():
        return text + added
    return f"{text.rstrip()}\n\n{added}"


def _replaced(text: str, path: list[str], added: str) -> Iterator[str]:
    """Yield the text with *added* in place of the table and those below it; comments of whole lines stay."""
    waiting: str | None = added
    in_table = False
    for line in text.splitlines(keepends=True):
        if _HEAD.fullmatch(line.rstrip("\r\n")):
            in_table = _path_of(line)[:2] == path
            if in_table and waiting is not None:
                yield waiting
                waiting = None
        if not in_table or not line.strip() or line.lstrip().startswith("#"):
            yield line


def _path_of(head: str) -> list[str]:
    path: list[str] = []
    try:
        found: Any = tomllib.loads(head)
    except tomllib.TOMLDecodeError:
        return path  # it looks like the head of a table, within a longer text
    while found:
        [(key, found)] = found.items()
        path.append(key)
    return path
