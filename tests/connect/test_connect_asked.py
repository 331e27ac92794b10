"""`contact-stream connect` for mailboxes and APIs, at real servers: file, secrets, login, first event."""

import asyncio
import shlex
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from stream.broker.child import HOST
from stream.cli.questions import SECRET_VARIABLE
from stream.cli.sources import source
from stream.sources.imap_mailbox.mailbox_file import mailbox_of
from tests.connect.commands import ENVIRONMENT, Person, connected
from tests.mail_servers import PASSWORD, USER, Dovecot, dovecot_server
from tests.sources.imap_mailbox.mailboxes import message
from tests.sources.nicereply.account import CSAT, answer_as_nicereply
from tests.sources.nicereply.account import response as nicereply_response

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TOKEN = "t0ken-of-the-api"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot_server() as found:
        found.deliver(message(), datetime.now(UTC) - timedelta(hours=1))
        yield found


def mailbox(server: Dovecot) -> list[str]:
    place = ["--host", HOST, "--port", str(server.tls_port), "--ca-file", str(server.ca_file)]
    return ["imap-mailbox", "--name", "support", *place, "--user", USER]


OF_TEAM = ("--queue", "support", "--team", "example.org")


async def test_a_mailbox_gets_its_file_its_secrets_and_its_first_event(server: Dovecot, tmp_path: Path) -> None:
    flags = (*mailbox(server), *OF_TEAM, "--resolved-by", "archive", "--secret-stdin")
    code, said = await connected(tmp_path, *flags, stdin=f"{PASSWORD}\n")

    assert code == 0, said
    assert "it hears /mailbox/support" in said
    assert "contact-stream source imap-mailbox support.toml" in said
    assert "first event: 1 case.opened, 1 message.received; a trial sends none of them" in said
    told = mailbox_of(tmp_path / "support.toml")
    assert (told.host, told.queue, told.team, told.resolved_by) == (HOST, "support", ("example.org",), "archive")
    assert {path.name for path in tmp_path.iterdir()} == {"support.toml", "support.key", "support.password"}
    assert (tmp_path / "support.password").read_text() == f"{PASSWORD}\n"
    for secret in ("support.key", "support.password"):
        assert (tmp_path / secret).stat().st_mode & 0o777 == 0o600


async def test_one_secret_in_the_environment_is_not_taken_for_several(
    server: Dovecot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, SECRET_VARIABLE, "of-which")
    (tmp_path / "google.secret").write_text("of-the-client\n")
    tokens = ("--token-url", "https://127.0.0.1:1", "--client-secret-file", "google.secret")
    flags = (*mailbox(server), *OF_TEAM, "--refresh-token-file", "google.refresh", *tokens)
    code, said = await connected(tmp_path, *flags)
    for there in ("google.refresh", "support.client-id"):
        (tmp_path / there).write_text("as it was\n")
    replaced, as_well = await connected(tmp_path, *flags, "--replace")

    assert code == replaced == 1
    assert f"{SECRET_VARIABLE} is one secret" in as_well
    assert f"{SECRET_VARIABLE} is one secret, and --refresh-token-file and --client-id-file are several" in said
    assert "of-which" not in said
    assert (tmp_path / "google.refresh").read_text() == "as it was\n"
    assert {path.name for path in tmp_path.iterdir()} == {"google.secret", "google.refresh", "support.client-id"}


def test_a_person_is_asked_what_a_mailbox_needs_and_for_its_password_again(server: Dovecot, tmp_path: Path) -> None:
    person = Person(tmp_path, *mailbox(server))
    person.answers("password_file: The password of the user.", "")
    person.answers("What the board calls the mailbox.", "support")
    person.answers("from which our people answer", "example.org, example.net")
    person.answers("tenant", "")
    person.answers("The password for imap-mailbox, which is not shown", "a wrong one")
    person.reads("bad      connection")
    person.answers("Try again?", "y")
    person.answers("The password for imap-mailbox, which is not shown (empty: as it is)", PASSWORD)
    person.reads("it hears /mailbox/support")
    person.reads("first event: 1 case.opened")

    assert person.leaves() == 0
    assert "a wrong one" not in person.seen
    assert PASSWORD not in person.seen
    assert mailbox_of(tmp_path / "support.toml").team == ("example.org", "example.net")


