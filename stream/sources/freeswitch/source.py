"""FreeSWITCH's mod_callcenter as a source: a connection to the event socket that is made anew whenever it is lost."""

import logging
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Name
from stream.core.windows import EPOCH
from stream.errors import SettingsError
from stream.sdk.factory import utc_now
from stream.security.secret_file import Secret
from stream.sources.freeswitch.connection import CONNECTION_LOST, connected
from stream.sources.freeswitch.mapper import CallcenterMapper
from stream.sources.freeswitch.memory import CallcenterPosition
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch, Setup, Source

__all__ = ["SOURCE", "FreeSwitchPuller", "Options"]

logger = logging.getLogger(__name__)

_LONGEST_NAME: Final = 256
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Options(Struct, frozen=True, kw_only=True):
    """What a person says of a FreeSWITCH."""

    host: Annotated[str, Meta(description="Where its event socket listens.")] = "127.0.0.1"
    port: Annotated[int, Meta(description="The port of its event socket.")] = 8021
    password_file: Annotated[
        Path | None, Meta(description="File with the password of event_socket.conf.xml, and nothing else.")
    ] = None
    tenant: Annotated[Name, Meta(description="Whose calls they are: FreeSWITCH does not say.")] = DEFAULT_TENANT
    source_name: Annotated[
        str | None, Meta(description="Names the switch; else its host. Two switches need two names.")
    ] = None
    silence_seconds: Annotated[
        int, Meta(description="So long without a heartbeat, and the connection is made anew; more than two of them.")
    ] = 60

    @property
    def name(self) -> str:
        """What identifies the switch, with the ids of its events; raises SettingsError if it is too long."""
        host = socket.gethostname() if self.host in _LOOPBACK else self.host
        found = self.source_name or f"//{host}/freeswitch"
        if len(found) > _LONGEST_NAME:
            raise SettingsError("--source-name: the name is too long")
        return found

    def password(self) -> Secret:
        """Read the password, at each login anew; raises SettingsError."""
        if self.password_file is None:
            raise SettingsError("--password-file: name the file with the password of FreeSWITCH's event socket")
        try:
            # As in the other files of secrets: a line break at the end is the editor's.
            secret = Secret(self.password_file.read_text(encoding="utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as failure:
            reason = failure.strerror if isinstance(failure, OSError) else "it is not UTF-8"
            raise SettingsError(f"--password-file: {self.password_file} cannot be read: {reason}") from None
        # A line break within would end the command in which it is sent, and begin another.
        if not secret or not secret.isprintable():
            raise SettingsError(f"--password-file: {self.password_file} holds no password of one line")
        return secret


class FreeSwitchPuller:
    """Listens to one FreeSWITCH for ever; a `Listener`."""

    def __init__(
        self,
        options: Options,
        intake: Intake,
        *,
        back_off: BackOff | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        if not 0 < options.port < 65_536:
            raise SettingsError("--port: there is no such port")
        if options.silence_seconds < 1:
            raise SettingsError("--silence-seconds: at least one second")
        self._options = options
        self._intake = intake
        self._pauses = back_off or BackOff()
        self._clock = clock
        self._ending = False

    async def batches(self, saved: bytes | None) -> AsyncIterator[PulledBatch]:
        """Yield what a snapshot tells that was not known at *saved*, then what happens; and so after each loss."""
        memory = None if saved is None else CallcenterPosition.read(saved).memory
        mapper = CallcenterMapper(self._options.name, tenant=self._options.tenant, memory=memory, intake=self._intake)
        self._intake.connected[self._options.name] = False
        while not self._ending:
            try:
                async with aclosing(self._told(mapper)) as told:
                    async for events in told:
                        yield PulledBatch(events, CallcenterPosition(memory=mapper.memory).write())
            except CONNECTION_LOST as failure:
                reason = str(failure) or "FreeSWITCH does not answer"
                logger.warning("%s:%d: %s; connecting again", self._options.host, self._options.port, reason)
            self._intake.connected[self._options.name] = False
            if not self._ending:
                await self._pauses.wait()

    def finish(self) -> bool:
        """As a `Listener`'s; it takes a second, or some more where the switch is always talking."""
        self._ending = True
        return self._intake.connected.get(self._options.name, False)

    async def _told(self, mapper: CallcenterMapper) -> AsyncGenerator[list[Event], None]:
        """Yield the events of one connection until it is lost."""
        options = self._options
        async with connected(options.host, options.port, options.password()) as connection:
            snapshot = await connection.snapshot(self._now())
            self._intake.connected[options.name] = True
            yield mapper.reconcile(snapshot, connection.arrived)
            self._pauses.reset()
            async for frames in connection.frames(options.silence_seconds, lambda: self._ending):
                if events := mapper.events(frames):
                    yield events

    def _now(self) -> int:
        return (self._clock() - EPOCH) // timedelta(microseconds=1)


def _position_of(options: Options) -> Path:
    return Path(f"freeswitch-{options.host.replace('/', '-')}-{options.port}.position")


SOURCE: Final = Source(
    name="freeswitch",
    about="FreeSWITCH's mod_callcenter, live over its event socket.",
    options=Options,
    pull=FreeSwitchPuller,
    position=_position_of,
    setup=Setup(
        steps="The password is that of event_socket.conf.xml: docs/sources/freeswitch.md",
        also_asked=("host", "tenant"),
    ),
)
