"""`contact-stream mapping`: what a mapping makes of a sample, record by record, and where it fails."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream.cli import group
from stream.errors import SettingsError, SourceError
from tests.sources.mapped.examples import EXAMPLES, HOME_MADE, SAMPLES


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["mapping", *map(str, arguments)])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_and_its_sample_go_together(name: str) -> None:
    result = run("test", EXAMPLES[name], SAMPLES[name])

    assert result.exit_code == 0
    assert all(json.loads(line)["specversion"] == "1.0" for line in result.stdout.splitlines())
    assert "no rule" not in result.stderr


def test_of_each_record_the_rules_are_told_that_matched_or_why_it_is_of_no_use(tmp_path: Path) -> None:
    sample = tmp_path / "posts.jsonl"
    sample.write_text(
        '{"events": [{"kind": "ping"}, {"kind": "party"}]}\n'
        '{"events": [{"no": 1, "kind": "queued", "call": 1, "line": "a", "at": "2026-03-02T09:00:00Z"}]}\n'
        '{"events": [{"no": 2, "kind": "queued", "call": 2, "line": "a", "at": "later"}]}\n'
        "nothing\n"
    )

    result = run("test", HOME_MADE, sample)

    assert result.exit_code == 1
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["1/contact.enqueued"]
    assert result.stderr.splitlines() == [
        f"{sample}:1: record 1: left out as pings by {HOME_MADE}:59",
        f"{sample}:1: record 2: no rule matches; if it is of no use, write a rule with ignore for it",
        f"{sample}:2: record 1: contact.enqueued by {HOME_MADE}:21",
        f"{sample}:3: record 1: {HOME_MADE}:14: time: the time is no ISO 8601; say its format",
        f"{sample}:4: not JSON",
    ]
    assert isinstance(result.exception, SourceError)
    assert str(result.exception) == f"{sample}: 2 faults"


@pytest.mark.parametrize("text", ["", '{"events": []}'])
def test_a_sample_without_a_record_proves_nothing(tmp_path: Path, text: str) -> None:
    sample = tmp_path / "posts.jsonl"
    sample.write_text(text)

    assert str(run("test", HOME_MADE, sample).exception) == f"{sample}: there is no record in it"


def test_a_mapping_is_checked_without_a_sample(tmp_path: Path) -> None:
    assert run("check", HOME_MADE).stdout == f"{HOME_MADE}: 8 rules\n"
    (tmp_path / "wrong.toml").write_text('source = "/x"\n[[rules]]\nevent = "contact.gone"\n')

    result = run("check", tmp_path / "wrong.toml")

    assert isinstance(result.exception, SettingsError)
    assert f"{tmp_path / 'wrong.toml'}:3: event: there is no such event" in str(result.exception)
