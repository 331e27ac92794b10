"""Marked secrets and personal data go through the real gateway program, and are looked for in whatever it leaves."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
from msgspec import Struct, field

from stream.core.cloudevents import encode
from stream.gateway.keys import new_key
from stream.settings import PREFIX
from tests.gateway.posting import Posts, an_event
from tests.house.tree import ROOT
from tests.running import records_on
from tests.sources.contract.caller import SECRET, Caller, webhook_file_of
from tests.sources.contract.callers import CALLERS
from tests.sources.contract.marks import ALTERED, PERSONAL, altered_one_by_one, marked, resigned

pytestmark = pytest.mark.slow

KAFKA_PASSWORD: Final = "a-password-for-kafka"
WRONG_KEY: Final = "pbx.a-key-that-is-none"

SHOWS_WHO: Final = re.compile("signature$|hmac|key|auth|token|secret")
"""Names of headers with a key or a signature."""

GETS_FAR: Final = {"a topic", "the spool", "standard output", "/metrics"}
"""Where ids, names of queues and names of kinds are to arrive."""

MOST_ALTERED: Final = 40
"""Bodies of each system of which one value is another."""


class Traces(Struct):
    """All that a gateway has shown, by where; and what is looked for in it."""

    seen: list[tuple[str, bytes]] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)

    def leaks(self) -> set[tuple[str, str]]:
        """Return where which mark was found, in any of the ways that it may be written."""
        return {
            (place, mark)
            for place, content in self.seen
            for mark, text in self.marks.items()
            if not (text == ALTERED and place in GETS_FAR)
            for written in {text, quote(text), quote(text, safe="")}
            if written.encode() in content
        }


@asynccontextmanager
async def gateway(folder: Path, traces: Traces, *arguments: str, **settings: str) -> AsyncIterator[Posts]:
    """Run the program with every webhook there is; all that it says goes to *traces*."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {f"{PREFIX}{name.upper()}": text for name, text in settings.items()}
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.gateway.gateway_of_that_day", "gateway", "--port", "0", *arguments),
        *("--keys", str(folder / "keys.toml"), "--webhooks", str(folder / "webhooks.toml")),
        cwd=ROOT,
        env={**environment, f"{PREFIX}LOG_LEVEL": "DEBUG"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert run.stderr is not None
    said = b""
    while not (found := re.search(r"(http://\S+)/v1/events", said.decode())):
        line = await run.stderr.readline()
        assert line, said.decode()
        said += line
    rest = asyncio.create_task(run.communicate())
    try:
        async with aiohttp.ClientSession() as session:
            yield Posts(found[1], session)
        for name in ("cmdline", "environ"):
            if (file := Path(f"/proc/{run.pid}/{name}")).exists():
                traces.seen.append((name, file.read_bytes()))
    finally:
        run.terminate()
        out, log = await rest
        traces.seen += [("the log", said + log), ("standard output", out)]


def write_files(folder: Path) -> str:
    """Write the file of webhooks, and that of keys; return the key."""
    tables = ['[webhooks.quoting]\nsource = "quoting"']
    for name, caller in CALLERS.items():
        (folder / name).mkdir()
        told = webhook_file_of(caller, folder / name).read_text(encoding="utf-8")
        tables.append(told.replace("[webhooks.one", f"[webhooks.{name}"))
    (folder / "webhooks.toml").write_text("\n".join(tables), encoding="utf-8")
    key, digest = new_key("pbx")
    (folder / "keys.toml").write_text(f'[keys.pbx]\ndigests = ["{digest}"]\ntenants = ["acme"]\n', encoding="utf-8")
    return key


Request = tuple[str, bytes, Mapping[str, str]]
"""Path, body and headers."""


def requests_of(caller: Caller) -> Iterator[Request]:
    """Yield what a system sends with personal data in it: good, of no use, not verified, and broken."""
    for body in (*caller.bodies, caller.unknown):
        request = resigned(caller, body, marked(body))
        query = urlsplit(request.url).query
        yield query, request.body, request.headers
        yield query, request.body + b" ", {name: f"{text}x" for name, text in request.headers.items()}
    for body in (caller.bodies[0], caller.unknown):
        for changed in islice(altered_one_by_one(body), MOST_ALTERED):
            request = resigned(caller, body, changed)
            yield urlsplit(request.url).query, request.body, request.headers
    for body in (PERSONAL.encode(), b'[{"', f'["{PERSONAL}"]'.encode(), b"[" * 99 + PERSONAL.encode()):
        request = caller.signed(body)
        yield urlsplit(request.url).query, request.body, request.headers
        yield urlsplit(request.url).query, request.body, {**request.headers, "content-encoding": "gzip"}
    yield f"key={SECRET}&email={quote(PERSONAL)}", b"{}", {"x-key": SECRET, "content-type": PERSONAL}


async def post_to_webhooks(posts: Posts, traces: Traces) -> dict[str, set[int]]:
    """Post all of it, and return with which status each system was answered."""
    answered: dict[str, set[int]] = {}
    for name, caller in CALLERS.items():
        for query, body, headers in requests_of(caller):
            path = f"/v1/webhooks/{name}?{query}".rstrip("?")
            status, answer, _ = await posts.raw(path, body, headers)
            answered.setdefault(name, set()).add(status)
            traces.seen.append((f"an answer to {name}", answer))
        traces.marks |= {
            f"{header} of {name}": text
            for body in caller.bodies
            for header, text in resigned(caller, body, marked(body)).headers.items()
            if SHOWS_WHO.search(header)
        }
    for path in ("/v1/webhooks/quoting", f"/v1/webhooks/{quote(PERSONAL)}", f"/{quote(PERSONAL)}"):
        _, answer, _ = await posts.raw(path, PERSONAL.encode(), {"Connection": "close"})
        traces.seen.append((f"the answer of {path[:20]}", answer))
    return answered


async def post_events(posts: Posts, key: str, traces: Traces) -> set[int]:
    """Post events, good and bad ones, with a good key, with a wrong one, and in headers; return the statuses."""
    good = encode(an_event("ann"))
    beside = good.removesuffix(b"}") + f',"{PERSONAL}":1}}'.encode()
    structured = {"Content-Type": "application/cloudevents+json", "Authorization": f"Bearer {key}"}
    in_headers = structured | {"Content-Type": "application/json", "ce-id": PERSONAL, "ce-type": PERSONAL}
    statuses = set()
    for body in (good, *altered_one_by_one(good), beside, PERSONAL.encode(), good[:-1], b"[" * 99):
        for headers in (
            structured,
            structured | {"Authorization": f"Bearer {WRONG_KEY}"},
            structured | {"Content-Type": PERSONAL},
            in_headers,
            in_headers | {"ce-specversion": "1.0"},
        ):
            status, answer, _ = await posts.raw("/v1/events", body, headers)
            statuses.add(status)
            traces.seen.append(("an answer about events", answer))
    return statuses


async def say(posts: Posts, traces: Traces) -> None:
    """Say what is no HTTP, or odd."""
    host, _, port = posts.address.removeprefix("http://").partition(":")
    text = PERSONAL.encode()
    for said in (
        text + b"\r\n\r\n",
        b"GET /%s HTTP/1.1\r\n\r\n" % text,
        b"GET / HTTP/1.1\r\nHost: %s\r\nHost: a\r\n\r\n" % text,
        b"GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % text,
        b"POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: %s\r\n\r\n" % text,
        b"POST /v1/events HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n" % (text * 1000),
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(said)
        writer.write_eof()
        traces.seen.append(("an answer to what is no HTTP", await reader.read()))
        writer.close()


async def post_it_all(posts: Posts, key: str, traces: Traces) -> None:
    answered = await post_to_webhooks(posts, traces)
    statuses = await post_events(posts, key, traces)
    await say(posts, traces)
    for path in ("/metrics", "/healthz", "/readyz", "/"):
        traces.seen.append((path, (await posts.get(path))[1].encode()))

    # Of each system something was taken, and something not: else nothing would have been tried.
    assert {name for name, found in answered.items() if not found & {200, 204} or not found & {400, 401}} == set()
    assert {202, 400, 401, 422} <= statuses


@pytest.fixture
def traces() -> Traces:
    marks = {"secret": SECRET, "password": KAFKA_PASSWORD, "wrong key": WRONG_KEY.removeprefix("pbx.")}
    return Traces([], marks | {"personal": PERSONAL, "altered": ALTERED})


async def test_neither_topics_nor_log_nor_pages_have_them(declared: str, tmp_path: Path, traces: Traces) -> None:
    key = write_files(tmp_path)
    traces.marks["key"] = key.partition(".")[2]
    async with gateway(tmp_path, traces, "--broker", f"embedded:{declared}") as posts:
        await post_it_all(posts, key, traces)
    traces.seen.append(("a topic", await records_on(declared)))

    assert b"contact.enqueued" in traces.seen[-1][1]
    assert b"invalid_field" in traces.seen[-1][1]
    assert traces.leaks() == set()


async def test_nor_has_the_spool_while_the_broker_is_away(tmp_path: Path, traces: Traces) -> None:
    key = write_files(tmp_path)
    traces.marks["key"] = key.partition(".")[2]
    (tmp_path / "password").write_text(KAFKA_PASSWORD, encoding="utf-8")

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1") as server:
        address = "{}:{}".format(*server.sockets[0].getsockname()[:2])
        security: dict[str, Any] = {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_username": "gateway",
            "sasl_password_file": str(tmp_path / "password"),
            "gateway_spool": str(tmp_path / "spool"),
        }
        async with gateway(tmp_path, traces, "--broker", f"kafka://{address}", **security) as posts:
            await post_it_all(posts, key, traces)
            traces.seen += [("the spool", file.read_bytes()) for file in tmp_path.glob("spool*")]
    traces.seen += [("the spool", file.read_bytes()) for file in tmp_path.glob("spool*")]

    assert any(b"contact.enqueued" in content for place, content in traces.seen if place == "the spool")
    assert traces.leaks() == set()


async def test_nor_has_what_a_dry_run_prints(tmp_path: Path, traces: Traces) -> None:
    key = write_files(tmp_path)
    traces.marks["key"] = key.partition(".")[2]
    async with gateway(tmp_path, traces, "--dry-run") as posts:
        await post_it_all(posts, key, traces)

    assert any(b"contact.enqueued" in content for place, content in traces.seen if place == "standard output")
    [log] = [content for place, content in traces.seen if place == "the log"]
    assert b"a defect, by KeyError, in\n" in log
    assert b"raise KeyError(request.body.decode())" in log
    assert traces.leaks() == set()
