"""The session with a server: the recorded one byte by byte, and servers that are slow, lost, full of garbage."""

import asyncio
import re
import ssl
from base64 import b64decode
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from stream.errors import SourceError
from stream.sources.imap_mailbox import bounded_client, connection, imap_session
from stream.sources.imap_mailbox.header_fields import FETCHED_FIELDS
from stream.sources.imap_mailbox.imap_session import ImapSession
from stream.sources.imap_mailbox.session import Credentials, MailboxAway, MailboxRefused, MailboxServer
from stream.sources.imap_mailbox.source import MailboxPuller
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from tests.sources.imap_mailbox.mailboxes import Clock, settings_in, told_of
from tests.sources.imap_mailbox.scripted_server import (
    GREETING,
    ScriptedServer,
    answering,
    recorded_exchanges,
    served,
)
from tests.sources.imap_mailbox.test_mail_stories import EVENING

WHO = Credentials("support@example.org", "hush", is_token=False)


def session_at(port: int) -> ImapSession:
    return ImapSession(MailboxServer(host="127.0.0.1", port=port, tls=None))


async def opened(port: int) -> ImapSession:
    found = session_at(port)
    await asyncio.to_thread(found.open, WHO)
    return found


def recorded_server() -> ScriptedServer:
    greeting, exchanges = recorded_exchanges()
    # Of the sent folder all was fetched without a question; and nobody looked at the inbox again behind IDLE.
    exchanges["Sent UID SEARCH"] = [b"* SEARCH 1\r\na1 OK done\r\n"]
    first, *_ = exchanges["INBOX EXAMINE"]
    exchanges["INBOX EXAMINE"] = [first] * 3 + [first.replace(b"UIDNEXT 8", b"UIDNEXT 13")]
    return ScriptedServer(greeting, exchanges)


# -- the recorded session ----------------------------------------------------------------------


async def test_the_recorded_session_is_read_and_waited_on_as_it_was(tmp_path: Path) -> None:
    server = recorded_server()
    intake = Intake()
    async with served(server.serve) as port:
        told = settings_in(tmp_path, port=port, sent=("Sent",), poll_seconds=30)
        puller = MailboxPuller(lambda: told, intake, clock=Clock(EVENING))
        async with asyncio.timeout(30), aclosing(puller.batches(None)) as batches:
            first = await anext(batches)
            second = await anext(batches)

    assert told_of(first.events)[:5] == [
        "23 08:00:00 Opened",
        "23 08:00:00 MessageReceived",
        "23 08:00:05 MessageSent automatic",
        "23 09:30:00 MessageSent agent",
        "23 09:30:00 Resolved agent",
    ]
    assert told_of(second.events)[:3] == ["24 07:00:00 Reopened", "24 07:00:00 MessageReceived", "24 09:00:10 Opened"]
    assert intake.read == 13
    assert "IDLE" in server.commands


async def test_nothing_is_asked_that_could_change_a_mailbox_or_tell_a_body(tmp_path: Path) -> None:
    server = recorded_server()
    async with served(server.serve) as port:
        told = settings_in(tmp_path, port=port, sent=("Sent",), poll_seconds=30)
        async with aclosing(MailboxPuller(lambda: told, Intake(), clock=Clock(EVENING)).batches(None)) as batches:
            await anext(batches)

    verbs = {" ".join(command.split()[: 2 if command.startswith("UID") else 1]) for command in server.commands}
    assert verbs <= {"CAPABILITY", "AUTHENTICATE", "EXAMINE", "UID SEARCH", "UID FETCH", "IDLE"}
    fetched = [command for command in server.commands if command.startswith("UID FETCH")]
    fields = " ".join(FETCHED_FIELDS).upper()
    assert fetched
    for command in fetched:
        assert re.fullmatch(
            rf"UID FETCH [\d,]+ \(INTERNALDATE BODY\.PEEK\[HEADER\.FIELDS \({fields}\)\]<0\.65536>\)", command
        )


