"""The producer for whoever may not speak Kafka: the same calls, through the HTTP gateway.

Events travel in batches, packed, one request at a time, so that their order is kept.
"""

import asyncio
import logging
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from ssl import SSLContext
from typing import Final

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, DummyCookieJar
from msgspec import Struct
from yarl import URL
from zlib_ng import zlib_ng

from stream.errors import ContactStreamError, SettingsError
from stream.sdk.buffer import PartitionBuffer
from stream.sdk.buffered import BufferedProducer, ProducerPolicy
from stream.sdk.delivery import Failure, OnDelivery
from stream.sdk.trace import TraceOf
from stream.security.kafka_security import LOOPBACK
from stream.security.watched_file import WatchedFile

__all__ = ["GatewayFailure", "HttpProducer"]

logger = logging.getLogger(__name__)

PATH: Final = "/v1/events"

MOST_EVENTS: Final = 2_000
"""In one request; a gateway takes 10,000."""

PACKED_FROM_BYTES: Final = 1_000
"""What is smaller is sent as it is: packing would save nothing."""

ANSWER_BYTES: Final = 1_000_000
"""No answer of a gateway is longer."""

PASSING: Final = frozenset({408, 425, 429})
"""Refusals of the client's that another attempt may not meet; so may those of the server's, from 500 on."""

_KEY: Final = re.compile(r"[!-~]+")


class RefusedEvent(Struct, frozen=True):
    """What a gateway says of an event at fault."""

    index: int
    reason: str
    detail: str
    field: str | None = None


class GatewayAnswer(Struct, frozen=True):
    """What a gateway says of a request; of something else that answers, all of it may be missing."""

    accepted: int = 0
    refused_count: int = 0
    refused: tuple[RefusedEvent, ...] = ()
    reason: str = ""
    detail: str = ""


_answer_of: Final = msgspec.json.Decoder(GatewayAnswer).decode


class GatewayFailure(ContactStreamError):
    """A request of which nothing was accepted."""

    def __init__(self, address: str, status: int, answer: GatewayAnswer, retry_after: str = "") -> None:
        # Cut, and without line breaks: it may be anything that something else has answered.
        detail = " ".join(answer.detail.split())[:200] or "nothing that a gateway says"
        super().__init__(f"the gateway at {address} answers {status}: {detail}")
        self.status = status
        self.retry_after = float(retry_after) if retry_after.isdecimal() else 0.0


