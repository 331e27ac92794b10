"""`contact-stream source NAME`: the options of each source, a dry run, and following until somebody stops it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream.cli import group
from stream.cli.sources import source
from stream.errors import SettingsError
from stream.sources.registry import SOURCES

ROOT = Path(__file__).parents[2]
CALL = "1761300000|c1|q1|NONE|ENTERQUEUE||05550000001|1\n1761300009|c1|q1|NONE|ABANDON|1|1|9\n"


def contact_stream(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(group, arguments, input=stdin)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "queue_log"
    path.write_text(CALL)
    return path


WITH_A_COMMAND = [name for name, source in SOURCES.items() if source.read or source.pull]
"""What is nothing but a webhook the gateway serves."""


def test_the_help_lists_every_source_with_a_sentence() -> None:
    said = " ".join(contact_stream("source", "--help").output.split())

    assert {name for name in SOURCES if f" {name} " in said} == set(WITH_A_COMMAND)


@pytest.mark.parametrize("name", WITH_A_COMMAND)
def test_the_help_of_a_source_has_its_own_options_and_those_of_all(name: str) -> None:
    said = contact_stream("source", name, "--help").output

    assert SOURCES[name].about.split()[0] in said
    assert "--dry-run" in said
    assert ("--state" in said) == (SOURCES[name].pull is not None)
    # What reads no files can only be followed, and needs no option that says so.
    assert ("--follow" in said) == (SOURCES[name].pull is not None and SOURCES[name].read is not None)
    for field in SOURCES[name].options.__struct_fields__:
        assert f"--{field.replace('_', '-')}" in said or field.upper() in said


def test_a_dry_run_prints_events_as_json_lines_and_sends_nothing(log: Path) -> None:
    run = contact_stream(
        "source", "asterisk-queue-log", str(log), "--dry-run", "--tenant", "acme", "--source-name", "/a"
    )

    events = [json.loads(line) for line in run.stdout.splitlines()]
    assert [(event["type"], event["tenantid"], event["source"]) for event in events] == [
        ("contact.enqueued", "acme", "/a"),
        ("contact.abandoned", "acme", "/a"),
    ]
    assert "2 events were printed" in run.stderr
    assert "05550000001" not in run.output


def test_what_a_dry_run_prints_is_a_recorded_day(log: Path) -> None:
    printed = contact_stream("source", "asterisk-queue-log", str(log), "--dry-run").stdout

    again = contact_stream("source", "jsonl", "-", "--dry-run", stdin=printed).stdout

    assert again == printed


def test_verbs_of_no_use_are_counted_by_name(log: Path) -> None:
    log.write_text(CALL + "1761300010|NONE|q1|m|PENALTY|3\n1761300010|NONE|q1|m|NEWVERB|3\n")

    said = contact_stream("source", "asterisk-queue-log", str(log), "--dry-run").stderr

    assert "1 lines were left out on purpose: 1 PENALTY" in said
    assert "1 lines were set aside: 1 unknown_verb" in said
    assert "not known: 1 NEWVERB" in said


def test_an_option_that_says_nothing_to_a_source_is_said_to_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "day.jsonl").touch()

    run = contact_stream("replay", str(tmp_path / "day.jsonl"), "--tenant", "acme")

    assert "--tenant says nothing to jsonl" in run.stderr
    assert run.exit_code == 0


def test_a_tenant_that_no_event_could_have_is_refused_before_anything_is_read(log: Path) -> None:
    run = contact_stream("source", "asterisk-queue-log", str(log), "--dry-run", "--tenant", "")

    assert run.stdout == ""
    assert isinstance(run.exception, SettingsError)
    assert "asterisk-queue-log: Expected `str` of length >= 1 - at `$.tenant`" in str(run.exception)


def test_no_option_of_a_source_hides_one_that_a_command_has() -> None:
    commands = [*group.commands.values(), *source.commands.values()]
    names = {command.name: [name for one in command.params for name in one.opts] for command in commands}

    assert {name: options for name, options in names.items() if len(options) != len({*options})} == {}


def test_the_help_of_a_source_says_what_its_argument_is() -> None:
    said = " ".join(contact_stream("source", "mapped-topic", "--help").output.split())

    assert "FILE: A TOML file" in said


@pytest.mark.parametrize("name", sorted(SOURCES.keys() - WITH_A_COMMAND))
def test_a_source_that_takes_webhooks_is_found_at_the_gateway(name: str) -> None:
    refused = contact_stream("source", name, "--dry-run")

    assert refused.exit_code == 2
    assert f"{name} takes webhooks" in refused.output
    assert "contact-stream gateway --webhooks" in refused.output


@pytest.mark.parametrize("words", [[], ["source"], ["mapping"]], ids=str)
def test_no_help_is_cut_off(words: list[str]) -> None:
    assert "..." not in contact_stream(*words, "--help").output.replace("[ARGS]...", "")


def test_a_source_that_cannot_be_followed_says_which_can(log: Path) -> None:
    run = contact_stream("produce", str(log), "--follow", "--broker", "127.0.0.1:1")

    assert isinstance(run.exception, SettingsError)
    assert "asterisk-queue-log" in str(run.exception)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_dry_run_follows_a_log_until_it_is_stopped_and_leaves_no_position(log: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "stream", "source", "asterisk-queue-log", str(log), "--dry-run", "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as run:
        assert run.stdout is not None
        first = [run.stdout.readline(), run.stdout.readline()]
        with log.open("a") as lines:
            lines.write("1761300100|c2|q1|NONE|ENTERQUEUE||x|1\n1761300100|NONE|NONE|NONE|CONFIGRELOAD|\n")
        then = run.stdout.readline()
        run.send_signal(stop)
        _, said = run.communicate(timeout=60)

    assert [json.loads(line)["type"] for line in (*first, then)] == [
        *("contact.enqueued", "contact.abandoned", "contact.enqueued")
    ]
    assert run.returncode == 0
    assert b"1 CONFIGRELOAD" in said
    assert b"Traceback" not in said
    assert list(log.parent.iterdir()) == [log]
