"""The gateway as an ASGI application: who may post, what an answer says, and the pages beside it."""

import logging
from collections.abc import Mapping
from math import ceil
from time import monotonic, perf_counter
from typing import Final

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from stream.core.cloudevents import EventDecoder
from stream.errors import BrokerError
from stream.gateway.body import MAX_BODY_BYTES, BodyBudget, read_body
from stream.gateway.forwarder import Forwarder
from stream.gateway.gateway_metrics import PostCounts, gateway_families
from stream.gateway.keys import ANYBODY, KeyFile, SourceKey
from stream.gateway.messages import Judged, judge_events, values_of
from stream.gateway.rate import EventRate
from stream.gateway.refusals import EventRefusal, RequestRefused
from stream.gateway.spool import SpoolBroken, SpoolFull
from stream.http.body import Body
from stream.http.build import build_families
from stream.http.exposition import page, section_writer
from stream.http.negotiation import format_for

__all__ = ["EVENTS_PATH", "MAX_HEAD_BYTES", "REPORTED", "Gateway"]

EVENTS_PATH: Final = "/v1/events"

MAX_HEAD_BYTES: Final = 16_384
"""Of all headers of a request together."""

MAX_HEADERS: Final = 100

BODY_SECONDS: Final = 15.0
"""So long a body may be under way."""

BODIES_BYTES: Final = 128_000_000
"""What all bodies together may take of memory."""

TRY_AGAIN_SECONDS: Final = 5
"""After which a sender may try again where there was no room and no broker."""

REPORTED: Final = 100
"""So many events at fault are told of; the others are counted."""

logger = logging.getLogger(__name__)


class Accepted(Struct, frozen=True, omit_defaults=True):
    """The body of an answer 202."""

    accepted: int
    refused_count: int = 0
    refused: tuple[EventRefusal, ...] = ()


class Problem(Struct, frozen=True, omit_defaults=True):
    """The body of any other answer to a post: of these events nothing was accepted."""

    reason: str
    detail: str
    refused_count: int = 0
    refused: tuple[EventRefusal, ...] = ()


