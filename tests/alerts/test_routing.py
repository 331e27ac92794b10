"""Who is told of what: the configuration of the Alertmanager, by its own tools and by itself."""

import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from scripts.alerts.cases import CASE_ALERTS
from scripts.alerts.customers import CUSTOMER_ALERTS
from scripts.alerts.files import ALERTS, RULES
from scripts.alerts.queues import QUEUE_ALERTS
from tests.alerting import CONFIGURATION, Told, Webhook, alertmanager, at_once, webhook
from tests.monitoring import program

pytestmark = pytest.mark.slow

ALERTS_BY_NAME = {alert.name: alert for alert in ALERTS}
QUEUE = {"tenant": "acme", "queue": "support", "channel": "voice"}
MEMBERS = {"tenant": "acme", "plan": "basic", "group": ""}
COLLAPSED, FALLING, MISSED, OF_THE_DAY = (
    f"ContactServiceLevel{name}" for name in ("Collapsed", "Falling", "Missed", "OfTheDay")
)
WAITS, ABANDON, NOBODY = "ContactLongestWait", "ContactAbandonment", "ContactNobodyAvailable"


def amtool(*arguments: str | Path) -> str:
    """Return what amtool says; fails if it does."""
    done = subprocess.run([program("amtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def labels_of(name: str, **others: str) -> dict[str, str]:
    alert = ALERTS_BY_NAME[name]
    about = {"queue": QUEUE | others, "customers": MEMBERS | others}.get(
        alert.concerns, {"topic": "contacts", "partition": "3"}
    )
    return {"alertname": name, "severity": alert.severity, "concerns": alert.concerns, **about}


def test_amtool_has_nothing_to_say() -> None:
    assert "SUCCESS" in amtool("check-config", CONFIGURATION)


@pytest.mark.parametrize(
    ("name", "receiver"),
    [
        (WAITS, "supervisors"),
        (OF_THE_DAY, "supervisors"),
        (COLLAPSED, "supervisors"),
        (NOBODY, "supervisors"),
        ("ContactFirstContactResolution", "supervisors"),
        ("ContactChurn", "supervisors"),
        ("ContactCustomersNotCounted", "operations"),
        ("ContactFeedStale", "operations"),
        ("ContactDeadLetters", "operations"),
        ("ContactWatchdog", "watchdog"),
    ],
)
def test_an_alert_goes_to_whom_it_concerns(name: str, receiver: str) -> None:
    assert routes(CONFIGURATION, **labels_of(name)) == receiver


def test_a_team_can_have_a_receiver_of_its_own(tmp_path: Path) -> None:
    config, (shown, _) = configuration_and_additions()
    of_teams = [route for route in config["route"]["routes"] if route["receiver"] == "supervisors"]
    for route in of_teams:
        route["routes"] = shown["routes"]
    config["receivers"] += shown["receivers"]
    (mine := tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))

    for team, receiver in {"claims": "claims", "sales": "supervisors"}.items():
        assert routes(mine, **labels_of(WAITS, team=team)) == receiver
        assert routes(mine, **labels_of("ContactChurn", team=team)) == receiver


def test_what_is_critical_can_go_to_a_pager_besides(tmp_path: Path) -> None:
    config, (_, shown) = configuration_and_additions()
    config["route"]["routes"] = shown["routes"] + config["route"]["routes"]
    config["receivers"] += shown["receivers"]
    (mine := tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))

    assert routes(mine, **labels_of(COLLAPSED)) == "pager,supervisors"
    assert routes(mine, **labels_of(MISSED)) == "supervisors"


def configuration_and_additions() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the configuration, and what the runbook shows to be added to it."""
    runbook = (CONFIGURATION.parents[2] / "docs" / "runbook.md").read_text()
    shown = re.findall(r"```yaml\n(.*?)```", runbook, re.DOTALL)
    return yaml.safe_load(CONFIGURATION.read_text()), [yaml.safe_load(text) for text in shown]


def routes(config: Path, **labels: str) -> str:
    pairs = [f"{label}={value}" for label, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={config}", *pairs)


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


@pytest.mark.parametrize(
    ("name", "minutes"),
    [*((alert.name, 2) for alert in QUEUE_ALERTS), *((alert.name, 16) for alert in CASE_ALERTS)],
)
def test_what_is_wrong_with_a_queue_is_told_in_time_also_when_something_else_was(name: str, minutes: int) -> None:
    pace = yaml.safe_load((RULES.parents[1] / "prometheus.yml").read_text())["global"]
    [route] = [one for one in yaml.safe_load(CONFIGURATION.read_text())["route"]["routes"] if "queue" in str(one)]
    seconds = [pace["scrape_interval"], pace["evaluation_interval"], max(route["group_wait"], route["group_interval"])]

    assert all(re.fullmatch(r"\d\d?s", text) for text in seconds)
    assert sum(int(text[:-1]) for text in seconds) + ALERTS_BY_NAME[name].pending.total_seconds() <= 60 * minutes


async def tell(address: str, *names: str, over: bool = False, **others: str) -> None:
    """Send alerts as Prometheus does: that they fire, or that they are *over*."""
    end = {"endsAt": datetime.now(UTC).isoformat()} if over else {}
    alerts = [{"labels": labels_of(name, **others), "annotations": {}} | end for name in names]
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Type": "application/json"}
        async with session.post(f"{address}/api/v2/alerts", data=json.dumps(alerts), headers=headers) as answer:
            assert answer.ok, await answer.text()


@asynccontextmanager
async def routed(home: Path, *, group_wait: str = "1s") -> AsyncIterator[tuple[str, Webhook]]:
    async with (
        webhook() as somebody,
        alertmanager(home / "am", at_once(somebody, home, group_wait=group_wait)) as address,
    ):
        yield address, somebody


@pytest.mark.parametrize(
    ("cause", "follows"),
    [
        ("ContactFeedStale", [WAITS, NOBODY, "ContactSourceSilent"]),
        ("ContactNoWorker", ["ContactPartitionOrphaned", "ContactFeedStale"]),
        ("ContactBrokerSilent", [COLLAPSED, "ContactFeedStale", "ContactUncommitted"]),
        (COLLAPSED, [FALLING, MISSED, OF_THE_DAY, WAITS, ABANDON, "ContactBlocking", "ContactGhosts"]),
        (NOBODY, [COLLAPSED, MISSED, WAITS, ABANDON]),
        (FALLING, [MISSED, OF_THE_DAY, WAITS, ABANDON]),
        (MISSED, [OF_THE_DAY, WAITS, ABANDON]),
        ("ContactPartitionSilent", ["ContactConsumerLag"]),
        ("ContactFeedStale", [alert.name for alert in CASE_ALERTS]),
        ("ContactFeedStale", [alert.name for alert in CUSTOMER_ALERTS if alert.concerns != "feed"]),
        ("ContactCaseAnswersLate", ["ContactCaseAnswersDue"]),
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
        await tell(address, WAITS, ABANDON, "ContactBlocking")
        await somebody.wait_for("ContactBlocking", seconds=10)

        assert somebody.notifications == ["firing"]
        assert len(somebody.told) == 3


async def all_that_was_told(address: str, somebody: Webhook) -> list[Told]:
    """Return it when whatever was due has been told: another queue comes later, and has to wait as long."""
    for another in ("billing", "sales"):  # the interval of a group, and its wait
        await tell(address, WAITS, queue=another)
        await somebody.wait_for(WAITS, seconds=10, queue=another)
    return [one for one in somebody.told if one.labels["queue"] == QUEUE["queue"]]


@pytest.mark.parametrize("order", [[[COLLAPSED, MISSED]], [[MISSED], [COLLAPSED]], [[COLLAPSED], [MISSED]]], ids=str)
async def test_a_breach_that_is_critical_is_told_once_and_ends_once_whichever_alert_comes_first(
    order: list[list[str]], tmp_path: Path
) -> None:
    async with routed(tmp_path, group_wait="3s") as (address, somebody):
        for names in order:
            await tell(address, *names)
        told = await somebody.wait_for(COLLAPSED, seconds=10)
        await tell(address, MISSED, over=True)
        await tell(address, COLLAPSED, over=True)
        over = await somebody.wait_for(COLLAPSED, "resolved", seconds=10)

        assert [one for one in await all_that_was_told(address, somebody) if one.labels["alertname"] != MISSED] == [
            told,
            over,
        ]
        assert not somebody.heard(MISSED)
        assert told.to == "supervisors"


async def test_a_warning_that_comes_after_what_is_critical_was_told_is_not_told(tmp_path: Path) -> None:
    async with routed(tmp_path) as (address, somebody):
        await tell(address, COLLAPSED)
        told = await somebody.wait_for(COLLAPSED, seconds=10)
        await tell(address, MISSED, WAITS)

        assert await all_that_was_told(address, somebody) == [told]


async def test_a_breach_that_gets_worse_is_told_again_and_has_one_all_clear(tmp_path: Path) -> None:
    async with routed(tmp_path) as (address, somebody):
        await tell(address, MISSED)
        missed = await somebody.wait_for(MISSED, seconds=10)
        await tell(address, COLLAPSED)
        collapsed = await somebody.wait_for(COLLAPSED, seconds=10)
        await tell(address, MISSED, over=True)  # first, since what is critical lingers
        assert await all_that_was_told(address, somebody) == [missed, collapsed]

        so_far = len(somebody.notifications)
        await tell(address, COLLAPSED, over=True)
        over = await somebody.wait_for(COLLAPSED, "resolved", seconds=10)
        assert somebody.notifications[so_far:] == ["resolved"]
        assert over.to == missed.to == collapsed.to
