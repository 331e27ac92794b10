"""The services of docker-compose.yml without Docker, by the files it mounts: figures arrive, what dies is seen.

Each test leaves the topology as it found it.
"""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from scripts.apache_kafka.cluster import Cluster
from scripts.stack.compose import services
from scripts.stack.program import Program
from scripts.stack.topology import Topology
from stream.app.catalogue import SECTIONS
from stream.families.registry import FAMILIES
from tests.e2e.watched import wait_until
from tests.monitoring import Prometheus, Sample, program
from tests.running import Figures, parsed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
PARTITIONS = 12 * len(FAMILIES)
"""Of all source topics."""
PROMISED_SECONDS = 30.0
"""Within this what does not run any more is seen."""
AGAIN_SECONDS = 60.0
ADDED = {"__name__", "instance", "job"}
"""Labels that are Prometheus' own."""
WORKERS = 'up{job="contact-stream"}'
COUNTED = "|".join(one.name for one in SECTIONS["totals"] if one.kind == "counter")
"""What was counted of contacts: it moves with the events only."""
APPLIED = timedelta(seconds=1)
"""Within this the last event that was sent has been applied."""


@pytest.fixture(scope="module")
def topology(kafka: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    del kafka  # the request says that this needs Apache Kafka; the topology has a broker of its own
    for name in ("prometheus", "alertmanager"):
        program(name)
    with Topology(tmp_path_factory.mktemp("topology")) as running:
        yield running


@pytest.fixture
async def prometheus(topology: Topology) -> AsyncIterator[Prometheus]:
    """Prometheus, once both workers are scraped and share all partitions."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        watching = Prometheus(topology.prometheus.address, session)
        await watching.wait_for(f"count({WORKERS} == 1) == 2", seconds=AGAIN_SECONDS)
        await watching.wait_for(f"count(contact_partition_owned) == {PARTITIONS}", seconds=AGAIN_SECONDS)
        yield watching


def asked(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return json.load(answer)


def figures(worker: Program) -> Figures:
    with urllib.request.urlopen(f"{worker.address}/metrics", timeout=20) as answer:
        return parsed(answer.read().decode())


def counted(page: Figures) -> Figures:
    return {key: value for key, value in page.items() if re.fullmatch(COUNTED, key[0])}


def by_instance(samples: Sequence[Sample]) -> dict[str, Figures]:
    """Return samples of Prometheus as the pages that it has read."""
    pages: dict[str, Figures] = {}
    for labels, value in samples:
        series = tuple(sorted((name, text) for name, text in labels.items() if name not in ADDED))
        pages.setdefault(labels["instance"], {})[labels["__name__"], series] = value
    return pages


async def scraped_after(prometheus: Prometheus, instant: datetime) -> None:
    await prometheus.wait_for(f"min(timestamp({WORKERS})) > {instant.timestamp()}")


async def test_workers_share_the_partitions_and_each_has_one_owner(prometheus: Prometheus) -> None:
    owners = await prometheus.query("count by (topic, partition) (contact_partition_owned)")
    shares = await prometheus.query("count by (instance) (contact_partition_owned)")

    assert [sample.value for sample in owners] == [1] * PARTITIONS
    assert sorted(sample.value for sample in shares) == [PARTITIONS / 2] * 2


async def test_prometheus_has_the_figures_that_the_workers_show(topology: Topology, prometheus: Prometheus) -> None:
    await prometheus.wait_for("sum(contact_offered_total) > 100")
    topology.simulator.send(signal.SIGSTOP)  # a figure that moves is another one when the next looks
    try:
        await scraped_after(prometheus, datetime.now(UTC) + APPLIED)
        shown = {worker.address.removeprefix("http://"): counted(figures(worker)) for worker in topology.workers}
        samples = await prometheus.query(f'{{__name__=~"{COUNTED}"}}')
    finally:
        topology.simulator.send(signal.SIGCONT)

    assert by_instance(samples) == shown
    assert all(shown.values())


async def test_every_rule_of_the_files_is_loaded_and_works(prometheus: Prometheus) -> None:
    files = (ROOT / "grafana/prometheus/rules").glob("*.yml")
    written = {
        rule.get("alert") or rule["record"]
        for file in files
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    }
    await prometheus.wait_for("min(prometheus_rule_group_last_evaluation_timestamp_seconds) > 0")
    loaded = [rule for group in (await prometheus.ask("rules"))["groups"] for rule in group["rules"]]

    assert {rule["name"] for rule in loaded} == written
    assert [(rule["name"], rule.get("lastError")) for rule in loaded if rule["health"] not in ("ok", "unknown")] == []


async def test_an_alert_reaches_alertmanager_and_its_link_leads_to_the_runbook(
    topology: Topology, prometheus: Prometheus
) -> None:
    await prometheus.wait_for("prometheus_notifications_alertmanagers_discovered == 1")
    alerts = f"{topology.alertmanager.address}/api/v2/alerts"

    def links() -> list[str]:
        told = [alert for alert in asked(alerts) if alert["labels"]["alertname"] == "ContactWatchdog"]
        return [alert["annotations"]["runbook_url"] for alert in told]

    wait_until(
        lambda: bool(links()),
        "the alert that always fires is with Alertmanager",
        seconds=AGAIN_SECONDS,  # what was sent before Alertmanager was found is sent again after half a minute
    )
    with urllib.request.urlopen(links()[0], timeout=20) as runbook:
        assert "## ContactWatchdog" in runbook.read().decode()


def examined(topology: Topology) -> dict[str, set[str]]:
    """Return what the doctor's findings are about, by verdict."""
    pages = [part for worker in topology.workers for part in ("--worker", worker.address)]
    command = [sys.executable, "-m", "stream", "doctor", "--json", "--broker", topology.cluster.address, *pages]
    command += ["--prometheus", topology.prometheus.address]
    ended = subprocess.run(command, check=False, timeout=100, capture_output=True, text=True)
    found: dict[str, set[str]] = {"good": set(), "look": set(), "bad": set()}
    for finding in json.loads(ended.stdout):
        found[finding["verdict"]].add(finding["about"])
    assert ended.returncode == bool(found["bad"]), ended.stderr
    return found


async def test_the_doctor_finds_that_all_is_well(topology: Topology, prometheus: Prometheus) -> None:
    await prometheus.wait_for('ALERTS{alertname="ContactWatchdog", alertstate="firing"}', seconds=AGAIN_SECONDS)

    found = examined(topology)

    assert found["bad"] == set()
    assert {"broker", "topics", "group", "worker", "newest event", "Prometheus"} <= found["good"]


async def test_a_killed_worker_is_seen_and_its_queues_move_on(topology: Topology, prometheus: Prometheus) -> None:
    victim, survivor = topology.workers
    instance = victim.address.removeprefix("http://")
    victim.kill()
    try:
        await prometheus.wait_for(f'up{{instance="{instance}"}} == 0', seconds=PROMISED_SECONDS)
        alert = f'ALERTS{{alertname="ContactWorkerDown", instance="{instance}"}}'
        await prometheus.wait_for(alert, seconds=PROMISED_SECONDS)
        await prometheus.wait_for(f"count(contact_partition_owned) == {PARTITIONS}", seconds=AGAIN_SECONDS)

        (owner,) = await prometheus.query("count by (instance) (contact_partition_owned)")
        assert owner.labels["instance"] == survivor.address.removeprefix("http://")
    finally:
        victim.start()
    await prometheus.wait_for(f'up{{instance="{instance}"}} == 1', seconds=AGAIN_SECONDS)
    await prometheus.wait_for("count(count by (instance) (contact_partition_owned)) == 2", seconds=AGAIN_SECONDS)


def test_the_health_check_of_the_broker_sees_that_it_answers_hangs_and_is_gone(topology: Topology) -> None:
    (broker,) = topology.cluster.nodes
    command = [part.replace("127.0.0.1/9092", broker.address.replace(":", "/")) for part in services()["kafka"].check]
    assert any(broker.address.replace(":", "/") in part for part in command)

    def well() -> bool:
        return subprocess.run(command, check=False, timeout=PROMISED_SECONDS, capture_output=True).returncode == 0

    assert well()
    broker.send(signal.SIGSTOP)
    try:
        assert not well()
    finally:
        broker.send(signal.SIGCONT)
    wait_until(well, "the broker goes on", seconds=AGAIN_SECONDS)
    broker.kill()
    try:
        assert not well()
    finally:
        topology.cluster.start()


async def test_a_killed_broker_is_seen_and_what_follows_is_counted(topology: Topology, prometheus: Prometheus) -> None:
    (broker,) = topology.cluster.nodes
    broker.kill()
    try:
        await prometheus.wait_for("count(contact_broker_silent_timestamp_seconds) == 2", seconds=PROMISED_SECONDS)
        assert [worker.well() for worker in topology.workers] == [True, True]  # a restart would not help
        assert {"broker", "worker"} <= examined(topology)["bad"]
    finally:
        topology.cluster.start()
    await prometheus.wait_for("absent(contact_broker_silent_timestamp_seconds)", seconds=AGAIN_SECONDS)
    (before,) = await prometheus.query("sum(contact_events_total)")
    await prometheus.wait_for(f"sum(contact_events_total) > {before.value}", seconds=AGAIN_SECONDS)
    assert (await prometheus.query("sum(contact_source_offset_gaps_total)"))[0].value == 0


async def test_a_killed_prometheus_comes_back_with_what_it_knew(topology: Topology, prometheus: Prometheus) -> None:
    before = datetime.now(UTC)
    known = await prometheus.query("sum(contact_events_total)", at=before)
    topology.prometheus.kill()
    try:
        assert [worker.well() for worker in topology.workers] == [True, True]  # the boards need no Prometheus
    finally:
        topology.prometheus.start()
    topology.prometheus.wait()

    assert await prometheus.query("sum(contact_events_total)", at=before) == known
    await scraped_after(prometheus, datetime.now(UTC))


def test_make_stack_says_where_everything_is_and_leaves_nothing(kafka: Cluster) -> None:
    del kafka  # it needs Apache Kafka
    command = [sys.executable, "-u", "-m", "scripts.stack", "--workers", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as stack:
        assert stack.stdout is not None
        said = ""
        try:
            for line in stack.stdout:
                said += line
                if "Ctrl-C" in line:
                    break
            addresses = dict(re.findall(r"^ +([\w ]+): +(http://[^/\s]+)", said, re.MULTILINE))
            metrics = urllib.request.urlopen(f"{addresses['live boards']}/metrics", timeout=20).read()
            ready = urllib.request.urlopen(f"{addresses['Prometheus']}/-/ready", timeout=20).status
        finally:
            stack.send_signal(signal.SIGINT)
        rest = stack.stdout.read()

    assert b"contact_ready" in metrics
    assert ready == 200
    assert (stack.returncode, rest.splitlines()[-1]) == (0, "stopped; nothing is kept")