class Gateway:
    """Takes posts of events, answers for what it accepted, and tells how it is doing; *keys* None: anybody may post."""

    def __init__(self, decoder: EventDecoder, forwarder: Forwarder, keys: KeyFile | None) -> None:
        self._decoder = decoder
        self._forwarder = forwarder
        self._keys = keys
        self._budget = BodyBudget(BODIES_BYTES)
        self._rates: dict[str, EventRate] = {}
        self.counts = PostCounts()
        self.application = Starlette(
            routes=[
                Route(EVENTS_PATH, self._post, methods=["POST"]),
                Route("/metrics", self._metrics),
                Route("/healthz", self._alive),
                Route("/readyz", self._ready),
            ]
        )

    async def _post(self, request: Request) -> Response:
        try:
            response = await self._accept(request)
        except RequestRefused as refused:
            response = _refusal(refused)
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody reads it
        self.counts.requests[response.status_code] += 1
        return response

    async def _accept(self, request: Request) -> Response:
        _check_head(request)
        # Before anything is read of the body: who has no key should not reach a parser.
        name, source = self._source_of(request)
        rate = self._may_post_now(name, source)
        body = await read_body(
            request.stream(), request.headers.get("content-encoding", ""), self._budget, seconds=BODY_SECONDS
        )
        try:
            values = values_of(body, request.headers.get("content-type", ""), request.headers.raw)
            judged = judge_events(values, self._decoder, source)
            if rate is not None:
                rate.spend(len(values))
            return await self._deliver(name, judged, lenient=_is_lenient(request.headers.get("prefer", "")))
        finally:
            self._budget.free(len(body))

    async def _deliver(self, name: str, judged: Judged, *, lenient: bool) -> Response:
        self.counts.refused.update((name, one.reason) for one in judged.refused)
        if judged.refused and not (lenient and judged.good):
            raise _refused_events(judged.refused)
        if judged.good:
            await self._forward(judged)
            self.counts.accepted[name] += len(judged.good)
        return _json(202, Accepted(len(judged.good), len(judged.refused), judged.refused[:REPORTED]))

    async def _forward(self, judged: Judged) -> None:
        try:
            await self._forwarder.accept(judged.good)
        except BrokerError as failure:
            # The log has what the broker said; a sender cannot do anything about it, and need not know its address.
            logger.warning("%s", failure)
            raise _away("broker_away", "the broker is away, and there is no spool") from None
        except SpoolFull as failure:
            logger.warning("%s", failure)
            raise _away("spool_full", "the broker is away, and the spool is full") from None
        except SpoolBroken as failure:
            logger.error("%s", failure)  # noqa: TRY400  # where it was raised tells nothing
            raise _away("spool_broken", "the broker is away, and the spool cannot be written") from None

    def _source_of(self, request: Request) -> tuple[str, SourceKey]:
        if self._keys is None:
            return "anybody", ANYBODY
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        found = self._keys.source_of(key.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            # The same words for every reason: which names there are is nobody's business.
            raise RequestRefused(401, "no_good_key", "send a key as `Authorization: Bearer`")
        return found

    def _may_post_now(self, name: str, source: SourceKey) -> EventRate | None:
        if source.events_per_second is None:
            self._rates.pop(name, None)
            return None
        now = monotonic()
        rate = self._rates.get(name)
        if rate is None or rate.per_second != source.events_per_second:
            rate = self._rates[name] = EventRate.full(source.events_per_second, now)
        if wait := rate.wait(now):
            raise RequestRefused(
                429, "too_fast", f"this key is for {rate.per_second:g} events a second", retry_after=wait
            )
        return rate

    async def _metrics(self, request: Request) -> Response:
        form, body = format_for(request.headers.get("accept", "")), Body()
        families = section_writer(lambda: gateway_families(self.counts, self._forwarder.spool))
        page({"build": section_writer(build_families), "gateway": families}, form, body, timer=perf_counter)
        return Response(body.end(), headers={"Content-Type": form.value, "Vary": "Accept"})

    async def _alive(self, _: Request) -> Response:
        return _json(200, {"alive": True})

    async def _ready(self, _: Request) -> Response:
        spool = self._forwarder.spool
        reasons = []
        if spool is not None and spool.broken is not None:
            reasons.append("the spool cannot be written")
        if spool is not None and spool.is_full:
            reasons.append("the spool is full")
        return _json(503 if reasons else 200, {"ready": not reasons, "reasons": reasons})


def _check_head(request: Request) -> None:
    headers = request.headers.raw
    # The server limits what it buffers; here it is all headers that came, in whatever pieces.
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers) > MAX_HEAD_BYTES:
        raise RequestRefused(431, "head_too_large", f"headers may have {MAX_HEAD_BYTES} bytes in {MAX_HEADERS} lines")
    # The server has refused a length that is no number. What comes without one is counted as it comes.
    if int(request.headers.get("content-length", "0")) > MAX_BODY_BYTES:
        raise RequestRefused(413, "too_large", f"a body may have {MAX_BODY_BYTES} bytes, unpacked")


def _is_lenient(prefer: str) -> bool:
    """Tell whether the sender wants the good events of a batch accepted without the others (RFC 7240)."""
    return "handling=lenient" in prefer.lower().replace(" ", "").split(",")


def _refused_events(refused: tuple[EventRefusal, ...]) -> RequestRefused:
    if any(one.reason == "out_of_scope" for one in refused):
        return RequestRefused(
            403, "out_of_scope", "events that this key is not for; none was accepted", refused=refused
        )
    return RequestRefused(422, "invalid_events", "events that are not valid; none was accepted", refused=refused)


def _away(reason: str, detail: str) -> RequestRefused:
    return RequestRefused(503, reason, detail, retry_after=TRY_AGAIN_SECONDS)


def _refusal(refused: RequestRefused) -> Response:
    headers = {}
    if refused.retry_after is not None:
        headers["Retry-After"] = str(max(1, ceil(refused.retry_after)))
    if refused.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refused.status in UNREAD:
        # What is left of the body would be read to no purpose.
        headers["Connection"] = "close"
    problem = Problem(refused.reason, refused.detail, len(refused.refused), refused.refused[:REPORTED])
    return _json(refused.status, problem, headers)


UNREAD: Final = frozenset({401, 408, 413, 415, 429, 431})
"""Answers that may be given before the body was read."""


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    common = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(msgspec.json.encode(body), status_code=status, headers=common | dict(headers or {}))
