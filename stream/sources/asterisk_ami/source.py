"""Asterisk's manager interface (AMI) as a source: the queues of one or several PBXs, live."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Name
from stream.errors import SettingsError
from stream.sdk.factory import utc_now
from stream.security.secret_file import Secret
from stream.sources.asterisk_ami.connection import AmiServer, Found, listen, micros_of
from stream.sources.asterisk_ami.mapper import AmiMapper
from stream.sources.asterisk_ami.state import AmiPosition, PbxState
from stream.sources.asterisk_queue_log.line import LogIdentity
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import ConnectionFile, PulledBatch, Setup, Source, position_beside
from stream.sources.toml_file import toml_of
from stream.sources.toml_text import toml_table_of

__all__ = ["SOURCE", "AmiPuller", "Options", "servers_of"]

PORT: Final = 5038
TLS_PORT: Final = 5039

ROOM: Final = 32
"""What was read and is not sent yet, in reads of a connection: then the PBX is made to wait."""

TICK: Final = 1.0

QUIET_TICKS: Final = 2
"""With nothing else between so many ticks, all that had been said has been heard."""

LAST_TICKS: Final = 5
"""A PBX that never stops talking is listened to no longer than this, once listening is to end."""

Heard = tuple[str, Found | None] | None
"""What was read of which PBX, None where its connection was lost; or that a second has passed."""


class Pbx(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says of a PBX."""

    host: Annotated[str, Meta(description="Where its manager interface listens.")]
    user: Annotated[str, Meta(description="The user of manager.conf.")]
    secret_file: Annotated[Path, Meta(description="File with the secret of that user, beside the file.")]
    """Beside the file, unless it is an absolute path: so that this one can be shown to others."""
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65_535)] | None,
        Meta(description="The port of the manager interface; else 5038, with --tls 5039."),
    ] = None
    tls: Annotated[bool, Meta(description="Speak TLS, and check the PBX's certificate.")] = False
    ca_file: Annotated[Path | None, Meta(description="With --tls: who signed it, if no public authority did.")] = None
    tenant: Annotated[Name, Meta(description="Whose calls they are.")] = DEFAULT_TENANT


class PbxFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    pbx: Annotated[dict[Annotated[str, Meta(min_length=1, max_length=200)], Pbx], Meta(min_length=1)]


class Options(Struct, frozen=True, kw_only=True):
    """What a person says of PBXs."""

    file: Annotated[
        Path, Meta(description="A TOML file with a table [pbx.NAME] for each PBX: host, user, secret_file.")
    ]


def servers_of(file: Path) -> list[tuple[AmiServer, LogIdentity]]:
    """Return the PBXs of a file, each with the name that its events have; raises SettingsError."""
    told = toml_of(file, PbxFile)
    return [
        (_server(file, name, pbx), LogIdentity(source=_uri(name), tenant=pbx.tenant)) for name, pbx in told.pbx.items()
    ]


def _uri(name: str) -> str:
    return name if name.startswith("/") else f"/asterisk/{name}"


def _server(file: Path, name: str, pbx: Pbx) -> AmiServer:
    secret = _secret(file, name, pbx)
    # A line break would end the header, and begin another.
    if not secret or any(not text.isprintable() for text in (secret, pbx.user)):
        raise SettingsError(f"{file}: pbx.{name}: user and secret are one line each, and not empty")
    tls = None
    if pbx.tls:
        try:
            tls = ssl.create_default_context(cafile=pbx.ca_file)
        except OSError as failure:
            raise SettingsError(f"{file}: pbx.{name}: ca_file cannot be used: {failure.strerror}") from failure
    port = pbx.port or (TLS_PORT if pbx.tls else PORT)
    return AmiServer(name=name, host=pbx.host, port=port, user=pbx.user, secret=secret, tls=tls)