async def test_behind_the_last_message_nothing_is_told_again() -> None:
    greeting, exchanges = recorded_exchanges()
    exchanges["INBOX UID SEARCH"] = [b"* SEARCH 12\r\na1 OK done\r\n"]
    async with served(ScriptedServer(greeting, exchanges).serve) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")

        # The last one answers for n:*, whatever n is, as in the recording.
        assert await asyncio.to_thread(found.uids_behind, 12) == []
        found.close()


# -- refusals ----------------------------------------------------------------------------------


async def test_the_recorded_refusal_of_a_login_is_told_at_once_and_quotes_nothing(tmp_path: Path) -> None:
    server = ScriptedServer(
        GREETING,
        {
            "LOGIN": [b"a1 NO [AUTHENTICATIONFAILED] marked\r\n"],
            "CAPABILITY": [b"* CAPABILITY IMAP4rev1\r\na1 OK done\r\n"],
        },
    )
    async with served(server.serve) as port:
        told = settings_in(tmp_path, port=port)
        with pytest.raises(SourceError, match=r"^127\.0\.0\.1:\d+ refuses the login$"):
            await anext(aiter(MailboxPuller(lambda: told, Intake()).batches(None)))


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    greeting, exchanges = recorded_exchanges()
    exchanges["Nowhere EXAMINE"] = [b"a1 NO [NONEXISTENT] Mailbox doesn't exist\r\n"]
    async with served(ScriptedServer(greeting, exchanges).serve) as port:
        told = settings_in(tmp_path, port=port, sent=("Nowhere",))
        with pytest.raises(SourceError, match="does not open the folder Nowhere"):
            await anext(aiter(MailboxPuller(lambda: told, Intake()).batches(None)))


