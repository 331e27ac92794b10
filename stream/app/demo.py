"""The demo: embedded broker, worker and a simulated contact centre in one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Final

from msgspec.structs import replace

from stream.app.policy_file import load_policies, policies_of
from stream.app.service import Service
from stream.broker.embedded import EmbeddedBroker
from stream.core.identity import CustomerKeys
from stream.sdk.producer import Producer
from stream.security.customer_keys import read_customer_keys
from stream.security.kafka_security import PLAINTEXT
from stream.settings import Settings
from stream.simulator import CASES_BEFORE, CUSTOMERS_BEFORE, demo_centre, live, paced, with_surveys

__all__ = ["DEMO_PARTITIONS", "WARM_UP", "running_demo"]

WARM_UP = timedelta(hours=1)
"""How much has happened before the board is first looked at: every window has something to show."""

DEMO_PARTITIONS = 4

_KEY_BYTES: Final = 32

DEMO_POLICIES = """
[defaults]
target = 0.80
solved_dispositions = ["solved"]
margin = 0.35
churn_limit = 0.08
cart_abandonment_limit = 0.80

[[queue]]
channel = "voice"
threshold_seconds = 20
short_abandon_seconds = 5

[[queue]]
channel = "chat"
threshold_seconds = 60

[[queue]]
channel = "email"
threshold_seconds = 3600

[[queue]]
tenant = "fabrikam"
name = "claims"
channel = "email"
opening_hours = ["Mon-Fri 07:00-17:00"]
first_response_target_seconds = 14400
next_response_target_seconds = 14400
"""
"""What the simulated centre promises, as an installation would write it in its policy file."""


@asynccontextmanager
async def running_demo(
    settings: Settings,
    *,
    seed: int,
    speed: float,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[Service]:
    """Run the demo around a block; the past hour comes first, then real time times *speed*."""
    async with EmbeddedBroker() as broker:
        # The embedded broker knows neither TLS nor logins, whatever the environment says of another one.
        modest = replace(settings, partitions=DEMO_PARTITIONS, security=PLAINTEXT)
        policies = load_policies(settings.policies) if settings.policies else policies_of(DEMO_POLICIES, "demo")
        service = Service(
            modest,
            brokers=broker.address,
            idempotent=False,  # the embedded broker does not answer InitProducerId
            policies=policies,
            customer_keys=_keys_of(settings),
            clock=clock,
        )
        async with service:
            simulator = asyncio.create_task(_simulate(broker.address, seed, speed, clock, sleep), name="simulator")
            simulator.add_done_callback(lambda task: _tell(service, task))
            try:
                yield service
            finally:
                simulator.cancel()
                await asyncio.gather(simulator, return_exceptions=True)


def _keys_of(settings: Settings) -> CustomerKeys:
    if settings.customer_key_file:
        return read_customer_keys(settings.customer_key_file)
    # The rows are in the memory of the broker: nobody has to find them again after the demo.
    return CustomerKeys(token_bytes(_KEY_BYTES))


async def _simulate(
    address: str,
    seed: int,
    speed: float,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    past = live(
        demo_centre(),
        now=clock(),
        warm_up=WARM_UP,
        seed=seed,
        cases_before=CASES_BEFORE,
        customers_before=CUSTOMERS_BEFORE,
    )
    events = with_surveys(past)
    async with Producer(address) as producer:
        async for event in paced(events, speed=speed, clock=clock, sleep=sleep, origin=clock()):
            await producer.post(event)


def _tell(service: Service, simulator: "asyncio.Task[None]") -> None:
    """A simulator that fails ends the demo; nobody should watch a board that nothing feeds."""
    if not simulator.cancelled() and (failure := simulator.exception()) is not None:
        # By way of the worker, for whose end everybody waits already.
        service.worker.fail(failure)
