"""
The words of boards and dashboards in five languages, a TOML file each: the general ones here, and each family's own.

Knows no figure and no screen, and of families only that their folders may have words.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, get_args

__all__ = ["LANGUAGES", "Language", "name_of", "panel_words", "words"]

Language = Literal["en", "sl", "hr", "ro", "et"]

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
"""English first: who asks for another one gets it."""


@cache
def _read(language: Language) -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def name_of(language: Language) -> str:
    """Return what the language calls itself: `slovenščina`."""
    return str(_read(language)["name"])


@cache
def words(language: Language) -> Mapping[str, Mapping[str, str]]:
    """
    Return the words by section and key: `words("sl")["figures"]["asa"]`.

    All languages have the same sections, keys and `{blanks}`; a test holds them to it.
    """
    found = {section: dict(entries) for section, entries in _read(language).items() if isinstance(entries, dict)}
    for family in sorted(resources.files("stream.families").iterdir(), key=lambda folder: folder.name):
        file = family.joinpath("words").joinpath(f"{language}.toml")
        if file.is_file():
            # Words in no section are a panel's own (`Family.words`).
            for section, entries in tomllib.loads(file.read_text(encoding="utf-8")).items():
                if isinstance(entries, dict):
                    found.setdefault(section, {}).update(entries)
    return found


@cache
def panel_words(package: str, language: Language) -> Mapping[str, str]:
    """Return the words that a family has for its own panel: those of its folder `words` that stand in no section."""
    file = resources.files(package).joinpath("words").joinpath(f"{language}.toml")
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return {**told.pop("figures", {}), **told}
