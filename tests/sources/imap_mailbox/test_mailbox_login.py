"""Who logs in: passwords and tokens from files, and tokens that an endpoint gives for a refresh token."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from stream.errors import SettingsError
from stream.sources.imap_mailbox.login import AccessTokens, MailboxLogin
from stream.sources.imap_mailbox.mailbox_file import RefreshedToken, mailbox_of
from stream.sources.imap_mailbox.session import Credentials, MailboxAway, MailboxRefused
from tests.sources.imap_mailbox.mailboxes import Clock, settings_in
from tests.sources.imap_mailbox.scripted_server import served


class Endpoint:
    """Gives tokens 1, 2, 3 …, or what a test wants."""

    def __init__(self) -> None:
        self.forms: list[dict[str, Any]] = []
        self.answer: web.Response | None = None
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.forms.append(dict(await request.post()))
        if self.answer is not None:
            return self.answer
        return web.json_response({"access_token": f"token {len(self.forms)}", "expires_in": 3600, "scope": "x"})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    found = Endpoint()
    application = web.Application()
    application.add_routes([web.post("/token", found.handle)])
    server = TestServer(application)
    await server.start_server()
    found.url = str(server.make_url("/token"))
    yield found
    await server.close()


def told_in(folder: Path, url: str, **told: Any) -> RefreshedToken:
    for name in ("client", "secret", "refresh"):
        (folder / name).write_text(f"the {name}\n")
    return RefreshedToken(
        token_url=url,
        client_id_file=folder / "client",
        client_secret_file=folder / "secret",
        refresh_token_file=folder / "refresh",
        **told,
    )


async def test_a_token_is_asked_for_as_the_standard_says_and_used_until_its_last_minute(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    clock = Clock()
    tokens = AccessTokens(told_in(tmp_path, endpoint.url, scope="mail"), clock)

    assert [await tokens.current(), await tokens.current()] == ["token 1"] * 2
    assert "token 1" not in repr(Credentials("mia", await tokens.current(), is_token=True)) + repr(vars(tokens))
    assert endpoint.forms == [
        {
            "grant_type": "refresh_token",
            "client_id": "the client",
            "client_secret": "the secret",
            "refresh_token": "the refresh",
            "scope": "mail",
        }
    ]
    clock.at += timedelta(minutes=59)
    assert await tokens.current() == "token 2"
    tokens.forget()
    assert await tokens.current() == "token 3"


async def test_a_client_of_its_own_right_needs_no_refresh_token(endpoint: Endpoint, tmp_path: Path) -> None:
    told = replace(told_in(tmp_path, endpoint.url, scope="mail"), refresh_token_file=None)

    assert await AccessTokens(told, Clock()).current() == "token 1"
    assert endpoint.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "the client",
            "client_secret": "the secret",
            "scope": "mail",
        }
    ]


@pytest.mark.parametrize("expires_in", ['"3599"', "3599", "99999999999999"])
async def test_an_end_of_a_token_is_a_number_or_the_text_of_one(
    endpoint: Endpoint, tmp_path: Path, expires_in: str
) -> None:
    endpoint.answer = web.Response(text=f'{{"access_token": "good", "expires_in": {expires_in}}}')
    tokens = AccessTokens(told_in(tmp_path, endpoint.url), Clock())

    assert [await tokens.current(), await tokens.current()] == ["good"] * 2


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ((400, '{"error": "invalid_grant marked"}'), MailboxRefused),
        ((401, "marked"), MailboxRefused),
        ((500, "marked"), MailboxAway),
        ((302, "marked"), MailboxAway),
        ((200, "marked"), MailboxAway),
        ((200, '{"access_token": ""}'), MailboxAway),
        ((200, "[" * 70_000), MailboxAway),
    ],
)
async def test_an_endpoint_that_gives_none_is_named_and_not_quoted(
    endpoint: Endpoint, tmp_path: Path, answer: tuple[int, str], failure: type[Exception]
) -> None:
    endpoint.answer = web.Response(status=answer[0], text=answer[1], headers={"Location": "/token"})

    with pytest.raises(failure, match=r"^127\.0\.0\.1") as caught:
        await AccessTokens(told_in(tmp_path, endpoint.url), Clock()).current()
    assert "marked" not in str(caught.value)
    assert len(endpoint.forms) == 1


async def test_a_token_that_comes_in_parts_is_read_to_its_end(tmp_path: Path) -> None:
    first, second = b'{"access_token": "go', b'od", "expires_in": 3600}'

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"grant_type")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(first + second) + first)
        await writer.drain()
        # As two packets do: the first is read before the second is there.
        await asyncio.sleep(0.05)
        writer.write(second)
        await reader.read()

    async with served(answer) as port:
        tokens = AccessTokens(told_in(tmp_path, f"http://127.0.0.1:{port}/token"), Clock())
        assert await tokens.current() == "good"


async def test_an_endpoint_that_is_away_is_asked_later(tmp_path: Path) -> None:
    with pytest.raises(MailboxAway, match="no token: ClientConnectorError"):
        await AccessTokens(told_in(tmp_path, "http://127.0.0.1:9/token"), Clock()).current()


@pytest.mark.parametrize(
    "url", ["http://login.example.com/token", "ftp://x/y", "https://", "no address", "http://[::1"]
)
def test_secrets_go_nowhere_in_plain_text(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="token_url: expected https://"):
        AccessTokens(told_in(tmp_path, url), Clock())


async def test_files_say_whether_it_is_a_password_or_a_token(endpoint: Endpoint, tmp_path: Path) -> None:
    password = settings_in(tmp_path)
    token = settings_in(tmp_path, password_file=None, access_token_file=tmp_path / "password")
    oauth = settings_in(tmp_path, password_file=None, oauth=told_in(tmp_path, endpoint.url))

    found = [await MailboxLogin(each, Clock()).credentials() for each in (password, token, oauth)]

    user = "support@example.org"
    assert found == [
        Credentials(user, "hush", is_token=False),
        Credentials(user, "hush", is_token=True),
        Credentials(user, "token 1", is_token=True),
    ]


async def test_a_token_that_the_server_refused_is_fetched_anew(endpoint: Endpoint, tmp_path: Path) -> None:
    login = MailboxLogin(settings_in(tmp_path, password_file=None, oauth=told_in(tmp_path, endpoint.url)), Clock())
    await login.credentials()
    login.refused()

    assert (await login.credentials()).secret == "token 2"


# -- the file ----------------------------------------------------------------------------------

FILE = """
host = "imap.example.org"
user = "support@example.org"
key_file = "key"
queue = "support"
team = ["example.org"]
password_file = "password"
"""


def written(folder: Path, text: str) -> Path:
    (folder / "mailbox.toml").write_text(text)
    return folder / "mailbox.toml"


def test_a_file_needs_little_and_its_paths_stand_beside_it(tmp_path: Path) -> None:
    told = mailbox_of(written(tmp_path, FILE))

    assert told.key_file == tmp_path / "key"
    assert (told.security, told.resolved_by, told.source) == ("tls", "answer", "/mailbox/support")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ('password_file = ""\naccess_token_file = "x"', "one of password_file, access_token_file and"),
        ("", "one of password_file, access_token_file and"),
        ('[oauth]\ntoken_url = "https://x/"\nclient_id_file = "c"', "[oauth] needs refresh_token_file"),
        ('password_file = "p"\nsecurity = "none"', "is for this machine only"),
        ('password_file = "p"\nresolved_by = "folder"', "needs done = "),
        ('password_file = "p"\ndone = ["Done"]', "done is for resolved_by"),
        ('password_file = "p"\nresolved_by = "magic"', "resolved_by"),
        ('password_file = "p"\npassword = "p"', "unknown field `password`"),
        ('password_file = "p"\npoll_seconds = 3600', "poll_seconds"),
        ('password_file = "p"\nflag = "a) LOGOUT"', "flag"),
        ('password_file = "p"\ninbox = []', "inbox"),
    ],
)
def test_a_file_that_cannot_be_meant_says_what_is_wrong(tmp_path: Path, changed: str, fault: str) -> None:
    path = written(tmp_path, FILE.replace('password_file = "password"', changed))

    with pytest.raises(SettingsError, match=r"mailbox\.toml") as caught:
        mailbox_of(path)
    assert fault in str(caught.value)


def test_an_authority_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("no certificate")

    for name in ("ca", "missing"):
        with pytest.raises(SettingsError, match="ca_file: "):
            settings_in(tmp_path, ca_file=tmp_path / name).tls()
