"""The documents keep their word: links lead somewhere, settings are documented, words are ours."""

import re
from pathlib import Path

import click
import msgspec
import pytest

from stream.cli import group
from stream.security.kafka_security import KafkaSecurity
from stream.settings import PREFIX, Settings
from tests.house.tree import ROOT, modules_of, name_of

TOP = [
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "schemas/README.md", "grafana/README.md", "examples/README.md",
]  # fmt: skip
PAGES = [*(ROOT / name for name in TOP), *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
COMMAND = re.compile(r"contact-stream ([a-z][a-z-]+)((?: [^`|\n]*)?)")
OPTION = re.compile(r"--[a-z][a-z-]*")

HOME = re.compile(r"(?<![\w.~:/])/(?:home|root|Users|mnt|srv|work)/\w")
"""A path of one machine, which means nothing on another."""


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = [target for target, _ in LINK.findall(page.read_text()) if "://" not in target]

    assert [target for target in targets if not (page.parent / target).exists()] == []


NAMES = [
    field.name
    for kind in (Settings, KafkaSecurity)
    for field in msgspec.structs.fields(kind)
    if field.type is not KafkaSecurity
]


@pytest.mark.parametrize("field", NAMES)
def test_every_setting_is_documented(field: str) -> None:
    assert f"| `{PREFIX}{field.upper()}` |" in (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    in_code = "\n".join([*re.findall(r"`[^`\n]+`", text), *re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)])
    for command, rest in COMMAND.findall(in_code):
        assert set(OPTION.findall(rest)) <= options_of(group.commands[command])


def options_of(command: click.Command) -> set[str]:
    below = command.commands.values() if isinstance(command, click.Group) else []
    own = {name for parameter in command.params for name in parameter.opts}
    return {"--help", *own}.union(*map(options_of, below))


@pytest.mark.parametrize("decision", DECISIONS, ids=name_of)
def test_a_decision_is_listed_and_says_what_follows(decision: Path) -> None:
    title = decision.read_text().splitlines()[0].removeprefix(f"# {decision.stem[:4]}: ")

    assert f"[{decision.stem[:4]}]({decision.name}) | {title} |" in (decision.parent / "README.md").read_text()
    assert re.search(r"^## (What follows|What it does not promise)$", decision.read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", [*PAGES, *modules_of("stream", "scripts", "bench")], ids=name_of)
def test_no_path_of_one_machine_is_written_down(path: Path) -> None:
    assert HOME.findall(path.read_text()) == []


def test_the_glossary_explains_a_word_once() -> None:
    words = re.findall(r"^\| \*\*([^*]+)\*\*", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)

    assert len(words) == len(set(words)) > 30
