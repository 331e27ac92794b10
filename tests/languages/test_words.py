import re
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import pytest

import stream.board
from stream.board.view import shows_of
from stream.core.cloudevents import Channel
from stream.core.family import Family
from stream.families.agents.snapshot import STATES
from stream.families.contacts.payloads import BlockReason, DequeueReason
from stream.families.registry import FAMILIES
from stream.languages.words import LANGUAGES, Language, name_of, panel_words, words
from stream.status.feed import RecoveryState

BOARD = Path(stream.board.__file__).parent


def blanks(section: Mapping[str, str]) -> dict[str, list[str]]:
    return {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in section.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_and_blanks(language: Language) -> None:
    english, other = words("en"), words(language)

    assert list(other) == list(english)
    assert {name: blanks(section) for name, section in other.items()} == {
        name: blanks(section) for name, section in english.items()
    }
    assert all(text.strip() == text != "" for section in other.values() for text in section.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_panel_are_the_same_in_every_language(language: Language) -> None:
    for package in filter(None, (family.words for family in FAMILIES)):
        english, other = panel_words(package, "en"), panel_words(package, language)

        assert list(other) == list(english)
        assert blanks(other) == blanks(english)
        assert all(text.strip() == text != "" for text in other.values())


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_word_of_a_family_is_used(family: Family[Any]) -> None:
    shows = shows_of(family).values()
    used = {"title", *family.sections, *(note.word for show in shows for note in show.notes)}
    used |= {"everybody", *family.labels, *(f"called_{label}" for label in family.labels)}
    for show in shows:
        word = show.word or show.name
        parts = show.parts.names if show.parts else ()
        used |= {word, f"short_{word}", f"{word}_any", *(f"{word}_{part}" for part in parts)}

    assert not family.words or panel_words(family.words, "en").keys() <= used


@pytest.mark.parametrize("family", [one for one in FAMILIES if one.words], ids=lambda family: family.name)
def test_every_figure_of_a_panel_and_every_section_has_a_word(family: Family[Any]) -> None:
    assert family.sections
    known = {*panel_words(family.words, "en"), *words("en")["board"], *words("en")["figures"]}
    wanted = {"title", *filter(None, family.sections)}
    for show in shows_of(family).values():
        word = show.word or show.name
        if show.name not in {*family.columns, *family.now, *(name for of in family.sections.values() for name in of)}:
            continue
        if show.parts is None:
            wanted.add(word)
        elif show.parts.names and f"{word}_any" not in known:
            wanted |= {f"{word}_{part}" for part in show.parts.names}
        else:
            wanted.add(f"{word}_any")

    assert wanted - known == set()


def test_languages_call_themselves_by_their_own_name() -> None:
    assert [name_of(one) for one in LANGUAGES] == ["English", "slovenščina", "hrvatski", "română", "eesti"]


def test_no_figure_is_called_like_something_else_on_the_board() -> None:
    assert set(words("en")["figures"]) & set(words("en")["board"]) == set()


def test_what_the_domain_may_tell_has_a_word() -> None:
    told = {
        *STATES,
        *(f"channel_{one}" for one in get_args(Channel)),
        *(f"exit_{one}" for one in get_args(DequeueReason)),
        *(f"blocked_{one}" for one in get_args(BlockReason) if one != "closed"),
    }

    assert told <= set(words("en")["board"])


def test_every_notice_has_a_sentence() -> None:
    codes = set(chain.from_iterable(re.findall(r'code="(\w+)"', path.read_text()) for path in BOARD.glob("*.py")))
    codes |= set(get_args(RecoveryState)) - {"ready"}

    assert {f"notice_{code}" for code in codes - {"connection"}} <= set(words("en")["board"])


def test_the_sentence_of_each_note_has_just_the_blanks_that_are_filled() -> None:
    for family in FAMILIES:
        own = panel_words(family.words, "en") if family.words else {}
        sentences = blanks({**words("en")["board"], **own})
        for note in chain.from_iterable(show.notes for show in shows_of(family).values()):
            assert sentences[note.word] == sorted(f"{{{field}}}" for field in note.blanks)


def test_every_word_of_the_board_is_used() -> None:
    page = "".join(path.read_text() for path in (BOARD / "static").iterdir())
    for family in FAMILIES:
        beside = family.beside.shows if family.beside else ()
        shows = (*shows_of(family).values(), *beside)
        notes = (note.word for show in shows for note in show.notes)
        page += " ".join(("", *family.sections, *(show.word or show.name for show in shows), *notes))
    composed = (
        *("channel_", "exit_", "blocked_", "formula_", "answered_wait_", "short_"),
        *("notice_", "state_", "window_", "theme_", "view_", "panel_"),
        *(f"{show.word or show.name}_" for family in FAMILIES for show in shows_of(family).values() if show.parts),
    )

    unused = {
        key for key in words("en")["board"] if not key.startswith(composed) and not re.search(rf"\b{key}\b", page)
    }
    assert unused == set()
