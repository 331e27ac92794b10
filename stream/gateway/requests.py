"""What every post has, whoever sends it: a head within limits, a body, and events that are brought to safety."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from starlette.requests import Request

from stream.errors import BrokerError
from stream.gateway.body import MAX_BODY_BYTES, BodyBudget, read_body
from stream.gateway.forwarder import Forwarder
from stream.gateway.refusals import RequestRefused
from stream.gateway.spool import SpoolBroken, SpoolFull
from stream.sdk.producer import EncodedEvent

__all__ = ["MAX_HEAD_BYTES", "TRY_AGAIN_SECONDS", "body_of", "check_head", "deliver"]

logger = logging.getLogger(__name__)

MAX_HEAD_BYTES: Final = 16_384
"""Of all headers of a request together."""

MAX_HEADERS: Final = 100

BODY_SECONDS: Final = 15.0
"""So long a body may be under way."""

TRY_AGAIN_SECONDS: Final = 5
"""After which a sender may try again where there was no room and no broker."""


def check_head(request: Request) -> None:
    """Raise RequestRefused for a head, or an announced body, beyond the limits."""
    headers = request.headers.raw
    # The server limits what it buffers; here it is all headers that came, in whatever pieces.
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers) > MAX_HEAD_BYTES:
        raise RequestRefused(431, "head_too_large", f"headers may have {MAX_HEAD_BYTES} bytes in {MAX_HEADERS} lines")
    # The server has refused a length that is no number. What comes without one is counted as it comes.
    if int(request.headers.get("content-length", "0")) > MAX_BODY_BYTES:
        raise RequestRefused(413, "too_large", f"a body may have {MAX_BODY_BYTES} bytes, unpacked")


@asynccontextmanager
async def body_of(request: Request, budget: BodyBudget, most: int = MAX_BODY_BYTES) -> AsyncIterator[bytes]:
    """Give the unpacked body, whose room in the budget is freed at the end; raises RequestRefused as `read_body`."""
    encoding = request.headers.get("content-encoding", "identity")
    body = await read_body(request.stream(), encoding, budget, seconds=BODY_SECONDS, most=most)
    try:
        yield body
    finally:
        budget.free(len(body))


async def deliver(forwarder: Forwarder, events: Sequence[EncodedEvent]) -> None:
    """Return when the events are safe; raises RequestRefused, with 503, where neither broker nor spool takes them."""
    if not events:
        return
    try:
        await forwarder.accept(events)
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


def _away(reason: str, detail: str) -> RequestRefused:
    return RequestRefused(503, reason, detail, retry_after=TRY_AGAIN_SECONDS)