async def test_who_wants_tls_gets_no_password_from_us_without() -> None:
    server = ScriptedServer(GREETING, {"CAPABILITY": [b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK done\r\n"]})
    async with served(server.serve) as port:
        found = ImapSession(MailboxServer(host="127.0.0.1", port=port, tls=ssl.create_default_context(), starttls=True))
        with pytest.raises(MailboxRefused, match="offers no STARTTLS"):
            await asyncio.to_thread(found.open, WHO)
        found.close()

    assert server.secrets == []


async def test_a_token_is_shown_as_xoauth2_wants_it() -> None:
    greeting, exchanges = recorded_exchanges()
    server = ScriptedServer(greeting, exchanges)
    async with served(server.serve) as port:
        found = session_at(port)
        await asyncio.to_thread(found.open, Credentials("support@example.org", "ya29.token", is_token=True))
        found.close()

    assert "AUTHENTICATE XOAUTH2" in server.commands
    (shown,) = server.secrets
    assert b64decode(shown) == b"user=support@example.org\1auth=Bearer ya29.token\1\1"


# -- servers that fail -------------------------------------------------------------------------

GARBAGE = [
    b"",
    b"\xff\xfe\x00\r\n",
    b"* BYE too many connections\r\n",
    b"TAG NO [UNAVAILABLE] later\r\n",
    b"TAG BAD what\r\n",
    b"* SEARCH one two\r\nTAG OK done\r\n",
    b"* 1 FETCH (UID\r\nTAG OK done\r\n",
    b"* OK [UIDVALIDITY many]\r\nTAG OK done\r\n",
    b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n",
    b"* 1 FETCH (UID 1 BODY[] {5}\r\nab",
    b"x" * 3_000_000 + b"\r\n",
    b"TAG OK done\r\n" * 3,
]
ASKED: list[Callable[[ImapSession], Any]] = [
    lambda found: found.select("INBOX"),
    lambda found: found.uids_behind(0),
    lambda found: found.uids_since(EVENING.date()),
    lambda found: found.headers([1]),
    lambda found: found.idle(0.2),
    lambda found: found.sent_folder(),
]


@pytest.mark.parametrize("said", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("asked", ASKED, ids=["select", "behind", "since", "headers", "idle", "sent"])
async def test_garbage_is_no_more_than_a_server_that_is_away(
    said: bytes, asked: Callable[[ImapSession], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_session, "IMAP_ANSWER_SECONDS", 0.3)
    async with served(answering(said, after=asked is not ASKED[0])) as port:
        found = await opened(port)
        try:
            if asked is not ASKED[0]:
                await asyncio.to_thread(found.select, "INBOX")
            await asyncio.to_thread(asked, found)
        except (MailboxAway, MailboxRefused) as failure:
            assert str(failure).startswith(f"127.0.0.1:{port}")  # noqa: PT017  # some garbage is an answer
        finally:
            found.close()


async def test_an_answer_that_would_fill_the_memory_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_client, "MOST_ANSWER_BYTES", 100_000)
    many = b"".join(
        b"* %d FETCH (UID %d BODY[HEADER.FIELDS (X)] {9000}\r\n%b)\r\n" % (n, n, b"x" * 9000) for n in range(50)
    )
    async with served(answering(many + b"TAG OK done\r\n", after=1)) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")
        with pytest.raises(MailboxAway, match="FETCH failed"):
            await asyncio.to_thread(found.headers, [1])
        found.close()


async def test_a_header_that_the_library_cannot_read_leaves_the_others() -> None:
    bad = b'* 1 FETCH (UID 1 INTERNALDATE "yesterday" BODY[HEADER.FIELDS (X)] {0}\r\n)\r\nTAG OK done\r\n'
    async with served(answering(bad, after=1)) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")

        assert [(each.uid, each.received) for each in await asyncio.to_thread(found.headers, [1])] == [(1, None)]
        found.close()


async def test_a_server_that_says_nothing_is_left_after_a_while(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(connection, "FETCH_SECONDS", 0.3)
    intake, waited = Intake(), asyncio.Event()

    async def sleep(_: float) -> None:
        waited.set()
        await asyncio.sleep(0.01)

    async with served(answering(b"", after=1)) as port:
        told = settings_in(tmp_path, port=port, sent=("Sent",))
        puller = MailboxPuller(lambda: told, intake, back_off=BackOff(sleep=sleep))
        task = asyncio.ensure_future(anext(aiter(puller.batches(None))))
        await asyncio.wait_for(waited.wait(), 20)
        task.cancel()
        await asyncio.wait([task])

    assert intake.connected == {"/mailbox/support": False}


async def test_a_stop_ends_a_wait_at_once(tmp_path: Path) -> None:
    server = recorded_server()
    server.exchanges["INBOX IDLE"] = [b"+ idling\r\na11 OK done\r\n"]
    async with served(server.serve) as port:
        told = settings_in(tmp_path, port=port, sent=("Sent",), poll_seconds=1000)
        batches = MailboxPuller(lambda: told, Intake(), clock=Clock(EVENING)).batches(None)
        await anext(batches)
        task = asyncio.ensure_future(anext(batches))
        while "IDLE" not in server.commands:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait_for(asyncio.wait([task]), 10)
        # The thread has ended, too: nothing is left to wait for.
        await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 10)


async def test_where_there_is_no_idle_it_is_asked_again_and_again(tmp_path: Path) -> None:
    server = recorded_server()
    server.greeting = server.greeting.replace(b" IDLE", b"")
    server.exchanges = {
        name: [said.replace(b" IDLE", b"") for said in answers] for name, answers in server.exchanges.items()
    }
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    async with served(server.serve) as port:
        told = settings_in(tmp_path, port=port, sent=("Sent",), poll_seconds=17)
        puller = MailboxPuller(lambda: told, Intake(), clock=Clock(EVENING), sleep=sleep)
        async with asyncio.timeout(30), aclosing(puller.batches(None)) as batches:
            await anext(batches)
            await anext(batches)

    assert set(slept) == {17}
    assert "IDLE" not in server.commands


# -- servers that lie, or have their reasons ---------------------------------------------------


def header_of(uid: int) -> bytes:
    text = b"From: c1@example.com\r\n\r\n"
    return (
        b'* %d FETCH (UID %d INTERNALDATE "23-Nov-2026 08:00:00 +0000" BODY[HEADER.FIELDS (FROM)]<0> {%d}\r\n%b)\r\n'
    ) % (uid, uid, len(text), text)


async def test_what_a_server_tells_of_other_messages_is_no_answer() -> None:
    told = b"* 5 FETCH (FLAGS (\\Seen) UID 5000)\r\n* 2 FETCH (FLAGS (\\Seen))\r\n" + header_of(1) + b"* 9 EXISTS\r\n"
    async with served(answering(told + header_of(7) + b"TAG OK done\r\n", after=1)) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")

        # 2 is the number of another message there, and 7 was not asked for.
        headers = await asyncio.to_thread(found.headers, [1, 2])
        assert [(each.uid, each.received is not None) for each in headers] == [(1, True)]
        found.close()


async def test_a_time_that_is_none_in_utc_is_no_time() -> None:
    greeting, exchanges = recorded_exchanges()
    told = re.sub(rb'"[^"]*"', b'"31-Dec-9999 23:00:00 -1400"', header_of(1), count=1)
    exchanges["INBOX UID FETCH"] = [told + header_of(2) + b"a1 OK done\r\n"]
    async with served(ScriptedServer(greeting, exchanges).serve) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")

        headers = await asyncio.to_thread(found.headers, [1, 2])
        assert [(each.uid, each.received is not None) for each in headers] == [(1, False), (2, True)]
        found.close()


async def test_numbers_that_no_position_could_keep_are_none() -> None:
    greeting, exchanges = recorded_exchanges()
    exchanges["INBOX UID SEARCH"] = [b"* SEARCH 3 36893488147419103232\r\na1 OK done\r\n"]
    (first, *_) = exchanges["INBOX EXAMINE"]
    exchanges["INBOX EXAMINE"] = [first, re.sub(rb"UIDVALIDITY \d+", b"UIDVALIDITY 36893488147419103232", first)]
    async with served(ScriptedServer(greeting, exchanges).serve) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")

        assert await asyncio.to_thread(found.uids_behind, 0) == [3]
        with pytest.raises(MailboxAway):
            await asyncio.to_thread(found.select, "INBOX")
        found.close()


def refusing(bad: set[int], said: bytes) -> ScriptedServer:
    """Return a server that says no whenever one of some messages is asked for."""

    class Refusing(ScriptedServer):
        def _next(self, name: str) -> bytes:
            if name != "INBOX UID FETCH":
                return super()._next(name)
            asked = {int(each) for each in self.commands[-1].split()[2].split(",")}
            return said if asked & bad else b"".join(map(header_of, sorted(asked))) + b"a1 OK done\r\n"

    return Refusing(*recorded_exchanges())


@pytest.mark.parametrize("said", [b"a1 NO Some messages could not be FETCHed (Failure)\r\n", b"a1 BAD what\r\n"])
async def test_a_message_that_a_server_refuses_to_tell_leaves_the_others(said: bytes) -> None:
    async with served(refusing({2}, said).serve) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")

        headers = await asyncio.to_thread(found.headers, [1, 2, 3])
        assert [(each.uid, each.received is not None) for each in headers] == [(1, True), (2, False), (3, True)]
        found.close()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({1, 2, 3}, b"a1 NO (Failure)\r\n"),
        ({2}, b"a1 NO [OVERQUOTA] Account exceeded command or bandwidth limits\r\n"),
        ({2}, b"a1 NO [UNAVAILABLE] later\r\n"),
    ],
)
async def test_a_server_that_is_busy_loses_no_message(bad: set[int], said: bytes) -> None:
    async with served(refusing(bad, said).serve) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")
        with pytest.raises(MailboxAway):
            await asyncio.to_thread(found.headers, [1, 2, 3])
        found.close()


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (b"[AUTHENTICATIONFAILED] no", MailboxRefused),
        (b"[EXPIRED] no", MailboxRefused),
        (b"[UNAVAILABLE] Temporary authentication failure.", MailboxAway),
        (b"[INUSE] no", MailboxAway),
        (b"[ALERT] Too many simultaneous connections. (Failure)", MailboxAway),
    ],
)
async def test_a_login_that_fails_for_a_while_is_not_refused(said: bytes, failure: type[Exception]) -> None:
    greeting, exchanges = recorded_exchanges()
    exchanges["LOGIN"] = [b"a1 NO " + said + b"\r\n"]
    async with served(ScriptedServer(greeting, exchanges).serve) as port:
        found = session_at(port)
        with pytest.raises(failure):
            await asyncio.to_thread(found.open, WHO)
        found.close()


