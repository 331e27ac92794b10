"""Requests of systems that call us in a language of their own: by a webhook for each, to the events that they tell."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from stream.core.cloudevents import Event, key_of
from stream.errors import BrokerError
from stream.gateway.body import BodyBudget
from stream.gateway.forwarder import Forwarder
from stream.gateway.gateway_metrics import PostCounts
from stream.gateway.letters import GatewayLetter
from stream.gateway.messages import refuse_nesting
from stream.gateway.refusals import RequestRefused
from stream.gateway.requests import TRY_AGAIN_SECONDS, body_of, check_head, deliver
from stream.gateway.webhook_file import MountedWebhook
from stream.sdk.producer import EncodedEvent, checked
from stream.sources.intake import Intake
from stream.sources.requests.answering import answer
from stream.sources.source import Received, Reply

__all__ = ["WEBHOOKS_PATH", "WebhookPosts"]

WEBHOOKS_PATH: Final = "/v1/webhooks"

MOST_LETTERS: Final = 100
"""Dead letters about one request. Who sends ten thousand parts of no use in one must not fill topic and spool."""


class WebhookPosts:
    """
    Takes posts to webhooks, which *public_url* is before for whoever calls them: some sign the address.

    *public_url* empty: senders call what the header Host says.
    """

    def __init__(
        self,
        webhooks: Mapping[str, MountedWebhook],
        forwarder: Forwarder,
        budget: BodyBudget,
        counts: PostCounts,
        public_url: str,
    ) -> None:
        self._webhooks = webhooks
        self._forwarder = forwarder
        self._budget = budget
        self._counts = counts
        self._public_url = public_url.rstrip("/")

    async def look(self, request: Request) -> Response:
        """Answer who only asks whether the address is good, as some do before they call it; raises as `accept`."""
        # Without a look at what shows who asks: nobody is to try secrets here, where it is not counted.
        self._mounted_at(request)
        return _response(Reply(200))

    async def accept(self, request: Request) -> Response:
        """Answer a post; raises RequestRefused where it gets to no webhook."""
        mounted = self._mounted_at(request)
        async with body_of(request, self._budget) as body:
            # Before any parser: what a source uses may not know a limit.
            if "json" in request.headers.get("content-type", ""):
                refuse_nesting(body)
            received = Received(body, dict(request.headers), self._url_of(request), datetime.now(UTC))
            # Whatever became of the request before, this one begins with nothing set aside.
            mounted.aside.clear()
            sink = _SafeSink(mounted, blake2b(body, digest_size=8).hexdigest(), self._forwarder, self._counts)
            return _response(await answer(mounted.webhook, received, sink, mounted.intake))

    @property
    def intakes(self) -> dict[str, Intake]:
        """What became of all that each webhook was sent."""
        return {name: mounted.intake for name, mounted in self._webhooks.items()}

    def _mounted_at(self, request: Request) -> MountedWebhook:
        check_head(request)
        mounted = self._webhooks.get(request.path_params["name"])
        if mounted is None:
            raise RequestRefused(404, "no_such_webhook", "no webhook has this name")
        return mounted

    def _url_of(self, request: Request) -> str:
        # As it came, and not decoded: it is what was signed.
        path, query = request.scope["raw_path"].decode("latin-1"), request.scope["query_string"].decode("latin-1")
        base = self._public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
        return f"{base}{path}?{query}" if query else base + path


class _SafeSink:
    """Where the events of one request go, and what was of no use in it: to the broker, or to the spool."""

    def __init__(self, mounted: MountedWebhook, digest: str, forwarder: Forwarder, counts: PostCounts) -> None:
        self._mounted = mounted
        self._digest = digest
        self._forwarder = forwarder
        self._counts = counts

    async def send_many(self, events: Iterable[Event]) -> int:
        """Return when all of it is safe; raises BrokerError."""
        told = list(events)
        encoded = [EncodedEvent(event.topic, key_of(event), checked(event)) for event in told]
        # Made before the first await: what is set aside then is of another request.
        reasons = Counter(bad.reason for bad in self._mounted.aside)
        letters = [letter.encoded() for letter in self._letters()]
        try:
            await deliver(self._forwarder, [*encoded, *letters])
        except RequestRefused as refused:
            raise BrokerError(refused.detail) from None
        self._forwarder.set_aside_counts.update(reasons)
        self._counts.accepted[self._mounted.name] += len(told)
        self._mounted.intake.acknowledged(told)
        return len(told)

    def _letters(self) -> Iterator[GatewayLetter]:
        aside = self._mounted.aside
        for bad in aside[:MOST_LETTERS]:
            yield self._letter(str(bad.place.offset), bad.reason, bad.detail)
        if (more := len(aside) - MOST_LETTERS) > 0:
            yield self._letter("more", "too_many", f"{more} more parts of this request are of no use")

    def _letter(self, place: str, reason: str, detail: str) -> GatewayLetter:
        # The same part of the same request, sent again, has the same place.
        offset = f"{self._digest}-{place}"
        origin = f"{WEBHOOKS_PATH}/{self._mounted.name}"
        return GatewayLetter(origin=origin, offset=offset, reason=reason, error=detail)


def _response(reply: Reply) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if reply.body:
        headers["Content-Type"] = reply.content_type
    if reply.status == 503:
        headers["Retry-After"] = str(TRY_AGAIN_SECONDS)
    return Response(reply.body, status_code=reply.status, headers=headers)