async def test_a_login_that_is_refused_is_mended_by_another_secret(server: Dovecot, tmp_path: Path) -> None:
    flags = (*mailbox(server), *OF_TEAM, "--secret-stdin")
    refused, why = await connected(tmp_path, *flags, stdin="a wrong one\n")
    key = (tmp_path / "support.key").read_text()
    stays, because = await connected(tmp_path, *mailbox(server)[:3], "--secret-stdin", stdin=f"{PASSWORD}\n")
    mended, said = await connected(tmp_path, *flags, "--replace", stdin=f"{PASSWORD}\n")

    assert refused == stays == 1
    assert "bad      connection: " in why
    assert "Run it" not in why
    assert "support.toml is there, and used as it is" in because
    assert mended == 0, said
    assert "support.password was written anew" in said
    # With another key all customers would be others.
    assert (tmp_path / "support.key").read_text() == key


async def test_a_mailbox_with_oauth_names_all_that_tokens_are_fetched_with(server: Dovecot, tmp_path: Path) -> None:
    address = "http://127.0.0.1:1/token"
    (tmp_path / "google.secret").write_text("of-the-client\n")
    flags = ("--refresh-token-file", "google.refresh", "--token-url", address, "--client-secret-file", "google.secret")
    code, said = await connected(
        tmp_path, *mailbox(server), *OF_TEAM, *flags, "--secret-stdin", stdin="the-refresh-token\nthe-id\n"
    )

    assert code == 1
    assert "127.0.0.1: no token" in said
    oauth = mailbox_of(tmp_path / "support.toml").oauth
    assert oauth is not None
    assert (oauth.token_url, oauth.client_secret_file) == (address, tmp_path / "google.secret")
    assert oauth.refresh_token_file is not None
    assert oauth.refresh_token_file.read_text() == "the-refresh-token\n"
    assert oauth.client_id_file == tmp_path / "support.client-id"
    assert (tmp_path / "support.client-id").read_text() == "the-id\n"


class Api(NamedTuple):
    """What an API of a source answers by its paths, who may ask, and what is to be said of it."""

    flags: tuple[str, ...]
    header: str
    answers: Mapping[str, Any]
    told: Mapping[str, Any] = {}
    """In the file about it, without address and token."""


USER_OF_API = "mia@acme.example"
SURVEYMONKEY = {
    "id": "1",
    "date_modified": "2026-03-02T10:00:00+00:00",
    "pages": [{"questions": [{"id": "17", "answers": [{"simple_text": "5"}]}]}],
}
APIS: Mapping[str, Api] = {
    "zendesk-export": Api(
        flags=("--user", USER_OF_API, "--since", "2026-01-01"),
        header="Authorization",
        answers={
            "/api/v2/users.json": {"users": [], "meta": {"has_more": False}},
            "/api/v2/incremental/ticket_events.json": {
                "ticket_events": [
                    {
                        "id": 1,
                        "ticket_id": 5,
                        "timestamp": 1_772_445_600,
                        "created_at": "2026-03-02T10:00:00Z",
                        "event_type": "Audit",
                        "updater_id": 7,
                        "via": "Mail",
                        "child_events": [{"id": 2, "event_type": "Create", "status": "new", "requester_id": 7}],
                    }
                ],
                "end_time": 1_772_445_600,
                "end_of_stream": True,
            },
        },
    ),
    "liveagent-tickets": Api(
        flags=("--since", "2026-01-01"),
        header="apikey",
        answers={
            "/tickets": [
                {
                    "id": "t1",
                    "status": "N",
                    "date_created": "2026-03-02 10:00:00",
                    "date_changed": "2026-03-02 10:00:00",
                    "channel_type": "E",
                }
            ]
        },
    ),
    "nicereply": Api(
        flags=("--since", "2026-01-01", "--questions", f'{{"{CSAT}": {{"kind": "csat"}}}}'),
        header="Authorization",
        answers={"/responses": lambda request: answer_as_nicereply([nicereply_response(1)], request)},
        told={"questions": {CSAT: {"kind": "csat"}}},
    ),
    "surveymonkey": Api(
        flags=("--since", "2026-01-01", "--survey", "4711", "--questions", '{"17": {"kind": "csat", "scale": "1-5"}}'),
        header="Authorization",
        answers={"/surveys/4711/responses/bulk": {"data": [SURVEYMONKEY], "links": {}}},
        told={"survey": "4711", "questions": {"17": {"kind": "csat", "scale": "1-5"}}},
    ),
}


