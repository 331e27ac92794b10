"""A webhook as its gateway serves it: whether the public address leads there, who gets in, and what comes first.

Its test requests tell nothing: none of them becomes an event or a dead letter.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from time import monotonic
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout
from msgspec import Struct
from yarl import URL

from stream.connect.inputs import InputCounts, more_inputs, not_used
from stream.doctor.finding import Finding, bad, good, look
from stream.doctor.pages import FiguresPage, NoPage, page_of, text_of
from stream.doctor.worker_checks import clock_of
from stream.gateway.webhook_posts import WEBHOOKS_PATH
from stream.sources.source import Received

__all__ = ["EmptyRequest", "WebhookTrial"]

_ANSWER_TIME: Final = ClientTimeout(total=15)

READ_AGAIN_SECONDS: Final = 5.0
"""A gateway sees a change of its files within a second; after this it does not read the file that is meant."""

_QUIET_SECONDS: Final = 2.0

LOOKED_AGAIN_SECONDS: Final = 0.5

EmptyRequest = Callable[[str, str, datetime], Received]
"""Returns, for a secret, an address and the time, a request that is verified and tells nothing."""

_INPUTS: Final = "contact_source_inputs_total"
_SENT: Final = "contact_source_events_total"
_NOT_VERIFIED: Final = ("refused", "not_verified")


class WebhookTrial(Struct, frozen=True, kw_only=True):
    """One webhook, tried at a gateway."""

    name: str
    gateway: str
    """Where its pages are: `http://host:port`."""
    public_url: str
    """What stands before `/v1/webhooks` for whoever calls it; empty: the gateway's own address."""
    start: str
    """The command that starts the gateway, for who has not done so."""
    clock: Callable[[], datetime]
    secret: str = ""
    place_of_secret: str = ""
    empty_request: EmptyRequest | None = None

    def __repr__(self) -> str:
        """Name the webhook without its secret, wherever it is printed."""
        return f"WebhookTrial({self.name})"

    @property
    def url(self) -> str:
        """What the system has to call."""
        return f"{(self.public_url or self.gateway).rstrip('/')}{WEBHOOKS_PATH}/{self.name}"

    async def served(self, session: ClientSession, seconds: float) -> AsyncIterator[Finding]:
        """Yield how the gateway is, once it serves the webhook, or what keeps it from that for so many *seconds*."""
        begin, said = monotonic(), ""
        last = begin + max(seconds, READ_AGAIN_SECONDS)
        while True:
            finding = await self._look_at_gateway(session)
            if finding.verdict == "good":
                break
            if monotonic() >= last:
                yield finding
                return
            # What was just written is read within a second.
            if finding.said != said and monotonic() - begin > _QUIET_SECONDS:
                yield look(finding.about, finding.said, f"{finding.advice}; waiting for it")
                said = finding.said
            await asyncio.sleep(LOOKED_AGAIN_SECONDS)
        yield finding
        page = await page_of(session, self.gateway)
        for off in clock_of("gateway", page, self.clock()):
            yield off

    async def reached(self, session: ClientSession) -> AsyncIterator[Finding]:
        """Yield whether the public address leads to the gateway, and nobody else's answers there."""
        if not self.public_url:
            advice = "name what is before it by --public-url: https://…"
            yield look("address", f"{self.gateway} is the gateway's own, and the system has to reach it", advice)
            return
        url = f"{self.public_url.rstrip('/')}/healthz"
        try:
            status, body, clock = await text_of(session, url)
        except NoPage as failure:
            advice = "look at name, port, certificate and proxy: it has to lead to the gateway"
            yield bad("address", str(failure), advice)
            return
        if status == 200 and '"alive"' in body:
            yield good("address", f"{url} answers")
        else:
            # A proxy may well keep this page to itself: what counts is the webhook.
            yield look("address", f"{url} answers {status}, and not as a gateway does", "")
        for off in clock_of("address", FiguresPage({}, clock), self.clock()):
            yield off

    async def guarded(self, session: ClientSession) -> AsyncIterator[Finding]:
        """Yield who gets in: nobody with a wrong secret, whoever has the right one."""
        before = _inputs(await page_of(session, self.gateway), self.name)
        status = await self._posted(session, secrets.token_hex(32))
        if status != 401:
            said = _SAID.get(status, f"{self.url} answers {status} to a wrong secret")
            yield bad("webhook", said, self._advice(status))
            return
        after = _inputs(await page_of(session, self.gateway), self.name)
        if after.get(_NOT_VERIFIED, 0) > before.get(_NOT_VERIFIED, 0):
            yield good("webhook", "a request with a wrong secret is refused, and counted by this gateway")
        else:
            advice = "fine, if several gateways are behind it; else it leads to another one"
            yield look("webhook", f"{self.url} refused a request, but this gateway did not get it", advice)
        if self.empty_request is None:
            yield look("secret", "the system alone can sign requests: what it sends first will tell")
            return
        status = await self._allowed(session)
        if status in {200, 202, 204}:
            yield good("secret", "a request with the secret is taken; it told nothing, so nothing was counted")
        else:
            yield bad("secret", f"a request with the secret is answered {status}", self._advice(status))

    async def counted(self, session: ClientSession) -> InputCounts:
        """Return what came of each kind, by what became of it; nothing while the gateway is away."""
        try:
            return _inputs(await page_of(session, self.gateway), self.name)
        except NoPage:
            return {}

    async def first_input(self, session: ClientSession, before: InputCounts, seconds: float) -> AsyncIterator[Finding]:
        """Yield what comes that was not there *before*, with what to do, until an input is used or time is over."""
        last = monotonic() + seconds
        while True:
            shown = await self.counted(session)
            for outcome, kind in more_inputs(before, shown):
                yield self._of_no_use(outcome, kind)
            if used := [kind for outcome, kind in shown if outcome == "used"]:
                yield good("first event", f"{', '.join(sorted(used))} came, and was used")
                return
            # A gateway that is started again counts from 0.
            before = shown
            if monotonic() >= last:
                said = f"nothing of use came within {seconds:.0f} s"
                yield bad("first event", said, "see what the system says of its deliveries")
                return
            await asyncio.sleep(LOOKED_AGAIN_SECONDS)

    def _of_no_use(self, outcome: str, kind: str) -> Finding:
        if (outcome, kind) == _NOT_VERIFIED:
            advice = f"give the system the line of {self.place_of_secret} once more, and the address as it stands here"
            return look("request", "a request came that is not signed with this secret", advice)
        return not_used("request", outcome, kind)

    async def _look_at_gateway(self, session: ClientSession) -> Finding:
        try:
            page = await page_of(session, self.gateway)
        except NoPage as failure:
            return bad("gateway", str(failure), f"start it: {self.start}")
        if not page.of("contact_gateway_set_aside_total"):
            return bad("gateway", f"what answers at {self.gateway} is no gateway", "name another by --gateway")
        if all(labels["source"] != self.name for labels, _ in page.of(_SENT)):
            return bad("gateway", f"it serves no webhook {self.name}", f"have it read this file: {self.start}")
        return good("gateway", f"it serves the webhook {self.name}")

    async def _allowed(self, session: ClientSession) -> int:
        """Return the answer to the secret, which the gateway may still have to read."""
        last = monotonic() + READ_AGAIN_SECONDS
        while True:
            status = await self._posted(session, self.secret)
            if status != 401 or monotonic() >= last:
                return status
            await asyncio.sleep(LOOKED_AGAIN_SECONDS)

    async def _posted(self, session: ClientSession, secret: str) -> int:
        """Return the status of the answer to an empty request; 0 where there is none."""
        at = self.clock()
        unsigned = Received(b"[]", {"content-type": "application/json"}, self.url, at)
        request = unsigned if self.empty_request is None else self.empty_request(secret, self.url, at)
        try:
            async with session.post(
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                timeout=_ANSWER_TIME,
                allow_redirects=False,
            ) as response:
                return response.status
        except (ClientError, TimeoutError, OSError):
            return 0

    def _advice(self, status: int) -> str:
        if status == 401 and self.public_url:
            return f"if the system signs the address, set CONTACT_STREAM_GATEWAY_PUBLIC_URL to {self.public_url}"
        if status == 503:
            return "see contact-stream doctor: neither broker nor spool takes what it is given"
        return _ADVICE.get(status, "look at what is before the gateway: it has to pass POST on as it is")


_SAID: Final = {
    0: "nothing answers a post",
    404: "another server answers there, or a gateway that does not serve this webhook",
    **dict.fromkeys((301, 302, 307, 308), "the address sends posts elsewhere, where most systems do not follow"),
}

_ADVICE: Final = {
    404: "have the address lead to this gateway, with the path unchanged",
    401: "the gateway reads another file for the secret: look at which file of webhooks it was started with",
    **dict.fromkeys((301, 302, 307, 308), "name the address it sends to by --public-url, with https://"),
}


def _inputs(page: FiguresPage, name: str) -> InputCounts:
    return {
        (labels["outcome"], labels["kind"]): count for labels, count in page.of(_INPUTS) if labels["source"] == name
    }