async def test_who_says_that_it_can_idle_and_does_not_is_asked_now_and_then() -> None:
    async with served(answering(b"TAG NO not now\r\n", after=1)) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")

        assert await asyncio.to_thread(found.idle, 5) is False
        found.close()


async def test_what_is_told_before_idle_begins_ends_the_wait() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(b"* 3 EXISTS\r\n+ idling\r\n", after=1)(_Tagging(reader, writer), writer)  # type: ignore[arg-type]  # as much of one as is read

    class _Tagging:
        """Passes lines on, and ends the wait by itself when DONE comes."""

        def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._reader, self._writer, self._tag = reader, writer, b""

        async def readline(self) -> bytes:
            line = await self._reader.readline()
            if line == b"DONE\r\n":
                self._writer.write(self._tag + b" OK done\r\n")
                return b""
            self._tag = line.split()[0] if line.split() else b""
            return line

    async with served(serve) as port:
        found = await opened(port)
        await asyncio.to_thread(found.select, "INBOX")
        loop = asyncio.get_running_loop()
        begin = loop.time()

        assert await asyncio.to_thread(found.idle, 60) is True
        assert loop.time() - begin < 30
        found.close()


async def test_who_says_hello_letter_by_letter_is_left_and_holds_no_thread(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(connection, "FETCH_SECONDS", 0.3)
    tried = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"*")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def sleep(_: float) -> None:
        tried.set()
        await asyncio.sleep(60)

    async with served(drip) as port:
        told = settings_in(tmp_path, port=port)
        puller = MailboxPuller(lambda: told, Intake(), back_off=BackOff(sleep=sleep))
        task = asyncio.ensure_future(anext(aiter(puller.batches(None))))
        await asyncio.wait_for(tried.wait(), 20)
        await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 10)
        task.cancel()
        await asyncio.wait([task])


