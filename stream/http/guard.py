"""What every answer of the board's server has in common: headers, a time limit, and a look at the Host header."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address

from aiohttp import web

__all__ = ["STREAMED", "guard", "is_known", "is_loopback"]

HEADERS = {
    # No inline script or style, nothing from elsewhere; also what a queue's name contains can do nothing.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    # A browser must not take JSON with names from outside for a page.
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # No page from elsewhere can load the board as a script or an image.
    "Cross-Origin-Resource-Policy": "same-origin",
    # Figures are old after a second: neither browser nor proxy may show them again.
    "Cache-Control": "no-store",
}

STREAMED = "/events"
"""The one path without a time limit; it sets its own."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Tell whether a name or address stands for this machine only."""
    # With a dot at its end a name is the same name, written out in full.
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def guard(
    bound: str, allowed_hosts: Iterable[str], limit_seconds: float
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """
    Return the middleware of a server that listens on *bound*.

    A server on loopback answers only to loopback names and *allowed_hosts*: else a page from elsewhere
    could read the board through a name of its own that it lets point to 127.0.0.1 (DNS rebinding). On any
    other address all names are fine, unless *allowed_hosts* says which. The very address at which a request
    arrived is no name that anybody could let point elsewhere, and other workers ask there.
    """
    allowed = frozenset(host.lower() for host in allowed_hosts)
    picky = is_loopback(bound) or bool(allowed)

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if picky and not is_known(request.headers.get("Host", ""), allowed, _arrived_at(request)):
            # 421 Misdirected Request (RFC 9110): the right server, and no name that it answers to.
            response: web.StreamResponse = web.Response(status=421, text="This host name is not served here.\n")
        else:
            response = await _answer(request, handler, limit_seconds)
        # A stream has sent its headers long before it comes back here.
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return guarded


def is_known(header: str, allowed: frozenset[str], arrived_at: str | None) -> bool:
    """Tell whether a Host header names this server, which the client has found at the address *arrived_at*."""
    host = _host_of(header)
    return is_loopback(host) or host.lower() in allowed or (arrived_at is not None and host.strip("[]") == arrived_at)


def _arrived_at(request: web.Request) -> str | None:
    """Return the address of ours to which the client has connected."""
    return None if request.transport is None else str(request.transport.get_extra_info("sockname")[0])


def _host_of(header: str) -> str:
    """Return a Host header without its port."""
    # An IPv6 address has colons of its own, hence the brackets.
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]


async def _answer(request: web.Request, handler: Handler, limit_seconds: float) -> web.StreamResponse:
    if request.path == STREAMED:
        return await handler(request)
    try:
        async with asyncio.timeout(limit_seconds):
            return await handler(request)
    except TimeoutError:
        return web.Response(status=503, text="The worker did not answer in time.\n")
    except web.HTTPException as refused:
        # An answer like any other (404, 405): it needs the headers, too.
        return web.Response(status=refused.status, text=f"{refused.reason}\n", headers=_allow(refused))


def _allow(refused: web.HTTPException) -> dict[str, str]:
    # RFC 9110 demands it of an answer 405; nothing else of the refusal is handed on.
    return {"Allow": refused.headers["Allow"]} if "Allow" in refused.headers else {}
