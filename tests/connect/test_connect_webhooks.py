"""`contact-stream connect` for what calls a webhook, at a real gateway: from nothing to the first event, or why not."""

import asyncio
import hashlib
import hmac
import json
import re
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from stream.gateway.survey_file import surveys_of
from stream.gateway.webhook_file import webhooks_of
from stream.sources.source import Received
from tests.connect.commands import ENVIRONMENT, Person
from tests.gateway.posting import running_gateway
from tests.house.tree import ROOT
from tests.sources.contract.callers import CALLERS
from tests.sources.mapped.examples import HOME_MADE, PAYLOADS, signed_headers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

COMMENT = "# Ask Ana before you change anything.\n[webhooks]\n"


class Gateway(NamedTuple):
    """A gateway that runs in a process of its own; what it would send it writes down."""

    address: str
    file: Path
    written: Path


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    file, written = folder / "webhooks.toml", folder / "events"
    file.write_text(COMMENT)
    command = (sys.executable, "-m", "stream", "gateway", "--dry-run", "--port", "0", "--webhooks", str(file))
    with written.open("wb") as out, (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=log)
        try:
            yield Gateway(_address_in(folder / "log", process), file, written)
        finally:
            process.terminate()
            process.wait(30)


def _address_in(log: Path, process: "subprocess.Popen[bytes]") -> str:
    while process.poll() is None:
        _, found, rest = log.read_text().partition("post events to ")
        if found and "\n" in rest:
            return rest.splitlines()[0].removesuffix("/v1/events")
    raise AssertionError(log.read_text())


@asynccontextmanager
async def connecting(gateway: Gateway, *arguments: str, stdin: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    flags = ("--webhooks", str(gateway.file), "--gateway", gateway.address)
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream", "connect", *arguments, *flags),
        cwd=gateway.file.parent,
        env=ENVIRONMENT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert run.stdin is not None
    run.stdin.write(stdin.encode())
    run.stdin.close()
    try:
        yield run
    finally:
        if run.returncode is None:
            run.kill()
            await run.wait()


async def said_until(run: asyncio.subprocess.Process, *texts: str) -> str:
    """Return what was said up to the first line with one of the texts."""
    assert run.stdout is not None
    said = ""
    async with asyncio.timeout(100):
        while line := (await run.stdout.readline()).decode():
            said += line
            if any(text in line for text in texts):
                return said
    raise AssertionError(said)


async def connect(gateway: Gateway, *arguments: str, stdin: str = "") -> tuple[int | None, str]:
    async with connecting(gateway, *arguments, stdin=stdin) as run:
        assert run.stdout is not None
        said = (await run.stdout.read()).decode()
        await run.wait()
        return run.returncode, said


async def post(request: Received) -> int:
    url = URL(request.url, encoded=True)
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=request.body, headers=request.headers) as answer,
    ):
        return answer.status


def _typeform(url: str, secret: str) -> Received:
    body = CALLERS["typeform"].bodies[0]
    signature = b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    return Received(body, {"typeform-signature": f"sha256={signature}"}, url, datetime.now(UTC))


def _with_key(name: str) -> Callable[[str, str], Received]:
    return lambda url, secret: Received(CALLERS[name].bodies[0], {"x-api-key": secret}, url, datetime.now(UTC))


def _twilio(url: str, secret: str) -> Received:
    at = datetime.now(UTC)
    payload = {"task_sid": "WT1", "task_queue_name": "sales", "task_attributes": "{}", "timestamp": at.isoformat()}
    kind = "com.twilio.taskrouter.task-queue.entered"
    body = json.dumps([{"type": kind, "id": "EZ1", "time": at.isoformat(), "data": {"payload": payload}}]).encode()
    url = f"{url}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = b64encode(hmac.digest(secret.encode(), url.encode(), "sha1")).decode()
    return Received(body, {"content-type": "application/json", "x-twilio-signature": signature}, url, at)


def _mapped(url: str, secret: str) -> Received:
    at = datetime.now(UTC)
    return Received(PAYLOADS[0], signed_headers(PAYLOADS[0], secret, at), url, at)


CALLS: Mapping[str, tuple[Callable[[str, str], Received], tuple[str, ...]]] = {
    "typeform": (_typeform, ("--questions", '{"csat": {"kind": "csat"}}')),
    "genesys-cloud": (_with_key("genesys-cloud"), ("--tenant", "acme")),
    "amazon-connect": (_with_key("amazon-connect"), ()),
    "twilio": (_twilio, ("--secret-stdin",)),
    "mapped-webhook": (_mapped, ("--mapping", str(HOME_MADE))),
}