async def test_a_wait_that_nobody_ends_is_given_up_and_begun_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As behind a router that forgot the connection: IDLE hears nothing, and nobody answers DONE."""
    monkeypatch.setattr(imap_session, "IMAP_ANSWER_SECONDS", 0.3)
    server = recorded_server()
    server.exchanges["INBOX IDLE"] = [b"+ idling\r\na11 OK done\r\n"]
    silent = asyncio.Event()
    begun: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.append(len(server.commands))
        if len(begun) == 1:
            await server.serve(_Cut(reader), writer)  # type: ignore[arg-type]  # as much of one as is read
        else:
            silent.set()
            await server.serve(reader, writer)

    class _Cut:
        def __init__(self, reader: asyncio.StreamReader) -> None:
            self._reader = reader

        async def readline(self) -> bytes:
            line = await self._reader.readline()
            if line == b"DONE\r\n":
                await asyncio.sleep(60)
            return line

    async with served(serve) as port:
        told = settings_in(tmp_path, port=port, sent=("Sent",), poll_seconds=0.2)
        puller = MailboxPuller(lambda: told, Intake(), clock=Clock(EVENING), back_off=BackOff(first=0.01))
        async with asyncio.timeout(30), aclosing(puller.batches(None)) as batches:
            await anext(batches)
            await anext(batches)
            pending = asyncio.ensure_future(anext(batches))
            await asyncio.wait_for(silent.wait(), 20)
            pending.cancel()
            await asyncio.wait([pending])
