"""An IMAP server that follows a script: it says what was recorded, byte by byte, or what no server should."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from stream.broker.child import HOST
from tests.sources.imap_mailbox.mailboxes import RECORDED

__all__ = ["GREETING", "Exchanges", "ScriptedServer", "answering", "recorded_exchanges", "served"]

GREETING: Final = b"* OK [CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN] ready\r\n"

Exchanges = dict[str, list[bytes]]
"""What is said to a command, such as `INBOX UID SEARCH`: each time the next, and the last again and again."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def recorded_exchanges() -> tuple[bytes, Exchanges]:
    """Return the greeting of the recorded session, and what the server said to each command."""
    found: Exchanges = {}
    greeting, folder, name = b"", "", ""
    for line in (RECORDED / "session.txt").read_bytes().splitlines():
        side, said = line[:1], line[3:] + b"\r\n"
        if side == b"S" and not name:
            greeting += said
        elif side == b"S":
            found[name][-1] += said
        elif said != b"DONE\r\n":
            words = said.decode().split()[1:]
            verb = " ".join(words[:2]) if words[0] == "UID" else words[0]
            folder = words[1] if verb == "EXAMINE" else folder
            name = _name_of(verb, folder)
            found.setdefault(name, []).append(b"")
    return greeting, found


def _name_of(verb: str, folder: str) -> str:
    return f"{folder} {verb}" if verb.startswith(("UID", "EXAMINE", "IDLE")) else verb


class ScriptedServer:
    """One session after another, each by the same script."""

    def __init__(self, greeting: bytes, exchanges: Exchanges) -> None:
        self.greeting = greeting
        self.exchanges = {name: list(answers) for name, answers in exchanges.items()}
        self.commands: list[str] = []
        self.secrets: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting)
        folder = ""
        while line := await reader.readline():
            tag, *words = line.decode().split()
            verb = " ".join(words[:2]) if words[0] == "UID" else words[0]
            self.commands.append(" ".join(words))
            folder = words[1].strip('"') if verb == "EXAMINE" else folder
            if verb == "AUTHENTICATE":
                writer.write(b"+ \r\n")
                self.secrets.append(await reader.readline())
                verb = "LOGIN"
            said = self._next(_name_of(verb, folder))
            if verb == "IDLE":
                begin, end = re.split(rb"(?=a\d+ OK)", said)
                writer.write(begin)
                assert await reader.readline() == b"DONE\r\n"
                said = end
            writer.write(re.sub(rb"(?m)^a\d+ ", tag.encode() + b" ", said))
            await writer.drain()

    def _next(self, name: str) -> bytes:
        answers = self.exchanges[name]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def answering(said: bytes, *, after: int = 0) -> Serve:
    """Return what lets a client in, obeys so many commands more with nothing but OK, and then says only this."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        count = 0
        while line := await reader.readline():
            tag, verb = line.split()[:2]
            if verb == b"AUTHENTICATE":
                writer.write(b"+ \r\n")
                await reader.readline()
            elif verb != b"CAPABILITY":
                count += 1
            if count > after:
                writer.write(said.replace(b"TAG", tag))
            elif verb == b"CAPABILITY":
                writer.write(b"* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN\r\n" + tag + b" OK done\r\n")
            elif verb == b"EXAMINE":
                writer.write(b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 2] x\r\n" + tag + b" OK done\r\n")
            else:
                writer.write(tag + b" OK done\r\n")
            await writer.drain()

    return serve


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[int]:
    """Serve on a free port of loopback; yields it."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass  # the client has gone
        finally:
            writer.close()

    server = await asyncio.start_server(closing, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