def _secret(file: Path, name: str, pbx: Pbx) -> Secret:
    try:
        return Secret(pbx.secret_file.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as failure:
        raise SettingsError(f"{file}: pbx.{name}: secret_file cannot be read") from failure


class AmiPuller:
    """
    Listens to all PBXs of a file at once; a `Listener`.

    A connection that is lost is made again, and what changed meanwhile is taken from a snapshot.
    """

    def __init__(
        self,
        options: Options,
        intake: Intake,
        *,
        clock: Callable[[], datetime] = utc_now,
        pauses: Callable[[], BackOff] = BackOff,
    ) -> None:
        self._options = options
        self._intake = intake
        self._clock = clock
        self._pauses = pauses
        self._finishing = False

    async def batches(self, saved: bytes | None) -> AsyncGenerator[PulledBatch, None]:
        """Yield what the PBXs tell from now on, and what is different since *saved*."""
        position = AmiPosition(pbxs={}) if saved is None else AmiPosition.read(saved)
        servers = servers_of(self._options.file)
        self._intake.connected = {server.name: False for server, _ in servers}
        mappers = {
            server.name: AmiMapper(identity, position.pbxs.setdefault(server.name, PbxState()), self._intake)
            for server, identity in servers
        }
        # Nobody was connected before the first of these connections.
        told = [event for mapper in mappers.values() for event in mapper.lost()]
        if told:
            yield PulledBatch(told, position.write())
        inbox: asyncio.Queue[Heard] = asyncio.Queue(ROOM)
        tasks = [asyncio.create_task(self._listen(server, inbox)) for server, _ in servers]
        tasks.append(asyncio.create_task(_tick(inbox)))
        try:
            quiet = ticks = 0
            while quiet < QUIET_TICKS and ticks < LAST_TICKS:
                # What came meanwhile goes along: one acknowledgement and one saved position for all of it.
                taken = [await inbox.get()]
                taken += [inbox.get_nowait() for _ in range(inbox.qsize())]
                told = [event for heard in taken for event in self._told(mappers, heard)]
                # Without events nothing is saved: what only a position would know, the next snapshot tells.
                if told:
                    yield PulledBatch(told, position.write())
                for task in tasks:
                    if task.done():
                        task.result()
                if self._finishing:
                    quiet = quiet + 1 if taken == [None] else 0
                    ticks += taken.count(None)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        # With what only time decides, such as how a caller left: it is told by the next run.
        yield PulledBatch([], position.write())

    def finish(self) -> bool:
        """As a `Listener`'s; it takes two seconds, or five where somebody is always talking."""
        self._finishing = True
        return True

    async def _listen(self, server: AmiServer, inbox: "asyncio.Queue[Heard]") -> None:
        async def deliver(found: Found | None) -> None:
            await inbox.put((server.name, found))

        await listen(server, deliver, self._clock, pauses=self._pauses())

    def _told(self, mappers: dict[str, AmiMapper], heard: Heard) -> list[Event]:
        match heard:
            case None:
                now = micros_of(self._clock())
                return [event for mapper in mappers.values() for event in mapper.later(now)]
            case (name, None):
                self._intake.connected[name] = False
                return mappers[name].lost()
            case (name, found):
                self._intake.connected[name] = True
                return [event for message in found for event in mappers[name].map(message)]


async def _tick(inbox: "asyncio.Queue[Heard]") -> None:
    """Look again each second at what is decided by time, also while nobody calls."""
    while True:
        await asyncio.sleep(TICK)
        await inbox.put(None)


SOURCE: Final = Source(
    name="asterisk-ami",
    about="Asterisk's manager interface (AMI), live: one or several PBXs.",
    options=Options,
    pull=AmiPuller,
    position=lambda options: position_beside(options.file),
    setup=Setup(
        steps="docs/sources/asterisk-ami.md has the user's lines of manager.conf to paste.",
        file=ConnectionFile(asks=Pbx, text=lambda pbx, name: toml_table_of(("pbx", name), pbx)),
    ),
)
