"""The mailbox on a real server, Debian's Dovecot: TLS, IDLE, moves and flags, restarts, the command itself."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from stream.broker.child import HOST
from stream.core.cloudevents import Event
from stream.errors import SourceError
from stream.sources.imap_mailbox.mailbox_file import MailboxSettings
from stream.sources.imap_mailbox.source import MailboxPuller
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from tests.families.cases.stories import folded, only
from tests.mail_servers import PASSWORD, USER, Dovecot, dovecot_server
from tests.sources.imap_mailbox.mailboxes import message, settings_in, told_of
from tests.sources.imap_mailbox.test_mail_stories import EVENING, at, recorded

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PATIENCE = 60
SENT = "Posta"
"""The server says that what is sent lies there."""


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot_server() as found:
        yield found


@pytest.fixture
def told(server: Dovecot, tmp_path: Path) -> MailboxSettings:
    server.start()
    server.clear()
    (tmp_path / "secret").write_text(PASSWORD)
    return settings_in(
        tmp_path,
        port=server.tls_port,
        security="tls",
        ca_file=server.ca_file,
        password_file=tmp_path / "secret",
        poll_seconds=20,
        read_back_days=400,
    )


class Pulled:
    """What has been told so far."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches
        self.events: list[Event] = []
        self.position: bytes | None = None

    async def until(self, count: int) -> list[str]:
        """Return what the next events say, when there are so many."""
        before = len(self.events)
        while len(self.events) < before + count:
            batch = await anext(self._batches)
            self.events += batch.events
            self.position = batch.position
        return told_of(self.events[before:])


@asynccontextmanager
async def pulled(told: MailboxSettings, saved: bytes | None = None) -> AsyncIterator[Pulled]:
    puller = MailboxPuller(lambda: told, Intake(), back_off=BackOff(first=0.05, longest=0.2))
    async with asyncio.timeout(PATIENCE), aclosing(puller.batches(saved)) as batches:
        yield Pulled(batches)


