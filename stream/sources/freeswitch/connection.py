"""One inbound connection to FreeSWITCH's event socket: logs in, subscribes, asks, and hands on what arrives."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from stream.errors import SourceError
from stream.sources.freeswitch.frames import BrokenFraming, EslFrame, EslFrames
from stream.sources.freeswitch.snapshot import (
    LIST_AGENTS,
    LIST_MEMBERS,
    LIST_QUEUES,
    LIST_TIERS,
    CallcenterSnapshot,
    NoTable,
    queue_names,
    table_rows,
)

__all__ = ["CONNECTION_LOST", "SWITCH_ANSWERS_WITHIN", "EslConnection", "connected"]

SWITCH_ANSWERS_WITHIN: Final = 10.0
"""A switch that takes longer to answer is as good as away."""

CONNECTION_LOST: Final = (OSError, EOFError, BrokenFraming, NoTable)
"""What a new connection may mend."""

_EVENTS: Final = "CHANNEL_HOLD CHANNEL_UNHOLD HEARTBEAT CUSTOM callcenter::info"
"""CUSTOM last: what follows it are names of custom events."""

_CHUNK_BYTES: Final = 64 * 1024

LISTENED_SECONDS: Final = 1.0
"""Seconds without a word until it is asked whether to go on listening."""

LAST_CHUNKS: Final = 100
"""A switch that never stops talking is listened to for no more than these, once listening is to end."""


class EslConnection:
    """
    A connection that is open; *peer* names it in messages.

    Events that arrive before an answer are kept, in their order, for `frames`.
    """

    def __init__(self, peer: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peer = peer
        self._reader = reader
        self._writer = writer
        self._frames = EslFrames(peer)
        self._arrived: list[EslFrame] = []

    @property
    def arrived(self) -> Sequence[EslFrame]:
        """What arrived before an answer, and was not handed on yet."""
        return self._arrived

    async def log_in(self, password: str) -> None:
        """Log in; raises SourceError when FreeSWITCH refuses, which asking again does not change."""
        async with asyncio.timeout(SWITCH_ANSWERS_WITHIN):
            greeting = await self._first("auth/request", "text/rude-rejection")
            if greeting.kind == "text/rude-rejection":
                raise SourceError(f"{self._peer}: FreeSWITCH lets this machine not in: see apply-inbound-acl")
            answer = await self._asked(f"auth {password}", "command/reply")
        if not answer.reply.startswith("+OK"):
            raise SourceError(f"{self._peer}: FreeSWITCH refuses the password of its event socket")

    async def subscribe(self) -> None:
        """Ask for events: as JSON, or plain where FreeSWITCH is too old for that; raises SourceError."""
        async with asyncio.timeout(SWITCH_ANSWERS_WITHIN):
            for form in ("json", "plain"):
                answer = await self._asked(f"event {form} {_EVENTS}", "command/reply")
                if answer.reply.startswith("+OK"):
                    return
        raise SourceError(f"{self._peer}: FreeSWITCH tells this user no events: see esl-allowed-events")

    async def snapshot(self, at: int) -> CallcenterSnapshot:
        """Ask who is where now, at *at*; raises NoTable where mod_callcenter does not answer."""
        # Members early: what happened before these rows were read arrives before the last of the answers.
        core = (await self._api("global_getvar core_uuid")).decode(errors="replace").strip()
        queues = table_rows(await self._api(LIST_QUEUES))
        members = [row for name in queue_names(queues) for row in table_rows(await self._api(f"{LIST_MEMBERS} {name}"))]
        return CallcenterSnapshot(
            at=at,
            core="" if core.startswith("-") else core[:128],
            queues=queues,
            agents=table_rows(await self._api(LIST_AGENTS)),
            tiers=table_rows(await self._api(LIST_TIERS)),
            members=members,
        )

    async def frames(self, silence: float, is_ending: Callable[[], bool]) -> AsyncIterator[list[EslFrame]]:
        """
        Yield what arrives, chunk by chunk; raises one of `CONNECTION_LOST` at its end, or after such a silence.

        It ends when *is_ending*, once what had been said has arrived.
        """
        quiet, last_chunks = 0.0, LAST_CHUNKS
        while last_chunks:
            if arrived := self._arrived:
                self._arrived = []
                yield arrived
            last_chunks -= is_ending()
            try:
                async with asyncio.timeout(LISTENED_SECONDS):
                    await self._receive()
                quiet = 0
            except TimeoutError:
                if is_ending():
                    return
                quiet += LISTENED_SECONDS
                if quiet >= silence:
                    raise ConnectionError(f"nothing was heard for {silence:g} s") from None

    async def _api(self, command: str) -> bytes:
        async with asyncio.timeout(SWITCH_ANSWERS_WITHIN):
            return (await self._asked(f"api {command}", "api/response")).body

    async def _asked(self, command: str, kind: str) -> EslFrame:
        self._writer.write(f"{command}\n\n".encode())
        await self._writer.drain()
        # A user that may not ask is answered by a reply instead of a response.
        answer = await self._first(kind, "command/reply")
        if kind == "api/response" and answer.kind != kind:
            raise NoTable("FreeSWITCH lets this user not ask: see esl-allowed-api")
        return answer

    async def _first(self, *kinds: str) -> EslFrame:
        """Return the first message of such a kind, and keep the others."""
        while True:
            for place, frame in enumerate(self._arrived):
                if frame.kind in kinds:
                    return self._arrived.pop(place)
            await self._receive()

    async def _receive(self) -> None:
        chunk = await self._reader.read(_CHUNK_BYTES)
        if not chunk:
            raise EOFError("FreeSWITCH has closed the connection")
        self._arrived += self._frames.feed(chunk)


@asynccontextmanager
async def connected(host: str, port: int, password: str) -> AsyncIterator[EslConnection]:
    """Give a connection that is logged in and hears events; raises one of `CONNECTION_LOST`, or SourceError."""
    async with asyncio.timeout(SWITCH_ANSWERS_WITHIN):
        reader, writer = await asyncio.open_connection(host, port)
    try:
        connection = EslConnection(f"{host}:{port}", reader, writer)
        await connection.log_in(password)
        # Before the snapshot: what happens while it is asked for is heard, and follows it.
        await connection.subscribe()
        yield connection
    finally:
        writer.close()
