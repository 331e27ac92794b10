"""Who is told of what: the configuration of the Alertmanager, by its own tools and by itself."""

import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml

from scripts.alerts.files import ALERTS
from tests.alerting import CONFIGURATION, Webhook, alertmanager, at_once, webhook
from tests.monitoring import program

ALERTS_BY_NAME = {alert.name: alert for alert in ALERTS}
QUEUE = {"tenant": "acme", "queue": "support", "channel": "voice"}


def amtool(*arguments: str | Path) -> str:
    """Return what amtool says; fails if it does."""
    done = subprocess.run([program("amtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def labels_of(name: str) -> dict[str, str]:
    alert = ALERTS_BY_NAME[name]
    about = QUEUE if alert.concerns == "queue" else {"topic": "contacts", "partition": "3"}
    return {"alertname": name, "severity": alert.severity, "concerns": alert.concerns, **about}


def test_amtool_has_nothing_to_say() -> None:
    assert "SUCCESS" in amtool("check-config", CONFIGURATION)


@pytest.mark.parametrize(
    ("name", "receiver"),
    [
        ("ContactLongestWait", "supervisors"),
        ("ContactServiceLevelOfTheDay", "supervisors"),
        ("ContactServiceLevelCollapsed", "supervisors-at-once"),
        ("ContactNobodyAvailable", "supervisors-at-once"),
        ("ContactFeedStale", "operations"),
        ("ContactDeadLetters", "operations"),
        ("ContactWatchdog", "watchdog"),
    ],
)
def test_an_alert_goes_to_whom_it_concerns(name: str, receiver: str) -> None:
    pairs = [f"{label}={value}" for label, value in labels_of(name).items()]

    assert amtool("config", "routes", "test", f"--config.file={CONFIGURATION}", *pairs) == receiver


def test_a_team_can_have_a_receiver_of_its_own(tmp_path: Path) -> None:
    runbook = (CONFIGURATION.parents[2] / "docs" / "runbook.md").read_text()
    found = re.search(r"```yaml\n(.*?)```", runbook, re.DOTALL)
    assert found
    config = yaml.safe_load(CONFIGURATION.read_text())
    shown = yaml.safe_load(found[1])
    [of_queues] = [route for route in config["route"]["routes"] if route["receiver"] == "supervisors"]
    of_queues["routes"] = shown["routes"] + of_queues["routes"]
    config["receivers"] += shown["receivers"]
    (mine := tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))

    for team, receiver in {"claims": "claims", "sales": "supervisors"}.items():
        pairs = [f"{label}={value}" for label, value in labels_of("ContactLongestWait").items()]
        assert amtool("config", "routes", "test", f"--config.file={mine}", *pairs, f"team={team}") == receiver


def test_what_inhibits_and_is_inhibited_exists() -> None:
    rules = yaml.safe_load(CONFIGURATION.read_text())["inhibit_rules"]
    matchers = [one for rule in rules for side in ("source_matchers", "target_matchers") for one in rule[side]]
    patterns = [found[1] for one in matchers if (found := re.search(r'alertname =~? *"(.*)"', one, re.DOTALL))]

    for pattern in (part for whole in patterns for part in _parts(whole)):
        assert any(re.fullmatch(pattern, name) for name in ALERTS_BY_NAME), pattern


def _parts(pattern: str) -> list[str]:
    return [pattern] if "(" in pattern else pattern.split("|")


def test_no_secret_stands_in_the_configuration() -> None:
    text = CONFIGURATION.read_text()

    assert re.findall(r"(?:password|token|secret|credentials):", text) == []
    assert len(re.findall(r"(?:password_file|credentials_file): /run/secrets/", text)) == 4


async def tell(address: str, *names: str) -> None:
    """Send alerts as Prometheus does."""
    alerts = [{"labels": labels_of(name), "annotations": {}} for name in names]
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Type": "application/json"}
        async with session.post(f"{address}/api/v2/alerts", data=json.dumps(alerts), headers=headers) as answer:
            assert answer.ok, await answer.text()


@asynccontextmanager
async def routed(home: Path) -> AsyncIterator[tuple[str, Webhook]]:
    async with webhook() as somebody, alertmanager(home / "am", at_once(somebody, home)) as address:
        yield address, somebody


@pytest.mark.parametrize(
    ("cause", "follows"),
    [
        ("ContactFeedStale", ["ContactLongestWait", "ContactNobodyAvailable", "ContactSourceSilent"]),
        ("ContactNoWorker", ["ContactPartitionOrphaned", "ContactFeedStale"]),
        ("ContactBrokerSilent", ["ContactServiceLevelCollapsed", "ContactFeedStale", "ContactUncommitted"]),
        ("ContactServiceLevelCollapsed", ["ContactServiceLevelMissed", "ContactServiceLevelOfTheDay"]),
        ("ContactPartitionSilent", ["ContactConsumerLag"]),
    ],
)
async def test_who_hears_of_the_cause_does_not_hear_of_what_follows_from_it(
    cause: str, follows: list[str], tmp_path: Path
) -> None:
    async with routed(tmp_path) as (address, somebody):
        await tell(address, cause, *follows, "ContactOffsetGap")
        await somebody.wait_for("ContactOffsetGap", seconds=10)
        await somebody.wait_for(cause, seconds=10)

        assert {one.labels["alertname"] for one in somebody.told} == {cause, "ContactOffsetGap"}


async def test_what_is_wrong_with_one_queue_is_one_notification(tmp_path: Path) -> None:
    async with routed(tmp_path) as (address, somebody):
        await tell(address, "ContactLongestWait", "ContactAbandonment", "ContactBlocking")
        await somebody.wait_for("ContactBlocking", seconds=10)

        assert somebody.notifications == 1
        assert len(somebody.told) == 3
