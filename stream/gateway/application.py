"""The gateway as an ASGI application: who may post, what an answer says, and the pages beside it."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic, perf_counter, thread_time
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from stream.core.cloudevents import EventDecoder
from stream.core.policies import Policies
from stream.errors import defect_in_places
from stream.gateway.answers import REPORTED, Accepted, json_answer, refusal
from stream.gateway.body import BodyBudget
from stream.gateway.forwarder import Forwarder
from stream.gateway.gateway_metrics import PostCounts, gateway_families
from stream.gateway.keys import ANYBODY, KeyFile, SourceKey
from stream.gateway.messages import Judged, judge_events, values_of
from stream.gateway.rate import EventRate
from stream.gateway.refusals import EventRefusal, RequestRefused
from stream.gateway.requests import body_of, check_head, deliver
from stream.gateway.survey_file import MountedSurvey
from stream.gateway.survey_pages import SURVEYS_PATH, SurveyPages
from stream.gateway.webhook_file import MountedWebhook
from stream.gateway.webhook_posts import WEBHOOKS_PATH, WebhookPosts
from stream.http.body import Body
from stream.http.build import build_families
from stream.http.exposition import TextFormat, page, section_writer
from stream.http.negotiation import format_for
from stream.sdk.trace import TraceContext
from stream.sources.intake_metrics import intake_families

__all__ = ["EVENTS_PATH", "Gateway"]

logger = logging.getLogger(__name__)

EVENTS_PATH: Final = "/v1/events"

BODIES_BYTES: Final = 128_000_000
"""What all bodies of events together may take of memory; and as much those of webhooks."""

FORMS_BYTES: Final = 8_000_000
"""What all forms of surveys together may take of memory."""

DEAR_SECONDS: Final = 0.01
"""A page of `/metrics` that takes longer to write, as with thousands of webhooks, is not written for everybody."""


class Gateway:
    """
    Takes posts of events, answers for what it accepted, and tells how it is doing.

    *keys* None: anybody may post events. A webhook has its own way of knowing who sends.
    """

    def __init__(
        self,
        decoder: EventDecoder,
        forwarder: Forwarder,
        keys: KeyFile | None,
        webhooks: Mapping[str, MountedWebhook] | None = None,
        surveys: Mapping[str, MountedSurvey] | None = None,
        public_url: str = "",
        policies: Policies = Policies(),
    ) -> None:
        self._decoder = decoder
        self._forwarder = forwarder
        self._keys = keys
        self._budget = BodyBudget(BODIES_BYTES)
        self._rates: dict[str, EventRate] = {}
        self.counts = PostCounts()
        self._kept: dict[TextFormat, tuple[float, bytes]] = {}
        # Its own: a webhook must read a body to know who sends it, so anybody can fill that room.
        budget = BodyBudget(BODIES_BYTES)
        self._webhooks = WebhookPosts({} if webhooks is None else webhooks, forwarder, budget, self.counts, public_url)
        # Likewise of customers, who need little.
        forms = BodyBudget(FORMS_BYTES)
        self._surveys = SurveyPages({} if surveys is None else surveys, forwarder, forms, self.counts, policies)
        self.pages = Starlette(
            routes=[
                Route(EVENTS_PATH, self._post_events, methods=["POST"]),
                Route(f"{WEBHOOKS_PATH}/{{name}}", self._call_webhook, methods=["POST", "HEAD"]),
                Route(f"{SURVEYS_PATH}/{{name}}/{{token}}", self._surveys.serve, methods=["GET", "POST"]),
                Route(f"{SURVEYS_PATH}/{{name}}/{{token}}/{{receipt}}", self._surveys.serve, methods=["GET", "POST"]),
                Route("/metrics", self._metrics),
                Route("/healthz", self._alive),
                Route("/readyz", self._ready),
            ]
        )
        # Who posts to a path that is none should hear it: at a redirection most senders lose the request.
        self.pages.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        # Past router and middleware, which cost as much as checking an event.
        # As it came: no path of ours needs an escape, and who is before us must not see another path than we.
        scope["path"] = scope["raw_path"].decode("ascii")
        if scope["path"] == EVENTS_PATH and scope["method"] == "POST":
            response = await self._post_events(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self.pages(scope, receive, send)

    async def _post_events(self, request: Request) -> Response:
        return await self._answer(request, self._accept)

    async def _call_webhook(self, request: Request) -> Response:
        return await self._answer(request, self._webhooks.look if request.method == "HEAD" else self._webhooks.accept)

    async def _answer(self, request: Request, accept: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            response = await accept(request)
        except RequestRefused as refused:
            response = refusal(refused)
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody reads it
        except Exception as failure:  # noqa: BLE001  # a defect, of which the sender has no part
            logger.error("no fault of the sender: %s", defect_in_places(failure))  # noqa: TRY400  # what it says may quote what was read
            response = Response(status_code=500, headers={"Connection": "close"})
        self.counts.requests[response.status_code] += 1
        return response

    async def _accept(self, request: Request) -> Response:
        check_head(request)
        # Before anything is read of the body: who has no key should not reach a parser.
        name, source = self._source_of(request)
        rate = self._may_post_now(name, source)
        async with body_of(request, self._budget) as body:
            values = values_of(body, request.headers.get("content-type", ""), request.headers.raw)
            judged = judge_events(values, self._decoder, source, TraceContext.of(request.headers))
            if rate is not None:
                rate.spend(len(values))
            return await self._deliver(name, judged, lenient=_is_lenient(request.headers.get("prefer", "")))

    async def _deliver(self, name: str, judged: Judged, *, lenient: bool) -> Response:
        if judged.refused:
            self.counts.refused.update((name, one.reason) for one in judged.refused)
            if not (lenient and judged.good):
                raise _refused_events(judged.refused)
        await deliver(self._forwarder, judged.good)
        self.counts.accepted[name] += len(judged.good)
        return json_answer(202, Accepted(len(judged.good), len(judged.refused), judged.refused[:REPORTED]))

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
        form = format_for(request.headers.get("accept", ""))
        until, text = self._kept.get(form, (0.0, b""))
        if monotonic() >= until:
            begin = thread_time()
            text = self._page_in(form)
            took = thread_time() - begin
            # Anybody may ask. A page that is dear is shown again, so that nine tenths of the time are for posts.
            until = monotonic() + 9 * took if took > DEAR_SECONDS else 0.0
            self._kept[form] = (until, text)
        return Response(text, headers={"Content-Type": form.value, "Vary": "Accept"})

    def _page_in(self, form: TextFormat) -> bytes:
        body = Body()
        gateway = section_writer(lambda: gateway_families(self.counts, self._forwarder))
        sections = {"build": section_writer(build_families), "gateway": gateway}
        intakes = self._webhooks.intakes | self._surveys.intakes
        page(sections | {"sources": section_writer(lambda: intake_families(intakes))}, form, body, timer=perf_counter)
        return body.end()

    async def _alive(self, _: Request) -> Response:
        return json_answer(200, {"alive": True})

    async def _ready(self, _: Request) -> Response:
        spool = self._forwarder.spool
        reasons = []
        if spool is not None and spool.broken is not None:
            reasons.append("the spool cannot be written")
        if spool is not None and spool.is_full:
            reasons.append("the spool is full")
        return json_answer(503 if reasons else 200, {"ready": not reasons, "reasons": reasons})


def _is_lenient(prefer: str) -> bool:
    """Tell whether the sender wants the good events of a batch accepted without the others (RFC 7240)."""
    return "handling=lenient" in prefer.lower().replace(" ", "").split(",")


def _refused_events(refused: tuple[EventRefusal, ...]) -> RequestRefused:
    if any(one.reason == "out_of_scope" for one in refused):
        return RequestRefused(
            403, "out_of_scope", "events that this key is not for; none was accepted", refused=refused
        )
    return RequestRefused(422, "invalid_events", "events that are not valid; none was accepted", refused=refused)