@asynccontextmanager
async def served(api: Api) -> AsyncIterator[str]:
    """Serve an API on loopback to whoever shows the token."""

    async def answer(request: web.Request) -> web.StreamResponse:
        shown = request.headers.get(api.header, "")
        if TOKEN not in shown and b64(f"{USER_OF_API}/token:{TOKEN}") not in shown and b64(f":{TOKEN}") not in shown:
            return web.Response(status=401)
        content = api.answers.get(request.path)
        if content is None:
            return web.Response(status=404)
        return content(request) if callable(content) else web.json_response(content)

    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


def b64(text: str) -> str:
    from base64 import b64encode

    return b64encode(text.encode()).decode()


@pytest.mark.parametrize("name", APIS)
async def test_an_api_is_asked_and_what_it_tells_first_is_said(name: str, tmp_path: Path) -> None:
    api = APIS[name]
    async with served(api) as address:
        flags = (name, "--name", "acme", "--address", address, *api.flags, "--secret-stdin")
        code, said = await connected(tmp_path, *flags, stdin=f"{TOKEN}\n")
        again, once_more = await connected(tmp_path, *flags[:5], *flags[5:-1], *(("--replace",) if api.told else ()))

    assert (code, again) == (0, 0), said + once_more
    assert f"it hears {address}" in said
    assert "good     first event: 1 " in said
    assert (tmp_path / "acme.secret").read_text() == f"{TOKEN}\n"
    assert (tmp_path / "acme.secret").stat().st_mode & 0o777 == 0o600
    if api.told:
        written = tomllib.loads((tmp_path / "acme.toml").read_text())
        since = datetime(2026, 1, 1, tzinfo=UTC).date()
        assert written == {"address": address, "token_file": "acme.secret", "since": since, **api.told}
    # What is printed is a command that the source understands, with each argument in its place.
    command = said.partition("Run it:\n  ")[2].partition("\n")[0].replace("HOST:PORT", "127.0.0.1:1")
    words = shlex.split(command)
    assert words[:3] == ["contact-stream", "source", name]
    parsed = CliRunner().invoke(source, [*words[2:], "--help"])
    assert parsed.exit_code == 0
    if name == "zendesk-export":
        assert words[3:7] == [address, USER_OF_API, "acme.secret", "2026-01-01"]


@pytest.mark.parametrize("name", APIS)
async def test_an_api_that_refuses_the_token_is_said_and_no_command_to_run(name: str, tmp_path: Path) -> None:
    api = APIS[name]
    async with served(api) as address:
        flags = (name, "--address", address, *api.flags, "--secret-stdin")
        code, said = await connected(tmp_path, *flags, stdin="a wrong one\n")

    assert code == 1
    assert "answers 401: look at address and login" in said
    assert "Run it" not in said


def test_a_person_names_questions_one_after_another(tmp_path: Path) -> None:
    person = Person(tmp_path, "nicereply", "--address", "http://127.0.0.1:1", "--wait", "0")
    person.answers("The first day", "last year")
    person.answers("That cannot be meant", "2026-01-01")
    person.answers("tenant", "acme")
    person.answers("The queue that the responses rate", "")
    person.answers("What questions mean, by their id", CSAT)
    person.answers("What it asks about.", "happiness")
    person.answers("That cannot be meant", "csat")
    person.answers("questions", "")
    person.answers("path", "")
    person.answers("user", "")
    person.answers("The token for nicereply", TOKEN)
    person.reads("bad      connection")
    person.answers("Try again?", "n")

    assert person.leaves() == 1
    assert TOKEN not in person.seen
    written = tomllib.loads((tmp_path / "nicereply.toml").read_text())
    assert (written["tenant"], written["questions"]) == ("acme", {CSAT: {"kind": "csat"}})


async def test_a_quiet_log_is_no_error_and_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text("")
    waiting = asyncio.create_task(connected(tmp_path, "asterisk-queue-log", "--file", "queue_log", "--wait", "60s"))
    await asyncio.sleep(0)
    with log.open("a") as file:
        file.write("1772445600|c1|sales|NONE|ENTERQUEUE||x|1\n")
    code, said = await waiting
    quiet, why = await connected(tmp_path, "asterisk-queue-log", "--file", "queue_log", "--wait", "0")

    assert code == quiet == 0, said + why
    assert "good     first event: " in said


async def test_what_comes_and_is_of_no_use_is_said_while_waiting(tmp_path: Path) -> None:
    (tmp_path / "queue_log").write_text("1772445600|c1|sales|NONE|RUMOUR|\n")
    code, said = await connected(tmp_path, "asterisk-queue-log", "--file", "queue_log", "--wait", "1s")

    assert code == 1
    assert "look     input: one came of a kind that is not known: RUMOUR" in said
    assert "bad      first event: nothing of use came within 1 s" in said
