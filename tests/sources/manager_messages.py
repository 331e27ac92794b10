"""Messages of a manager interface for tests: stories, recordings, and a PBX that speaks them."""

import asyncio
import random
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct, field

from stream.core.cloudevents import Event
from stream.sources.asterisk_ami.mapper import AmiMapper
from stream.sources.asterisk_ami.messages import Message, MessageReader
from stream.sources.asterisk_ami.state import PbxState
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from tests.samples import sample
from tests.sources.queue_logs import IDENTITY, START

__all__ = [
    "WELCOME",
    "ScriptedPbx",
    "ami_mapper",
    "found_in",
    "mapped_messages",
    "messages_of",
    "recorded",
    "serving",
]

WELCOME = (
    b"Asterisk Call Manager/2.8.0\r\nResponse: Success\r\nActionID: login\r\nMessage: Authentication accepted\r\n\r\n"
)


def messages_of(story: str) -> bytes:
    """Return the messages of a story: `seconds Event name=value …`; without seconds they have no time of their own."""
    return b"".join(_message(line.split()) for line in story.strip().splitlines())


def _message(words: list[str]) -> bytes:
    timed = words[0].isdigit()
    name, *headers = words[1:] if timed else words
    lines = [f"Event: {name}", *([f"Timestamp: {START + int(words[0])}.500000"] if timed else [])]
    lines += [header.replace("=", ": ", 1).replace("_", " ") for header in headers]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def recorded(name: str) -> bytes:
    """Return a recording of a PBX, as answers to our own login."""
    return sample(f"asterisk-ami/{name}.txt").read_bytes().replace(b"ActionID: a001", b"ActionID: login")


def found_in(stream: bytes, now: float = START) -> list[Message | BadLine]:
    return list(MessageReader("pbx").feed(stream, int(now * 1_000_000)))


def ami_mapper(state: PbxState | None = None, intake: Intake | None = None) -> AmiMapper:
    return AmiMapper(IDENTITY, PbxState() if state is None else state, Intake() if intake is None else intake)


def mapped_messages(by: AmiMapper, found: Iterable[Message | BadLine]) -> list[Event]:
    return [event for each in found for event in by.map(each)]


class ScriptedPbx(Struct):
    """Answers the first connection with the first script, and so on; the last stays open."""

    scripts: list[bytes]
    now: float = START
    """The clock of who listens."""
    clocks: list[float] = field(default_factory=list)
    """Its time when each connection begins."""
    asked: list[bytes] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    speed: float = 0
    """So many times as fast as it happened, the clock with it; 0: at once, and split wherever it pleases."""

    def clock(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        number = self.connections
        self.connections += 1
        if number < len(self.clocks):
            self.now = self.clocks[number]
        script, places = self.scripts[min(number, len(self.scripts) - 1)], random.Random(number)
        if self.speed:
            await self._say_in_time(script, writer)
            script = b""
        begin = 0
        while begin < len(script):
            end = begin + places.choice((1, 7, 100, 3_000))
            writer.write(script[begin:end])
            await writer.drain()
            begin = end
        # What is left unread when a connection is closed resets it, and takes what was written last with it.
        if number + 1 < len(self.scripts):
            writer.write_eof()
        while more := await reader.read(1000):
            self.asked.append(more)
        writer.close()

    async def _say_in_time(self, script: bytes, writer: asyncio.StreamWriter) -> None:
        for message in script.split(b"\r\n\r\n"):
            if stamped := re.search(rb"^Timestamp: ([\d.]+)", message, re.MULTILINE):
                at = float(stamped[1])
                # The pauses of the recording are what is tested.
                await asyncio.sleep(max(0.0, at - self.now) / self.speed)
                self.now = at
            writer.write(message + b"\r\n\r\n")
            await writer.drain()

    def write_file(self, folder: Path, *, name: str = "berlin", more: str = "") -> Path:
        (folder / "secret").write_text("pa55word\n", encoding="utf-8")
        file = folder / "pbx.toml"
        table = f'[pbx.{name}]\nhost = "127.0.0.1"\nport = {self.port}\nuser = "board"\nsecret_file = "secret"\n'
        file.write_text(table + more, encoding="utf-8")
        return file


@asynccontextmanager
async def serving(
    *scripts: bytes, clocks: Iterable[float] = (), tls: ssl.SSLContext | None = None, speed: float = 0
) -> AsyncIterator[ScriptedPbx]:
    pbx = ScriptedPbx(list(scripts), clocks=list(clocks), speed=speed)
    server = await asyncio.start_server(pbx.speak, "127.0.0.1", 0, ssl=tls)
    pbx.port = server.sockets[0].getsockname()[1]
    try:
        yield pbx
    finally:
        server.close()
