"""Several gateways behind a balancer: one is killed under load, senders try the other, and the figures are exact."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path

import aiohttp
import pytest

from stream.app.replay import replay
from stream.broker.child import free_port
from stream.broker.embedded import EmbeddedBroker
from stream.core.cloudevents import Event
from stream.families.registry import DECODER
from tests.gateway.posting import Posts, arrived, batch, create_topics, figures
from tests.gateway.test_spool import alive, process

DAY = Path(__file__).parents[2] / "schemas" / "examples" / "day.jsonl"
EVENTS = [event for event in map(DECODER.decode, DAY.read_bytes().splitlines()) if event.topic == "contacts"]
SENDERS = 8


def batches_of(events: Sequence[Event], size: int) -> Iterator[list[Event]]:
    rest = iter(events)
    while batch_of_them := list(islice(rest, size)):
        yield batch_of_them


class Balancer:
    """Gives each post to a gateway by chance, and to another where that one does not take it: now and then to both."""

    def __init__(self, gateways: Sequence[Posts], seed: int) -> None:
        self._gateways = gateways
        self._chance = random.Random(seed)
        self.taken = 0
        self.twice = 0
        self.failures = 0

    async def post(self, events: Sequence[Event]) -> None:
        body = batch(events)
        if self._chance.random() < 0.2:
            self.twice += all(await asyncio.gather(*(self._try(gateway, body) for gateway in self._gateways)))
        async with asyncio.timeout(60):
            while not await self._try(self._chance.choice(self._gateways), body):
                await asyncio.sleep(0.01)
        self.taken += 1

    async def _try(self, gateway: Posts, body: bytes) -> bool:
        try:
            status, _ = await gateway(body, "batch")
        except aiohttp.ClientError:
            self.failures += 1
            return False
        return status == 202


async def send_all(balancer: Balancer, batches: Iterator[list[Event]]) -> None:
    for events in batches:
        await balancer.post(events)


@pytest.mark.slow
async def test_of_two_gateways_one_is_killed_under_load_and_the_figures_are_those_of_the_day(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    spools = tmp_path / "first", tmp_path / "second"
    async with EmbeddedBroker() as broker, aiohttp.ClientSession() as session:
        await create_topics(broker.address)
        gateways = [Posts(f"http://127.0.0.1:{port}", session) for port in ports]
        balancer, batches = Balancer(gateways, seed=1), batches_of(EVENTS, 4)
        async with process(broker.address, spools[0], ports[0]):
            async with process(broker.address, spools[1], ports[1]) as second:
                await asyncio.gather(*map(alive, gateways))
                sending = [asyncio.create_task(send_all(balancer, batches)) for _ in range(SENDERS)]
                async with asyncio.timeout(60):
                    while balancer.taken < 60:
                        await asyncio.sleep(0)
                os.kill(second.pid, signal.SIGKILL)
                async with asyncio.timeout(60):
                    while not balancer.failures:
                        await asyncio.sleep(0)
            async with process(broker.address, spools[1], ports[1]):
                await asyncio.gather(*sending)
                await asyncio.gather(*map(alive, gateways))
                async with asyncio.timeout(60):
                    for gateway in gateways:
                        while (await figures(gateway))["contact_gateway_spool_events", ()]:
                            await asyncio.sleep(0.05)
        found = sorted(await arrived(broker.address, "default"), key=attrgetter("time"))

    assert {(event.source, event.id): event for event in found} == {(event.source, event.id): event for event in EVENTS}
    assert len(found) > len(EVENTS)
    assert balancer.twice > 0
    assert replay(found).board().snapshots["contacts"] == replay(EVENTS).board().snapshots["contacts"]
