"""How a gateway answers: in JSON, never kept by a cache, and never with a value of what was sent."""

from collections.abc import Mapping
from math import ceil
from typing import Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from stream.gateway.refusals import EventRefusal, RequestRefused

__all__ = ["REPORTED", "Accepted", "Problem", "json_answer", "refusal"]

REPORTED: Final = 100
"""So many events at fault are told of; the others are counted."""

UNREAD: Final = frozenset({401, 408, 413, 415, 429, 431})
"""Answers that may be given before the body was read."""


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


def refusal(refused: RequestRefused) -> Response:
    """Return the answer to a request of which nothing was accepted."""
    headers = {}
    if refused.retry_after is not None:
        headers["Retry-After"] = str(max(1, ceil(refused.retry_after)))
    if refused.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refused.status in UNREAD:
        # What is left of the body would be read to no purpose.
        headers["Connection"] = "close"
    problem = Problem(refused.reason, refused.detail, len(refused.refused), refused.refused[:REPORTED])
    return json_answer(refused.status, problem, headers)


def json_answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return *body* as JSON."""
    common = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(msgspec.json.encode(body), status_code=status, headers=common | dict(headers or {}))
