"""A FreeSWITCH by script: it speaks the event socket byte by byte, as recorded or as a test makes it up."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from urllib.parse import quote

from msgspec import Struct, field

from stream.core.cloudevents import Event, tag_of
from stream.sources.freeswitch.frames import EslFrames
from stream.sources.freeswitch.records import EslRecord, record_of
from stream.sources.freeswitch.source import FreeSwitchPuller, Options
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch
from tests.samples import sample

__all__ = [
    "BEGIN",
    "CORE",
    "EMPTY",
    "Session",
    "StoryWriter",
    "answers",
    "framed",
    "options_of",
    "puller",
    "recorded_events",
    "recorded_snapshot",
    "story",
    "switch",
    "until_events",
]

BEGIN = 1_795_781_889
"""The second, after 1970, in which the recording begins."""

CORE = "11111111-core"
GREETING = b"Content-Type: auth/request\n\n"
RECORDED = "freeswitch-callcenter"

QUEUES = "name|calls_answered|calls_abandoned"
AGENTS = "name|instance_id|uuid|type|contact|status|state|last_status_change"
TIERS = "queue|agent|state|level|position"
MEMBERS = (
    "queue|uuid|session_uuid|cid_name|joined_epoch|rejoined_epoch|bridge_epoch|abandoned_epoch|serving_agent|state"
)


def framed(body: bytes, kind: str) -> bytes:
    """Return a message with a body."""
    return f"Content-Length: {len(body)}\nContent-Type: {kind}\n\n".encode() + body


def reply(text: str) -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def answers(
    queues: Sequence[str] = (), agents: Sequence[str] = (), tiers: Sequence[str] = (), **members: Sequence[str]
) -> dict[str, bytes]:
    """Return what is answered to a snapshot: rows of each table, those of members by queue."""

    def table(heads: str, rows: Sequence[str]) -> bytes:
        return "\n".join([heads, *rows, "+OK"]).encode()

    return {
        "global_getvar core_uuid": CORE.encode(),
        "callcenter_config queue list": table(QUEUES, queues),
        "callcenter_config agent list": table(AGENTS, agents),
        "callcenter_config tier list": table(TIERS, tiers),
        **{f"callcenter_config queue list members {name}": table(MEMBERS, rows) for name, rows in members.items()},
    }


EMPTY = answers()


class Session(Struct, kw_only=True):
    """What is said on one connection, after the login; then it is closed, unless it is to stay."""

    said: bytes = b""
    snapshot: Mapping[str, bytes] = field(default_factory=lambda: EMPTY)
    stays: bool = False
    speed: float = 0
    """So many times as fast as it happened; 0: at once, and split wherever it pleases."""
    password: str = "secret"
    greeting: bytes = GREETING
    knows_json: bool = True
    early: bytes = b""
    """Said before the first answer to a snapshot."""
    asked: list[str] = field(default_factory=list)
    """What it was asked."""


async def _converse(
    session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chance: Random
) -> None:
    writer.write(session.greeting)
    early = session.early
    while len(session.asked) < 3 or set(_snapshot_of(session)) - set(session.asked):
        command = (await reader.readuntil(b"\n\n")).decode().strip()
        session.asked.append(command)
        match command.partition(" "):
            case ("auth", _, password):
                writer.write(reply("+OK accepted" if password == session.password else "-ERR invalid"))
            case ("event", _, wanted):
                is_known = session.knows_json or not wanted.startswith("json")
                writer.write(reply("+OK event listener enabled" if is_known else "-ERR no such format"))
            case _:
                writer.write(early + framed(session.snapshot.get(command[4:], b"-ERR no reply\n"), "api/response"))
                early = b""
    for piece in _pieces(session.said, chance) if not session.speed else ():
        writer.write(piece)
        await writer.drain()
    if session.speed:
        await _say_in_time(session, writer)


async def _say_in_time(session: Session, writer: asyncio.StreamWriter) -> None:
    frames = list(EslFrames("recording").feed(session.said))
    ends = [*(frame.place.offset for frame in frames[1:]), len(session.said)]
    last: int | None = None
    for frame, end in zip(frames, ends, strict=True):
        record = record_of(frame)
        assert isinstance(record, EslRecord)
        # The pauses of the recording are what is tested.
        await asyncio.sleep((record.micros - (last or record.micros)) / 1_000_000 / session.speed)
        last = record.micros
        writer.write(session.said[frame.place.offset : end])
        await writer.drain()


def _snapshot_of(session: Session) -> Iterable[str]:
    return [f"api {command}" for command in session.snapshot]


def _pieces(said: bytes, chance: Random) -> Iterator[bytes]:
    """Split what is said wherever it pleases."""
    place = 0
    while place < len(said):
        length = chance.choice([1, 7, 100, 4096, 20_000])
        yield said[place : place + length]
        place += length


@asynccontextmanager
async def switch(*sessions: Session, seed: int = 1) -> AsyncIterator[int]:
    """Give the port of a switch that serves one session after the other; more connections than that it refuses."""
    waiting = list(sessions)
    chance = Random(seed)
    served: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served[task] = writer
        try:
            if waiting:
                session = waiting.pop(0)
                await _converse(session, reader, writer, chance)
                if session.stays:
                    await reader.read()
        except (EOFError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in served.values():
            writer.close()
        await asyncio.gather(*served)


def options_of(port: int, folder: Path, *, silence: int = 60) -> Options:
    secret = folder / "password"
    secret.write_text("secret\n")
    return Options(port=port, password_file=secret, source_name="/switch", silence_seconds=silence)


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


def puller(options: Options, intake: Intake) -> FreeSwitchPuller:
    """Return a puller that connects again at once, some minutes after the recording began."""
    clock = datetime.fromtimestamp(BEGIN + 600, UTC)
    return FreeSwitchPuller(options, intake, back_off=BackOff(sleep=_at_once), clock=lambda: clock)


async def until_events(
    told: FreeSwitchPuller, wanted: int | str, saved: bytes | None = None
) -> tuple[list[Event], list[PulledBatch]]:
    """Pull until so many events have come, or one of this subject."""
    batches: list[PulledBatch] = []
    async for batch in told.batches(saved):
        batches.append(batch)
        events = [event for batch in batches for event in batch.events]
        if len(events) >= wanted if isinstance(wanted, int) else any(wanted == event.subject for event in events):
            break
    return [event for batch in batches for event in batch.events], batches


# -- what is recorded ----------------------------------------------------------------------------


def recorded_events(name: str) -> bytes:
    """Return the events of a recorded session, without the login before them."""
    whole = sample(f"{RECORDED}/{name}").read_bytes()
    return whole[whole.index(b"Content-Length") :]


def recorded_snapshot() -> dict[str, bytes]:
    """Return the answers of the recorded snapshot by what was asked; of support nobody asked, where nobody was."""
    whole = sample(f"{RECORDED}/session_snapshot.txt").read_bytes()
    bodies = [part.partition(b"\n\n")[2] for part in whole.split(b"Content-Type: api/response\n")[1:]]
    commands = ["queue list", "agent list", "tier list", "queue list members sales@demo"]
    found = {f"callcenter_config {command}": body for command, body in zip(commands, bodies, strict=False)}
    return {**found, "callcenter_config queue list members support@demo": b"+OK"}


# -- what tests make up --------------------------------------------------------------------------


class StoryWriter:
    """Writes events as FreeSWITCH does, each with the next number; plain, or as JSON."""

    def __init__(self, *, plain: bool = False, core: str = CORE) -> None:
        self._plain = plain
        self._core = core
        self._numbers = count(1)

    def event(self, name: str, at: float, headers: Mapping[str, str]) -> bytes:
        """Return an event that happened *at* seconds after the begin."""
        told = {
            "Event-Name": name,
            "Core-UUID": self._core,
            "Event-Date-Timestamp": str(BEGIN * 1_000_000 + round(at * 1_000_000)),
            "Event-Sequence": str(next(self._numbers)),
            **headers,
        }
        if not self._plain:
            return framed(json.dumps(told).encode(), "text/event-json")
        lines = "".join(f"{header}: {quote(value)}\n" for header, value in told.items())
        return framed(f"{lines}\n".encode(), "text/event-plain")

    def say(self, action: str, at: float, **said: str) -> bytes:
        """Return an event of mod_callcenter: `queue`, `member` and so on, and other headers as they are."""
        named = {SHORT.get(name, name.replace("_", "-")): value for name, value in said.items()}
        return self.event("CUSTOM", at, {"Event-Subclass": "callcenter::info", "CC-Action": action, **named})


SHORT = {
    "queue": "CC-Queue",
    "member": "CC-Member-UUID",
    "session": "CC-Member-Session-UUID",
    "agent": "CC-Agent",
    "cause": "CC-Cause",
    "reason": "CC-Cancel-Reason",
    "ended": "CC-Hangup-Cause",
    "status": "CC-Agent-Status",
    "state": "CC-Agent-State",
    "joined": "CC-Member-Joined-Time",
    "since": "CC-Agent-Answered-Time",
    "goodbye": "variable_sip_hangup_disposition",
    "moved_by": "Caller-Transfer-Source",
}

_SHOWN = ("queue", "agent", "enqueue_seq", "reason", "status", "activity", "result", "kind", "ended_by", "penalty")
_LENGTHS = ("wait_ms", "ring_ms", "talk_ms", "hold_ms")


def story(events: Iterable[Event]) -> list[str]:
    """Return events as one line each: second, type, subject and what is said; a first visit is not."""
    return [_line(event) for event in events]


def _line(event: Event) -> str:
    second = event.time.timestamp() - BEGIN
    said = {name: getattr(event.data, name, None) for name in (*_SHOWN, *_LENGTHS)}
    if said["enqueue_seq"] == 1:
        del said["enqueue_seq"]
    words = [f"{name}={value}" for name, value in said.items() if value is not None]
    return " ".join([f"{second:g}", tag_of(event).removeprefix("contact."), event.subject, *words])