class HttpProducer(BufferedProducer):
    """
    Sends events to the gateway at *address* (`https://host:port`); calls, buffer and patience are as `Producer` has.

    *key* is what `contact-stream gateway-key` showed, *key_file* a file with it, which is read again when it changes.
    *tls* is for certificates that this machine does not trust, and for one of its own. Events that the gateway refuses
    are given up, each with its reason, and hold up no others. Several producers keep no order among each other.
    """

    def __init__(
        self,
        address: str,
        *,
        key: str = "",
        key_file: Path | None = None,
        tls: SSLContext | None = None,
        policy: ProducerPolicy | None = None,
        trace: TraceOf | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        super().__init__(policy, trace, on_delivery)
        self._url = _url_of(address)
        if key and key_file is not None:
            raise SettingsError("key and key_file exclude each other")
        self._key = _checked_key(key, "key") if key else ""
        self._key_file = None if key_file is None else WatchedFile(key_file, _key_in)
        if (key or key_file) and self._url.scheme == "http" and self._url.host not in LOOPBACK:
            logger.warning("the key goes to the gateway at %s unencrypted: call it by https://", self._at)
        self._tls = tls
        self._session: ClientSession | None = None
        self._was_accepted = False

    async def _disconnect(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _partition_of(self, _: object) -> tuple[str, int | None]:
        return "", None  # all in one, for one request at a time

    async def _attempt(self, buffer: PartitionBuffer) -> Exception | None:
        values = [*self._next_batch(buffer)]
        buffer.batch = len(values)
        until = asyncio.get_running_loop().time() + self._policy.request_timeout.total_seconds()
        try:
            # The deadline of the oldest as well, whose sender has waited long enough by then.
            async with asyncio.timeout_at(min(until, buffer.records[0].deadline)):
                answer = await self._posted_to_gateway(values)
        except (ClientError, TimeoutError, OSError, GatewayFailure) as failure:
            return self._failed(buffer, failure)
        self._was_accepted = True
        _settle(buffer, len(values), answer)
        return None

    def _next_batch(self, buffer: PartitionBuffer) -> Iterator[bytes]:
        size = 0
        for record in islice(buffer.records, buffer.most or MOST_EVENTS):
            size += len(record.event.value)
            # One is sent in any case: whether it is too large the gateway decides.
            if size > self._policy.batch_bytes and size > len(record.event.value):
                return
            yield record.event.value

    async def _posted_to_gateway(self, values: Sequence[bytes]) -> GatewayAnswer:
        """Return the answer to a batch whose every event is accepted or refused; raises GatewayFailure for others."""
        headers = {
            "Content-Type": "application/cloudevents-batch+json",
            # Bad events shall not hold up the good ones.
            "Prefer": "handling=lenient",
        }
        if key := self._key if self._key_file is None else self._key_file.content():
            headers["Authorization"] = f"Bearer {key}"
        body = b"[" + b",".join(values) + b"]"
        if len(body) >= PACKED_FROM_BYTES:
            body = zlib_ng.compress(body, level=1, wbits=31)
            headers["Content-Encoding"] = "gzip"
        # Redirects are not followed: the key is for nobody else.
        async with self._connected().post(
            self._url, data=BytesIO(body), headers=headers, ssl=self._tls or True, allow_redirects=False
        ) as response:
            answer = _read_answer(await _body_of(response))
            if answer.accepted + answer.refused_count != len(values):
                retry_after = response.headers.get("Retry-After", "")
                raise GatewayFailure(self._at, response.status, answer, retry_after)
            return answer

    @property
    def _at(self) -> str:
        return str(self._url.origin())

    def _connected(self) -> ClientSession:
        if self._session is None:
            # Without cookies: a balancer's would be all that one request tells the next.
            self._session = ClientSession(cookie_jar=DummyCookieJar())
        return self._session

    def _failed(self, buffer: PartitionBuffer, failure: Exception) -> Exception | None:
        # The name alone of what aiohttp raises: its texts may quote what was sent.
        said = failure if isinstance(failure, GatewayFailure) else type(failure).__name__
        logger.warning("the gateway at %s: %s", self._at, said)
        if isinstance(failure, GatewayFailure) and failure.status == 413 and buffer.batch > 1:
            # A proxy between may take less than the gateway does: smaller ones from now on.
            buffer.most = buffer.batch // 2
            return None
        return failure

    def _pause_after(self, failure: Exception, pause: float) -> float:
        return max(pause, failure.retry_after) if isinstance(failure, GatewayFailure) else pause

    def _is_hopeless(self, failure: Exception) -> bool:
        if not isinstance(failure, GatewayFailure):
            return False
        # A key that was good before may have been replaced by one that its file has soon.
        may_pass = failure.status in PASSING or (failure.status == 401 and self._was_accepted)
        return 300 <= failure.status < 500 and not may_pass

    def _explain(self, buffer: PartitionBuffer, failure: Exception) -> Failure:
        del buffer  # there is but one
        return Failure(self._timed_out(f"the gateway at {self._at}", failure))


async def _body_of(response: ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES:
            return b""
    return bytes(body)


def _settle(buffer: PartitionBuffer, sent: int, answer: GatewayAnswer) -> None:
    refused = {one.index: Failure(_sentence(one), one.reason, one.field) for one in answer.refused}
    # A gateway names the first hundred. What lies behind the last one named is sent again, to learn the rest: what
    # had been accepted of it counts once.
    known = sent if len(refused) >= answer.refused_count else max(refused, default=-1) + 1
    buffer.settle(known, refused=refused)


def _sentence(refused: RefusedEvent) -> str:
    return f"the gateway refuses it ({refused.reason}): {refused.detail}"


def _read_answer(body: bytes) -> GatewayAnswer:
    try:
        answer = _answer_of(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return GatewayAnswer()
    # Else nothing would be settled by it, and the same sent for ever.
    return answer if answer.refused or not answer.refused_count else GatewayAnswer()


def _url_of(address: str) -> URL:
    try:
        url = URL(address)
    except ValueError:
        url = URL()
    # Neither user nor query, which may be secrets: they would be in logs.
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.password or url.query_string:
        raise SettingsError("the address of a gateway: expected http://host:port or https://host:port")
    return url.with_path(url.path.rstrip("/") + PATH)


def _key_in(file: Path) -> str:
    try:
        return _checked_key(file.read_text(encoding="utf-8").strip(), str(file))
    except OSError as failure:
        raise SettingsError(f"{file} cannot be read: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8") from None


def _checked_key(key: str, where: str) -> str:
    if not _KEY.fullmatch(key):
        raise SettingsError(f"{where}: a key is one word of visible ASCII characters")
    return key
