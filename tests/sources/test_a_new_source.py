"""A source is a folder and a line: what a line more in the registry gives without anything else."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def with_new_sources(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the product whose registry has two lines more."""
    command = [sys.executable, "-m", "tests.sources.with_new_sources", *arguments]
    return subprocess.run(command, capture_output=True, cwd=ROOT, text=True, timeout=100, check=False)


def test_it_is_among_the_commands_with_its_own_words() -> None:
    listed, told = with_new_sources("source", "--help"), with_new_sources("source", "pager", "--help")

    assert "pager" in listed.stdout
    assert "Asks a pager for its calls." in told.stdout
    assert all(word in told.stdout for word in ("CALLS", "--site", "Where the pager stands.", "--dry-run", "--state"))


def test_a_dry_run_prints_its_events_and_says_what_was_of_no_use() -> None:
    run = with_new_sources("source", "pager", "--dry-run", "ann,?,bob")

    assert run.returncode == 0, run.stderr
    assert [json.loads(line)["subject"] for line in run.stdout.splitlines()] == ["ann", "bob"]
    assert "bad_call" in run.stderr
    assert not (ROOT / "pager.position").exists()


def test_what_only_takes_webhooks_has_no_command_that_could_not_work() -> None:
    listed, run = with_new_sources("source", "--help"), with_new_sources("source", "desk")

    assert "desk" not in listed.stdout
    assert "No such command 'desk'" in run.stderr
