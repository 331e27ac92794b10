"""The words of boards and dashboards in five languages, one TOML file each. Knows no figure and no screen."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, get_args

__all__ = ["LANGUAGES", "Language", "name_of", "words"]

Language = Literal["en", "sl", "hr", "ro", "et"]

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
"""English first: who asks for another one gets it."""


@cache
def _read(language: Language) -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def name_of(language: Language) -> str:
    """Return what the language calls itself: `slovenščina`."""
    return str(_read(language)["name"])


def words(language: Language) -> Mapping[str, Mapping[str, str]]:
    """
    Return the words by section and key: `words("sl")["figures"]["asa"]`.

    All languages have the same sections, keys and `{blanks}`; a test holds them to it.
    """
    return {section: entries for section, entries in _read(language).items() if isinstance(entries, dict)}
