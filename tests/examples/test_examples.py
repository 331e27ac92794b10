"""Every file of `examples/` runs as it is, and what it sends arrives."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.brokers import Broker
from tests.gateway.posting import running_gateway
from tests.sdk.records import Record, create_topics, records_of

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture
async def broker_with_topics(fresh_broker: Broker) -> Broker:
    await create_topics(fresh_broker.address)
    return fresh_broker


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=pipe, stderr=pipe)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def printed_by(*arguments: str) -> str:
    """Run a program of ours to its good end."""
    async with started(*arguments) as child:
        out, problems = await child.communicate()
        assert (child.returncode, problems.decode()) == (0, "")
        return out.decode()


async def sent_to(broker: Broker) -> list[Record]:
    return await records_of(broker.address, "acme")


def test_every_example_is_told_of_and_tested() -> None:
    files = {path.name for path in EXAMPLES.glob("*.py")}

    assert {name for name in files if f"[`{name}`]({name})" in (EXAMPLES / "README.md").read_text()} == files
    assert {name for name in files if name in Path(__file__).read_text()} == files


async def test_events_go_to_kafka(broker_with_topics: Broker) -> None:
    told = await printed_by("examples/kafka_producer.py", broker_with_topics.setting)

    assert "acknowledged, 0 given up" in told
    records = await sent_to(broker_with_topics)
    assert [one.event.subject for one in records if one.key == b"acme/sales"] == ["call-17"] * 3
    assert [one.event.subject for one in records if one.key == b"acme/support"] == [f"call-{n}" for n in range(100)]


async def test_events_go_through_the_gateway(broker_with_topics: Broker) -> None:
    async with running_gateway(broker_with_topics.address) as posts:
        assert await printed_by("examples/http_producer.py", posts.address) == "3 accepted\n"

    assert [one.event.subject for one in await sent_to(broker_with_topics)] == ["call-21"] * 3


async def test_a_web_application_answers_at_once_and_delivers_at_its_end(broker_with_topics: Broker) -> None:
    async with started("examples/web_application.py", broker_with_topics.setting, "0") as child:
        assert child.stdout is not None
        port = int((await child.stdout.readline()).split()[-1])
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            statuses = []
            for path in ("/calls/one?queue=sales", "/calls/two?queue=sales", "/calls/two"):
                async with session.post(path) as answer:
                    statuses.append((answer.status, answer.reason))
        child.send_signal(signal.SIGINT)
        assert await child.wait() == 0

    assert statuses == [(202, "Accepted"), (202, "Accepted"), (400, "data.queue is wrong")]
    assert [one.event.subject for one in await sent_to(broker_with_topics)] == ["one", "two"]


async def test_events_carry_the_trace_of_their_request(broker_with_topics: Broker) -> None:
    async with running_gateway(broker_with_topics.address) as posts:
        await printed_by("examples/trace_context.py", posts.address)

    traces = {one.event.subject: json.loads(one.value).get("traceparent") for one in await sent_to(broker_with_topics)}
    assert traces == {"chat-1": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "chat-2": None}


async def test_the_tests_of_a_customer_pass() -> None:
    # Without our own settings and plugins, as wherever it is copied to.
    told = await printed_by(
        "-m", "pytest", "-q", "-c", "/dev/null", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:asyncio",
        "examples/test_my_call_system.py",
    )  # fmt: skip

    assert "3 passed" in told
