"""One connection to a manager interface: logs in, asks for a snapshot, and goes on for ever, lost connections or not.

It maps nothing. The secret is sent to the PBX, and is in no message of an error or a log.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from stream.core.windows import EPOCH
from stream.sources.asterisk_ami.messages import Message, MessageReader, encoded_action
from stream.sources.lines import BadLine
from stream.sources.pulling.shipping import BackOff

__all__ = ["AmiServer", "Deliver", "listen", "micros_of"]

logger = logging.getLogger(__name__)

READ_BYTES: Final = 64 * 1024
LONGEST_SILENCE: Final = 15.0
"""Seconds without a message until a ping is sent, and until its answer is missed."""

Found = list[Message | BadLine]
Deliver = Callable[[Found | None], Awaitable[None]]
"""Takes what was read, and None when the connection is lost; it waits while there is no room."""


class AmiServer(Struct, frozen=True, kw_only=True):
    """A manager interface, and who logs in to it."""

    name: str
    host: str
    port: int
    user: str
    secret: str
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        """Name the server without its secret, wherever it is printed."""
        return f"AmiServer({self.name})"


class LoginRefused(Exception):
    """The manager interface refused user and secret."""


class ConnectionLost(Exception):
    """The PBX closed the connection, or says nothing any more."""


async def listen(
    server: AmiServer,
    deliver: Deliver,
    clock: Callable[[], datetime],
    *,
    pauses: BackOff | None = None,
    refusals: BackOff | None = None,
    silence: float = LONGEST_SILENCE,
) -> None:
    """Deliver what a PBX tells, for ever; only a cancellation ends it."""
    pauses = pauses or BackOff()
    # A PBX bans who fails to log in again and again: it is asked seldom.
    refusals = refusals or BackOff(first=10, longest=300)
    while True:
        conversation = _Conversation(server, deliver, clock, silence)
        try:
            await conversation.hold()
        except LoginRefused:
            logger.warning("%s: the login was refused; look at user and secret, and at manager.conf", server.name)
            await refusals.wait()
        except (OSError, ConnectionLost) as failure:
            logger.warning("%s: no connection: %s; trying again", server.name, str(failure) or "no answer in time")
            if conversation.logged_in:
                await deliver(None)
                pauses.reset()
                refusals.reset()
            await pauses.wait()


class _Conversation:
    """One connection from its login to its end."""

    def __init__(self, server: AmiServer, deliver: Deliver, clock: Callable[[], datetime], silence: float) -> None:
        self.logged_in = False
        self._server = server
        self._deliver = deliver
        self._clock = clock
        self._silence = silence

    async def hold(self) -> None:
        """Go on until the connection is lost; raises LoginRefused, ConnectionLost or OSError."""
        server = self._server
        async with asyncio.timeout(self._silence):
            reader, writer = await asyncio.open_connection(server.host, server.port, ssl=server.tls)
        try:
            # Only these classes of events, whatever more the user may read: a busy PBX tells a lot.
            mask = "agent,call,dialplan"
            writer.write(
                encoded_action(
                    Action="Login", ActionID="login", Username=server.user, Secret=server.secret, Events=mask
                )
            )
            await self._read(reader, writer)
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        messages, asked = MessageReader(self._server.name), False
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    chunk = await reader.read(READ_BYTES)
            except TimeoutError:
                if asked or not self.logged_in:
                    raise ConnectionLost("the PBX does not answer") from None
                asked = True
                writer.write(encoded_action(Action="Ping", ActionID="ping"))
                continue
            if not chunk:
                raise ConnectionLost("the PBX closed it")
            asked = False
            found = list(messages.feed(chunk, micros_of(self._clock())))
            if not self.logged_in:
                self._look_for_login(found, writer)
            if found:
                await self._deliver(found)

    def _look_for_login(self, found: Found, writer: asyncio.StreamWriter) -> None:
        for message in found:
            if isinstance(message, Message) and message.first("actionid") == "login":
                if message.first("response") != "Success":
                    raise LoginRefused
                self.logged_in = True
                logger.info("%s: connected", self._server.name)
                # The ping first: it tells how far our clocks are apart before anything without a time is told.
                writer.write(encoded_action(Action="Ping", ActionID="ping"))
                writer.write(encoded_action(Action="QueueStatus", ActionID="status"))


def micros_of(at: datetime) -> int:
    """Return an instant in microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)
