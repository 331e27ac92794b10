"""The snippets of docs/producing.md are taken out of the page, and run."""

import ast
import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from scripts.apache_kafka.cluster import Cluster
from stream.gateway.keys import new_key
from stream.sdk.factory import EventFactory
from stream.sdk.producer import Producer
from tests.brokers import Broker
from tests.gateway.posting import running_gateway
from tests.sdk.records import Record, create_topics, records_of
from tests.sdk.scripted_gateway import scripted_gateway

PAGE = (Path(__file__).parents[2] / "docs" / "producing.md").read_text()


def snippets(heading: str, language: str) -> list[str]:
    """Return the snippets below a heading."""
    section = re.split(r"^#+ ", PAGE.partition(f"\n{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


async def ended(*arguments: str, folder: Path, **environment: str) -> tuple[int | None, str, str]:
    """Run a program; how it ended, what it printed, and its complaints."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *arguments, cwd=folder, env=os.environ | environment, stdout=pipe, stderr=pipe
    )
    out, problems = await child.communicate()
    return child.returncode, out.decode(), problems.decode()


async def run(*arguments: str, folder: Path, **environment: str) -> str:
    """Run a program to its good end, and return what it printed."""
    code, out, problems = await ended(*arguments, folder=folder, **environment)
    assert (code, problems) == (0, "")
    return out


@pytest.fixture
async def broker_with_topics(fresh_broker: Broker) -> str:
    await create_topics(fresh_broker.address)
    return fresh_broker.address


@asynccontextmanager
async def keyed_gateway(broker: str, folder: Path) -> AsyncIterator[str]:
    """Run a gateway whose key is in the files that the page names."""
    key, digest = new_key("pbx")
    (folder / "keys.toml").write_text(f'[keys.pbx]\ndigests = ["{digest}"]\n')
    (folder / "gateway.key").write_text(f"{key}\n")
    (folder / "gateway.header").write_text(f"Authorization: Bearer {key}\n")
    async with running_gateway(broker, gateway_keys=folder / "keys.toml") as posts:
        yield posts.address


async def told(broker: str) -> list[tuple[str, str]]:
    """Return type and subject of what has arrived."""
    return [(type(one.event).__name__, one.event.subject) for one in await records_of(broker, "acme")]


async def test_one_event_and_a_batch_are_posted_with_curl(broker_with_topics: str, tmp_path: Path) -> None:
    one, many = snippets("### curl", "sh")
    async with keyed_gateway(broker_with_topics, tmp_path) as gateway:
        assert await run("bash", "-euc", one, folder=tmp_path, GATEWAY=gateway) == '{"accepted":1}'
        assert await run("bash", "-euc", many, folder=tmp_path, GATEWAY=gateway) == '{"accepted":1}'

    assert await told(broker_with_topics) == [("ContactEnqueued", "call-17")] * 2
    # The batch has the same event once more: by its id it counts once.
    assert len({record.event.id for record in await records_of(broker_with_topics, "acme")}) == 1


async def test_kcat_chooses_the_partition_that_the_sdk_chooses(kafka_of_one: Cluster, tmp_path: Path) -> None:
    broker = kafka_of_one.address
    await create_topics(broker)
    (line,) = snippets("### kcat", "sh")
    await run("bash", "-euc", line, folder=tmp_path, BROKER=broker)
    async with Producer(f"kafka://{broker}") as producer:
        await producer.send(EventFactory("/test", tenant="acme").enqueued("call-18", "sales"))

    records: list[Record] = await records_of(broker, "acme")
    assert {record.event.subject: record.key for record in records} == dict.fromkeys(
        ("call-17", "call-18"), b"acme/sales"
    )
    assert len({record.partition for record in records}) == 1


async def test_node_sends_events_through_the_gateway(broker_with_topics: str, tmp_path: Path) -> None:
    (program,) = snippets("### Node", "js")
    (tmp_path / "producer.mjs").write_text(program)
    async with keyed_gateway(broker_with_topics, tmp_path) as gateway:
        printed = await run("node", "producer.mjs", folder=tmp_path, GATEWAY=gateway, KEY_FILE="gateway.key")

    assert printed == "{ accepted: 2 }\n"
    assert await told(broker_with_topics) == [("ContactEnqueued", "call-17"), ("ContactAnswered", "call-17")]


async def test_node_sends_the_same_again_when_it_is_told_to_and_gives_up_what_will_not_pass(tmp_path: Path) -> None:
    (program,) = snippets("### Node", "js")
    (tmp_path / "producer.mjs").write_text(program)
    async with scripted_gateway() as scripted:
        scripted.answers = [web.Response(status=503, headers={"Retry-After": "1"}), web.Response(status=500)]
        await run("node", "producer.mjs", folder=tmp_path, GATEWAY=scripted.address)
        first, second, third = (events for events, _ in scripted.requests)
        assert first == second == third
        assert scripted.times[1] - scripted.times[0] >= 0.99

        scripted.answers = [web.Response(status=401, text="no key")]
        code, _, problems = await ended("node", "producer.mjs", folder=tmp_path, GATEWAY=scripted.address)
        assert (code, "Error: 401: no key" in problems) == (1, True)


@pytest.mark.parametrize("snippet", snippets("## Python", "python") + snippets("### Traces", "python"))
def test_what_the_page_imports_from_the_sdk_exists(snippet: str) -> None:
    tree = ast.parse(snippet)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module is not None]
    ours = [node for node in imports if (node.module or "").startswith("stream.")]

    assert ours
    for node in ours:
        module = __import__(node.module or "", fromlist=["*"])
        assert {alias.name for alias in node.names} <= {*vars(module)}