@pytest.mark.parametrize("source", CALLS)
async def test_from_nothing_to_the_first_event(gateway: Gateway, source: str) -> None:
    call, flags = CALLS[source]
    name, written = f"{source}-1", gateway.written.stat().st_size
    url = f"{gateway.address}/v1/webhooks/{name}"
    public = ("--public-url", gateway.address)
    async with connecting(gateway, source, "--name", name, *flags, *public, stdin="a-token\n") as run:
        said = await said_until(run, "waiting for the first event")
        secret = gateway.file.with_name(f"{name}.secret").read_text().strip()

        # The trial has told nothing; what follows is told, and seen.
        assert gateway.written.stat().st_size == written
        assert await post(call(url, "guessed")) == 401
        said += await said_until(run, "is not signed with this secret")
        assert await post(call(url, secret)) in {200, 204}
        said += await said_until(run, "first event")
        assert await run.wait() == 0

    assert f"address  {url}" in said
    assert url in said.partition("address  ")[2].partition("\n")[2]
    assert "bad" not in said
    assert secret not in said
    assert gateway.written.stat().st_size > written
    assert gateway.file.with_name(f"{name}.secret").stat().st_mode & 0o777 == 0o600
    assert gateway.file.read_text().startswith(COMMENT)
    assert name in webhooks_of(gateway.file)


async def test_a_page_of_surveys_gets_its_key_and_a_link_to_try(gateway: Gateway) -> None:
    flags = ("--name", "feedback", "--company", "Acme", "--tenants", "acme", "--public-url", gateway.address)
    async with connecting(gateway, "web-survey", *flags) as run:
        said = await said_until(run, "waiting for the first event")
        (link,) = re.findall(r"http\S+/surveys/feedback/\S+", said)
        async with (
            aiohttp.ClientSession() as session,
            session.post(link, data={"csat": "5"}, allow_redirects=False) as sent,
        ):
            assert sent.status == 303
        said += await said_until(run, "first event")
        assert await run.wait() == 0

    assert "bad" not in said
    assert "a forged link is refused" in said
    assert "survey.answered came, and was used" in said
    key = gateway.file.with_name("feedback.secret")
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_text().strip() not in said
    assert f"--key-file {key}" in said
    assert surveys_of(gateway.file)["feedback"].options.tenants == ("acme",)
    assert gateway.file.read_text().startswith(COMMENT)

    code, why = await connect(gateway, "typeform", "--name", "feedback", "--wait", "0")
    assert (code, "there is something else of the name feedback" in why) == (1, True)


async def test_what_comes_and_is_of_no_use_is_said_and_what_was_there_before_is_not(gateway: Gateway) -> None:
    url = f"{gateway.address}/v1/webhooks/unknown"
    async with connecting(gateway, "genesys-cloud", "--name", "unknown") as run:
        await said_until(run, "waiting for the first event")
        secret = gateway.file.with_name("unknown.secret").read_text().strip()
        rumour = Received(CALLERS["genesys-cloud"].unknown, {"x-api-key": secret}, url, datetime.now(UTC))
        assert await post(rumour) == 204
        said = await said_until(run, "of a kind that is not known")

    assert "not signed" not in said


async def test_who_comes_again_goes_on_and_another_meaning_of_the_name_is_refused(gateway: Gateway) -> None:
    async def again(*flags: str) -> tuple[int | None, str]:
        return await connect(gateway, "genesys-cloud", "--name", "again", "--wait", "0", *flags)

    assert (await again("--header", "X-Key"))[0] == 0
    before = gateway.file.read_text()
    code, said = await again()
    refused, why = await again("--header", "X-Other")

    assert (code, "webhooks.again says so already" in said) == (0, True)
    assert (refused, "webhooks.again is there and says something else" in why) == (1, True)
    assert gateway.file.read_text() == before

    assert (await again("--header", "X-Other", "--replace"))[0] == 0
    assert 'header = "X-Other"' in gateway.file.read_text()
    assert gateway.file.read_text().startswith(COMMENT)


async def test_options_that_cannot_be_meant_leave_nothing_behind(gateway: Gateway) -> None:
    before = {path: path.read_bytes() for path in gateway.file.parent.iterdir()}
    wrong = await connect(gateway, "genesys-cloud", "--name", "wrong", "--header", "no header")
    named = await connect(gateway, "genesys-cloud", "--name", "no name")
    asked = await connect(gateway, "mapped-webhook", "--name", "asked")
    secret = await connect(gateway, "twilio", "--name", "secret")

    assert [code for code, _ in (wrong, named, asked, secret)] == [1, 1, 1, 1]
    assert "webhooks.wrong: " in wrong[1]
    assert "--name: letters, digits" in named[1]
    assert "--mapping is missing: The mapping file" in asked[1]
    assert "pipe it to --secret-stdin" in secret[1]
    assert {path: path.read_bytes() for path in gateway.file.parent.iterdir()} == before


@asynccontextmanager
async def another_server(healthy: str = "hello", status: int = 200, **headers: str) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.Response(text=healthy, headers=headers)
        return web.Response(status=status, headers=headers)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


async def at_address(gateway: Gateway, address: str) -> tuple[int | None, str]:
    return await connect(gateway, "genesys-cloud", "--name", "elsewhere", "--public-url", address, "--wait", "0")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, "answers 200 to a wrong secret"),
        (404, "another server answers there, or a gateway that does not serve this webhook"),
        (302, "the address sends posts elsewhere"),
        (401, "but this gateway did not get it"),
    ],
)
async def test_an_address_that_leads_elsewhere_is_found_out(gateway: Gateway, status: int, expected: str) -> None:
    async with another_server(status=status, Location="https://events.example.org/") as address:
        code, said = await at_address(gateway, address)

    assert code == 1
    assert expected in said
    assert f"look     address: {address}/healthz answers 200, and not as a gateway does" in said


