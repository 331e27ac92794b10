"""`contact-stream doctor` where there is nothing to look at: it says what was not looked at, and what to do."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from stream.cli.doctor import doctor as command
from tests.connect.commands import ENVIRONMENT

pytestmark = pytest.mark.slow

NOBODY = "127.0.0.1:1"


def doctor(*flags: str) -> "subprocess.CompletedProcess[str]":
    command = (sys.executable, "-m", "stream", "doctor", "--worker", f"http://{NOBODY}", *flags)
    return subprocess.run(command, env=ENVIRONMENT, check=False, timeout=60, capture_output=True, text=True)


def test_without_a_broker_it_says_that_none_was_looked_at() -> None:
    ended = doctor("--json")
    found = {finding["about"]: finding for finding in json.loads(ended.stdout)}

    assert ended.returncode == 1
    assert (found["broker"]["verdict"], found["worker"]["verdict"]) == ("look", "bad")
    assert "CONTACT_STREAM_BROKER" in found["broker"]["advice"]


def test_a_broker_that_is_away_is_a_finding_and_no_line_of_its_client() -> None:
    ended = doctor("--broker", NOBODY, "--gateway", f"http://{NOBODY}", "--prometheus", f"http://{NOBODY}")

    assert ended.returncode == 1
    assert ended.stderr == ""
    bad = [line.split()[1] for line in ended.stdout.splitlines() if line.startswith("bad")]
    assert bad == ["gateway:", "broker:", "worker:", "Prometheus:"]
    assert "http://host:port" in ended.stdout


@pytest.mark.parametrize("flag", ["--worker", "--gateway", "--source", "--prometheus"])
@pytest.mark.parametrize("address", ["http://ann:hunter2@127.0.0.1:1", "ftp://hunter2", "hunter2", "http://[hunter2"])
def test_an_address_with_a_login_or_that_is_none_is_refused_and_not_repeated(flag: str, address: str) -> None:
    refused = CliRunner().invoke(command, [flag, address])

    assert refused.exit_code == 2
    assert "without a login" in refused.output
    assert "hunter2" not in refused.output