def deliver(server: Dovecot, header: bytes, received: datetime, folder: str = "INBOX") -> None:
    server.deliver(header.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n\r\nxyzzy body\r\n", received, folder)


async def test_the_recorded_messages_have_the_same_figures_and_stay_unseen(
    server: Dovecot, told: MailboxSettings
) -> None:
    for header, received, folder in recorded():
        deliver(server, header, received, SENT if folder == "Sent" else folder)

    async with pulled(told) as found:
        await found.until(22)

    board = only(folded(found.events), EVENING)
    assert (board.open, board.waiting, board.waiting_since) == (5, 5, at("12:00"))
    assert not any(b"Seen" in flags for flags in server.flags())


async def test_idle_tells_what_comes_long_before_it_is_time_to_ask(server: Dovecot, told: MailboxSettings) -> None:
    deliver(server, message(1), at("08:00"))
    loop = asyncio.get_running_loop()
    async with pulled(told) as found:
        await found.until(2)
        for number in (2, 3):
            begin = loop.time()
            coming = asyncio.ensure_future(found.until(2))
            await asyncio.to_thread(deliver, server, message(number), at("09:00"))
            await coming
            assert loop.time() - begin < told.poll_seconds / 2


@pytest.mark.parametrize("security", ["starttls", "none"])
async def test_the_other_port_is_spoken_to_with_starttls_or_here_in_plain_text(
    server: Dovecot, told: MailboxSettings, security: Any
) -> None:
    deliver(server, message(1), at("08:00"))
    other = replace(told, port=server.port, security=security)
    async with pulled(other) as found:
        assert len(await found.until(2)) == 2


async def test_a_certificate_of_nobody_we_trust_and_a_wrong_password_are_refused(
    told: MailboxSettings, tmp_path: Path
) -> None:
    (tmp_path / "wrong").write_text("wrong")
    wrong = replace(told, password_file=tmp_path / "wrong")
    with pytest.raises(SourceError, match="refuses the login"):
        async with pulled(wrong) as found:
            await found.until(1)
    stranger = replace(told, ca_file=None)
    with pytest.raises(SourceError, match="certificate that is not trusted"):
        async with pulled(stranger) as found:
            await found.until(1)


async def test_a_token_is_good_where_its_endpoint_says_so(
    server: Dovecot, told: MailboxSettings, tmp_path: Path
) -> None:
    async def introspect(request: web.Request) -> web.StreamResponse:
        is_good = request.query.get("token") == "ya29.good"
        return web.json_response({"active": "true" if is_good else "false", "email": USER})

    application = web.Application()
    application.add_routes([web.get("/introspect", introspect)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, HOST, server.token_port).start()
    deliver(server, message(1), at("08:00"))
    (tmp_path / "token").write_text("ya29.good")
    with_token = replace(told, password_file=None, access_token_file=tmp_path / "token")
    try:
        async with pulled(with_token) as found:
            assert len(await found.until(2)) == 2
        (tmp_path / "token").write_text("ya29.old")
        with pytest.raises(SourceError, match="refuses the login"):
            async with pulled(with_token) as found:
                await found.until(1)
    finally:
        await runner.cleanup()


async def test_a_server_that_goes_and_comes_back_loses_nothing(server: Dovecot, told: MailboxSettings) -> None:
    deliver(server, message(1), at("08:00"))
    async with pulled(told) as found:
        await found.until(2)
        await asyncio.to_thread(server.stop)
        coming = asyncio.ensure_future(found.until(2))
        await asyncio.sleep(0.3)  # some attempts fail
        assert not coming.done()
        server.start()  # not in a thread: it dies with whoever starts it
        await asyncio.to_thread(deliver, server, message(2), at("09:00"))
        assert (await coming)[0] == "23 09:00:00 Opened"


async def test_a_restart_goes_on_behind_its_position(server: Dovecot, told: MailboxSettings) -> None:
    deliver(server, message(1), at("08:00"))
    async with pulled(told) as first:
        await first.until(2)
    deliver(server, message(2, references="<m1@example.com>"), at("09:00"))
    deliver(
        server,
        message(3, **{"from": "ana@example.org", "references": "<m2@example.com>", "to": "c@d.example"}),
        at("10:00"),
        SENT,
    )

    async with pulled(told, first.position) as second:
        assert await second.until(4) == [
            "23 09:00:00 Reopened",
            "23 09:00:00 MessageReceived",
            "23 10:00:00 MessageSent agent",
            "23 10:00:00 Resolved agent",
        ]
    assert {event.subject for event in first.events} == {event.subject for event in second.events}


async def test_a_mailbox_that_was_made_anew_tells_nothing_twice(server: Dovecot, told: MailboxSettings) -> None:
    deliver(server, message(1), at("08:00"))
    deliver(server, message(2), at("08:30"))
    async with pulled(told) as first:
        await first.until(4)
    server.clear()
    for number, clock in ((2, "08:30"), (3, "09:00")):
        deliver(server, message(number), at(clock))

    async with pulled(told, first.position) as second:
        assert await second.until(2) == ["23 09:00:00 Opened", "23 09:00:00 MessageReceived"]
    assert first.position is not None
    assert second.position is not None
    validities = [json.loads(each)["folders"]["INBOX"]["validity"] for each in (first.position, second.position)]
    assert validities[0] != validities[1]


@pytest.mark.parametrize(
    ("resolved_by", "more"),
    [
        ("archive", {}),
        ("flag", {"flag": "Finished"}),
        ("flag", {"flag": "\\Answered"}),
        ("folder", {"done": ("Done",)}),
    ],
    ids=["archive", "keyword", "answered", "folder"],
)
async def test_a_case_is_solved_as_the_team_says(
    server: Dovecot, told: MailboxSettings, resolved_by: str, more: dict[str, Any]
) -> None:
    deliver(server, message(1), at("08:00"))
    deliver(server, message(2), at("08:00"))
    watching = replace(told, resolved_by=resolved_by, poll_seconds=0.2, **more)
    async with pulled(watching) as found:
        await found.until(4)
        before = datetime.now(UTC)
        if resolved_by == "flag":
            await asyncio.to_thread(server.flag, 2, more["flag"])
        else:
            await asyncio.to_thread(server.move, 2, "Done")
        assert [told_now.split()[-1] for told_now in await found.until(1)] == ["Resolved"]

    solved = found.events[-1]
    assert before - timedelta(seconds=1) <= solved.time <= datetime.now(UTC)
    assert solved.subject == found.events[2].subject


async def test_the_command_tells_it_and_ends_soon_after_a_signal(
    server: Dovecot, told: MailboxSettings, tmp_path: Path
) -> None:
    deliver(server, message(1, subject="xyzzy"), at("08:00"))
    (tmp_path / "mailbox.toml").write_text(
        f'host = "{HOST}"\nport = {server.tls_port}\nuser = "{USER}"\npassword_file = "secret"\nkey_file = "key"\n'
        f'ca_file = "{told.ca_file}"\nqueue = "support"\nteam = ["example.org"]\nread_back_days = 400\n'
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream", "source", "imap-mailbox", str(tmp_path / "mailbox.toml"), "--dry-run"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    lines = [json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE)) for _ in range(2)]
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)

    assert [line["type"] for line in lines] == ["case.opened", "message.received"]
    assert process.returncode == 0, errors.decode()[-2000:]
    assert b"xyzzy" not in errors + json.dumps(lines).encode()
