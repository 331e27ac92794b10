"""A source is a folder and a line: what a line more in the registry gives without anything else."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def with_new_sources(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the product whose registry has three lines more."""
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

    assert not re.search(r"^ +desk\b", listed.stdout, re.MULTILINE)
    assert "desk takes webhooks, which `contact-stream gateway --webhooks` serves" in run.stderr


def test_produce_and_replay_have_the_options_of_whatever_reads_files() -> None:
    told = [with_new_sources(command, "--help").stdout for command in ("produce", "replay")]

    for page in told:
        words = " ".join(page.split())
        assert "--counter TEXT Where the people stood. For ledger." in words
        # Nearly every source has a tenant; that of the ledger, which is not in the tree, is among them.
        assert re.search(r"For [a-z, -]*asterisk-queue-log, [a-z, -]*ledger[a-z, -]*\.", words)
        assert "--site" not in words


def test_replay_reads_it_with_its_own_defaults_and_with_what_is_given(tmp_path: Path) -> None:
    (tmp_path / "names").write_text("ann bob", encoding="utf-8")
    ask = ("replay", str(tmp_path / "names"), "--source", "ledger", "--json", "--at", "2026-03-02T09:00:00Z")

    plain, chosen = (json.loads(with_new_sources(*ask, *more).stdout) for more in ((), ("--counter", "back")))

    assert [(row["tenant"], row["queue"], row["open_cases"]) for row in plain["queues"]] == [("nobody", "front", 2)]
    assert [row["queue"] for row in chosen["queues"]] == ["back"]


def test_a_flag_of_another_source_is_not_taken_for_given(tmp_path: Path) -> None:
    (tmp_path / "day.jsonl").touch()

    assert "says nothing" not in with_new_sources("replay", str(tmp_path / "day.jsonl")).stderr
    assert "--early says nothing to jsonl" in with_new_sources("replay", str(tmp_path / "day.jsonl"), "--early").stderr
