"""The rules of `tests/house_rules.py`, and what `tests/hanging.py` tells, tried on small runs of pytest."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PLUGINS = ("house_rules", "hanging")


IN_BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""Runs a command as `nohup … &` does in a script: with SIGINT ignored."""


def run_pytest(folder: Path, test: str, *, ci: bool, by: Sequence[str] = ()) -> str:
    """Run *test* in a project that has nothing but the plugins of the house; *by* is a command that runs commands."""
    for plugin in PLUGINS:
        shutil.copy(Path(__file__).parents[1] / f"{plugin}.py", folder)
    (folder / "conftest.py").write_text(f"pytest_plugins = {PLUGINS!r}")
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (folder / "test_it.py").write_text(f"import asyncio, pytest, socket\n{test}\n")
    environment = {**os.environ, "CI": "true" if ci else ""}
    command = [*by, sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False).stdout


SKIPS = {
    "by mark": "@pytest.mark.skip(reason='no promtool')\ndef test_a(): ...",
    "inside": "def test_a(): pytest.skip('no promtool')",
    "by fixture": "@pytest.fixture\ndef tool(): pytest.skip('no promtool')\ndef test_a(tool): ...",
    "whole module": "pytest.skip('no promtool', allow_module_level=True)",
}


@pytest.mark.parametrize("test", SKIPS.values(), ids=SKIPS.keys())
def test_in_ci_a_skip_is_a_failure_that_names_its_reason(test: str, tmp_path: Path) -> None:
    said = run_pytest(tmp_path, test, ci=True)

    assert "In CI nothing may skip, and this did: no promtool" in said
    assert "1 skipped" not in said


def test_outside_ci_a_skip_is_a_skip(tmp_path: Path) -> None:
    assert "1 skipped" in run_pytest(tmp_path, SKIPS["inside"], ci=False)


def test_samples_that_the_project_does_not_ship_may_be_missing_in_ci(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, "def test_a(): pytest.skip('../shared is missing: no sample to read')", ci=True)

    assert "1 skipped" in said


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, "@pytest.mark.xfail(reason='known')\ndef test_a(): assert False", ci=True)

    assert "1 xfailed" in said


def test_a_connection_that_leaves_the_machine_is_refused(tmp_path: Path) -> None:
    # 192.0.2.0/24 is set aside for documentation: even without the rule nobody would answer.
    said = run_pytest(tmp_path, "def test_a(): socket.create_connection(('192.0.2.1', 9), timeout=0.1)", ci=False)

    assert "only loopback is allowed" in said


def test_a_test_that_hangs_says_what_each_task_waits_for(tmp_path: Path) -> None:
    hangs = "@pytest.mark.asyncio\n@pytest.mark.timeout(1)\nasync def test_a(): await asyncio.Event().wait()"
    said = run_pytest(tmp_path, hangs, ci=False)

    assert "Failed: Timeout" in said
    assert re.search(r"Task-\d+: test_a \(.+test_it.py:4\) > wait \(.+locks.py:\d+\)", said)


def test_programs_can_be_interrupted_also_where_the_tests_run_in_the_background(tmp_path: Path) -> None:
    program = "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(60)"
    run = f"subprocess.run([sys.executable, '-c', {program!r}], stderr=subprocess.DEVNULL, timeout=5)"
    test = f"import subprocess, sys\ndef test_a(): assert {run}.returncode == -2"

    assert "1 passed" in run_pytest(tmp_path, test, ci=False, by=IN_BACKGROUND)