async def test_another_gateway_is_not_ours(gateway: Gateway) -> None:
    async with running_gateway() as posts:
        code, said = await at_address(gateway, posts.address)

    assert code == 1
    assert f"good     address: {posts.address}/healthz answers" in said
    assert "a gateway that does not serve this webhook" in said


async def test_a_clock_that_differs_is_found_by_its_answer(gateway: Gateway) -> None:
    async with another_server('{"alive":true}', Date="Mon, 02 Mar 2026 09:00:00 GMT") as address:
        code, said = await at_address(gateway, address)

    assert code == 1
    assert "bad      address: its clock is" in said


async def test_an_address_where_nobody_is_or_that_is_none_is_named(gateway: Gateway) -> None:
    nobody = await at_address(gateway, "http://127.0.0.1:1")
    none = await at_address(gateway, "events.example.org")

    assert (nobody[0], "bad      address: nothing answers at http://127.0.0.1:1/healthz" in nobody[1]) == (1, True)
    assert (none[0], "--public-url: expected https://host" in none[1]) == (1, True)


async def test_without_a_gateway_it_says_how_to_start_one(tmp_path: Path) -> None:
    nowhere = Gateway("http://127.0.0.1:1", tmp_path / "webhooks.toml", tmp_path / "events")
    code, said = await connect(nowhere, "genesys-cloud", "--wait", "1s")

    assert code == 1
    assert "bad      gateway: nothing answers at http://127.0.0.1:1" in said
    assert f"start it: contact-stream gateway --webhooks {tmp_path / 'webhooks.toml'}" in said
    assert webhooks_of(tmp_path / "webhooks.toml").keys() == {"genesys-cloud"}


async def test_time_ends_the_waiting_and_so_does_ctrl_c_and_what_was_written_stays(gateway: Gateway) -> None:
    code, said = await connect(gateway, "genesys-cloud", "--name", "patient", "--wait", "1s")

    assert (code, "nothing of use came within 1 s" in said) == (1, True)

    async with connecting(gateway, "genesys-cloud", "--name", "stopped") as run:
        await said_until(run, "waiting for the first event")
        run.send_signal(signal.SIGINT)
        assert await run.wait() == 130
        assert run.stdout is not None
        assert b"Traceback" not in await run.stdout.read()

    assert {"patient", "stopped"} <= webhooks_of(gateway.file).keys()
    assert all(not path.name.startswith(".") for path in gateway.file.parent.iterdir())


def person_at(gateway: Gateway, *arguments: str) -> Person:
    flags = ("--webhooks", str(gateway.file), "--gateway", gateway.address)
    return Person(gateway.file.parent, *arguments, *flags)


def test_a_person_is_asked_again_where_an_answer_cannot_be_meant(gateway: Gateway) -> None:
    person = person_at(gateway, "mapped-webhook", "--name", "typed", "--wait", "0")
    person.reads("The mapping file")
    person.types("none.toml\n")
    person.reads("there is no file none.toml")
    person.reads("mapping: ")
    person.types(f"{HOME_MADE}\n")
    person.reads("tenant")
    person.types("\n")
    person.reads("What the system calls")
    person.types(f"{gateway.address}\n")
    person.reads("a request with the secret is taken")
    person.reads("docs/sources/mapping.md")

    assert person.leaves() == 0


def test_a_secret_is_asked_without_being_shown(gateway: Gateway) -> None:
    person = person_at(
        gateway, "twilio", "--name", "hidden", "--tenant", "acme", "--public-url", gateway.address, "--wait", "0"
    )
    # The space comes once nothing that is typed is shown any more.
    person.reads("The token for twilio, which is not shown: ")
    person.types("pa55word\n")
    person.reads("a request with the secret is taken")
    person.reads("docs/sources/twilio.md")

    assert person.leaves() == 0
    assert "pa55word" not in person.seen
    assert gateway.file.with_name("hidden.secret").read_text() == "pa55word\n"


def test_ctrl_c_at_a_question_leaves_nothing(gateway: Gateway) -> None:
    before = {path: path.read_bytes() for path in gateway.file.parent.iterdir()}
    person = person_at(gateway, "twilio", "--name", "left", "--tenant", "acme", "--public-url", gateway.address)
    person.reads("The token for twilio")
    person.process.send_signal(signal.SIGINT)

    assert person.leaves() == 130
    assert {path: path.read_bytes() for path in gateway.file.parent.iterdir()} == before


def test_who_has_mended_what_was_wrong_has_it_tried_again(gateway: Gateway) -> None:
    person = person_at(
        gateway, "genesys-cloud", "--name", "mended", "--tenant", "acme", "--public-url", "http://127.0.0.1:1"
    )
    person.reads("nothing answers at http://127.0.0.1:1")
    person.reads("Try again?")
    person.types("y\n")
    person.reads("Try again?")
    person.types("n\n")

    assert person.leaves() == 1
