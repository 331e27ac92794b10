"""What the page says can be done: its files are read as they stand there, and its table has every setting."""

import re
from pathlib import Path
from typing import Final

import pytest

from stream.sources.imap_mailbox.mailbox_file import MailboxSettings, mailbox_of

PAGE: Final = (Path(__file__).parents[3] / "docs/sources/imap.md").read_text(encoding="utf-8")
FILES: Final = re.findall(r"```toml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_shows_a_file_with_a_password_and_those_with_a_token() -> None:
    assert [name for name, _ in FILES] == ["mailbox.toml", "google.toml", "microsoft.toml"]


@pytest.mark.parametrize(("name", "text"), FILES, ids=[name for name, _ in FILES])
def test_a_file_of_the_page_is_one(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)

    told = mailbox_of(tmp_path / name)

    assert (told.queue, told.team, told.key_file) == ("support", ("example.org",), tmp_path / "ids.key")
    assert (told.oauth is not None) == (name != "mailbox.toml")


@pytest.mark.parametrize("name", MailboxSettings.__struct_fields__)
def test_every_setting_is_on_the_page(name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE)


@pytest.mark.parametrize(
    "name", [*("read_back_days", "poll_seconds", "await_sent_seconds", "subject_days", "remembered_messages")]
)
def test_a_default_of_the_page_is_the_one_that_is_used(name: str) -> None:
    (shown,) = re.findall(rf"\| `{name}` \| (\d+) \|", PAGE)

    (default,) = [each for each in _defaults() if each[0] == name]
    assert float(shown) == default[1]


def _defaults() -> list[tuple[str, object]]:
    fields, defaults = MailboxSettings.__struct_fields__, MailboxSettings.__struct_defaults__
    return list(zip(fields[-len(defaults) :], defaults, strict=True))
