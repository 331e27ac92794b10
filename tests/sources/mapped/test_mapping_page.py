"""The page about mappings: its five steps are walked as they stand there."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.cli import group
from stream.gateway.webhook_file import webhooks_of
from stream.sources.mapped.expressions import FUNCTIONS
from stream.sources.mapped.mapping_file import read_mapping
from stream.sources.mapped.terms import TermTable
from stream.sources.mapped.topic import read_topic_file

PAGE = (Path(__file__).parents[3] / "docs" / "sources" / "mapping.md").read_text(encoding="utf-8")
MAPPING, BY_KEY, BY_PASSWORD, BY_PARAMETER, BY_SIGNATURE, WEBHOOKS, TOPIC = re.findall(
    r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL
)
(SAMPLE,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^contact-stream (.*)$", PAGE, re.MULTILINE)


def files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "calls.jsonl").write_text(SAMPLE)
    (folder / "calls.toml").write_text(MAPPING)
    (folder / "calls.key").write_text("secret")
    (folder / "kafka.password").write_text("secret")
    monkeypatch.chdir(folder)


def test_the_sample_and_the_mapping_of_the_page_give_the_first_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path, monkeypatch)
    test, replay, _ = COMMANDS

    told = CliRunner().invoke(group, test.split())
    board = CliRunner().invoke(group, [*replay.split(), "--json"])

    assert [json.loads(line)["type"] for line in told.stdout.splitlines()] == [
        "contact.enqueued",
        "contact.answered",
        "contact.ended",
    ]
    assert "calls.jsonl:4: record 1: left out as keepalives by calls.toml:22" in told.stderr
    (row,) = json.loads(board.stdout)["queues"]
    assert (row["queue"], row["answered"], row["asa_seconds"], row["aht_seconds"]) == ("sales", 1, 12.0, 95.0)


def test_the_other_files_of_the_page_are_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, monkeypatch)
    for verify in (BY_KEY, BY_PASSWORD, BY_PARAMETER, BY_SIGNATURE):
        (tmp_path / "calls.toml").write_text(MAPPING + verify)
        (tmp_path / "webhooks.toml").write_text(WEBHOOKS)
        assert webhooks_of(tmp_path / "webhooks.toml").keys() == {"our-pbx"}
        assert read_mapping(tmp_path / "calls.toml").verify
    (tmp_path / "topic.toml").write_text(TOPIC)

    mapping, foreign = read_topic_file(tmp_path / "topic.toml")

    assert (mapping.mapping.source, mapping.mapping.tenant, foreign.topics) == ("/berlin", "acme", ("calls",))


def test_the_page_names_every_key_and_function() -> None:
    keys = {*TermTable.__struct_fields__, *FUNCTIONS}

    assert {name for name in keys if f"`{name}`" not in PAGE and f"`{name}(" not in PAGE} == set()
