"""Serves the page of a survey to who has its link, and tells what is answered there. It keeps no answer.

Only a post is an answer: programs that look for viruses follow every link of a mail, and must not rate anybody.
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final
from urllib.parse import parse_qs

from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from stream.core.cloudevents import key_of
from stream.core.policies import Policies
from stream.core.windows import EPOCH
from stream.families.surveys.rules import survey_policy
from stream.gateway.body import BodyBudget
from stream.gateway.forwarder import Forwarder
from stream.gateway.gateway_metrics import PostCounts
from stream.gateway.rate import EventRate
from stream.gateway.refusals import RequestRefused
from stream.gateway.requests import body_of, check_head, deliver
from stream.gateway.survey_answers import MAX_FORM_BYTES, UnusableForm, WebAnswer, answer_events, answer_in, scores_in
from stream.gateway.survey_file import MountedSurvey
from stream.gateway.survey_html import PAGE_HEADERS, SurveyScreen, preferred_language
from stream.sdk.producer import EncodedEvent, checked
from stream.sdk.survey_links import LinkTerms, SurveyReceipt, link_in, receipt_in, sealed_receipt
from stream.sdk.survey_mail import shown_time
from stream.sources.intake import Intake

__all__ = ["SURVEYS_PATH", "SurveyPages"]

SURVEYS_PATH: Final = "/surveys"

_ANSWERS_PER_SECOND: Final = 0.5
"""At one link, after five at once: nobody changes an opinion faster."""

_LINKS_WATCHED: Final = 10_000
"""Of so many links it is known how fast answers come; the others are watched anew."""

_FORM: Final = "application/x-www-form-urlencoded"


class _Visit(Struct, frozen=True):
    """A request for a page that there is."""

    survey: MountedSurvey
    screen: SurveyScreen
    terms: LinkTerms
    token: str
    receipt: SurveyReceipt | None
    at: datetime

    @property
    def changeable_until(self) -> datetime:
        """When the answer of the receipt can no longer be changed there."""
        assert self.receipt is not None
        answered = EPOCH + timedelta(seconds=self.receipt.first_at)
        return min(self.terms.ends_at, answered + timedelta(hours=self.survey.options.change_hours))

    @property
    def answered_at(self) -> datetime:
        """
        When what is sent now is an answer: behind that which it changes.

        That one may have come by a gateway whose clock is ahead of this one, and of answers the latest stands.
        """
        last = EPOCH if self.receipt is None else EPOCH + timedelta(milliseconds=self.receipt.last_ms + 1)
        return max(self.at, last)

    @property
    def is_over(self) -> bool:
        """Tell whether there is nothing to answer or to change any more."""
        return self.at >= (self.terms.ends_at if self.receipt is None else self.changeable_until)


class SurveyPages:
    """Answers requests for the pages of surveys."""

    def __init__(
        self,
        surveys: Mapping[str, MountedSurvey],
        forwarder: Forwarder,
        budget: BodyBudget,
        counts: PostCounts,
        policies: Policies,
    ) -> None:
        self._surveys = surveys
        self._policies = policies
        self._forwarder = forwarder
        self._budget = budget
        self._counts = counts
        self._rates: OrderedDict[str, EventRate] = OrderedDict()

    async def serve(self, request: Request) -> Response:
        """Show a page, or record what was sent from one."""
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody reads it
        if request.method == "POST":
            self._counts.requests[response.status_code] += 1
            if response.status_code not in {303, 503}:
                # What is left of the body would be read to no purpose.
                response.headers["Connection"] = "close"
        return response

    @property
    def intakes(self) -> dict[str, Intake]:
        """What became of all that each page was asked."""
        return {name: survey.intake for name, survey in self._surveys.items()}

    async def _answer(self, request: Request) -> Response:
        survey = self._surveys.get(request.path_params["name"])
        if survey is None:
            return Response("Not Found", status_code=404)
        survey.intake.read += 1
        visit = _visit(request, survey, self._policies)
        if isinstance(visit, Response):
            survey.intake.refused["not_verified"] += 1
            return visit
        return await self._post(request, visit) if request.method == "POST" else _shown(visit)

    async def _post(self, request: Request, visit: _Visit) -> Response:
        intake = visit.survey.intake
        if visit.is_over:
            intake.refused["over"] += 1
            return _over(visit)
        if not self._may_answer_now(visit.token):
            intake.refused["too_fast"] += 1
            return _form(visit, 429, "too_fast", None)
        try:
            body = await self._body(request)
            answer = answer_in(body, visit.terms)
        except UnusableForm as failure:
            intake.refused[failure.reason] += 1
            return _form(visit, 422, failure.word, failure.answer)
        try:
            await self._record(visit, answer, body)
        except RequestRefused:
            # What was chosen and written stands in the form again: a customer has no queue that keeps it.
            return _form(visit, 503, "away", answer)
        return _redirected(visit, answer)

    async def _body(self, request: Request) -> bytes:
        """Return a form; raises UnusableForm for what is none."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            raise UnusableForm("no_form", "unusable")
        try:
            check_head(request)
            async with body_of(request, self._budget, MAX_FORM_BYTES) as body:
                return body
        except RequestRefused as refused:
            word = "too_large" if refused.status == 413 else "unusable"
            raise UnusableForm(refused.reason, word) from None

    async def _record(self, visit: _Visit, answer: WebAnswer, body: bytes) -> None:
        options, receipt = visit.survey.options, visit.receipt
        changed = receipt is not None
        events = list(
            answer_events(
                answer,
                visit.terms,
                form=f"{visit.token}\0".encode() + body,
                comments=options.comments,
                commented=receipt is not None and receipt.commented,
                source=options.source_name,
                changed=changed,
                at=visit.answered_at,
            )
        )
        await deliver(self._forwarder, [EncodedEvent(one.topic, key_of(one), checked(one)) for one in events])
        intake = visit.survey.intake
        intake.used["survey.changed" if changed else "survey.answered"] += 1
        intake.acknowledged(events)
        self._counts.accepted[visit.survey.name] += len(events)

    def _may_answer_now(self, token: str) -> bool:
        now = monotonic()
        rate = self._rates.pop(token, None) or EventRate.full(_ANSWERS_PER_SECOND, now)
        self._rates[token] = rate
        if len(self._rates) > _LINKS_WATCHED:
            self._rates.popitem(last=False)
        if rate.wait(now):
            return False
        rate.spend(1)
        return True


def _visit(request: Request, survey: MountedSurvey, policies: Policies) -> _Visit | Response:
    """Return who asks for what; a page that says so for a link that nobody of ours has made."""
    fields = parse_qs(request.url.query)
    language = preferred_language(fields.get("language", [""])[0], request.headers.get("accept-language", ""))
    keys, token, sealed = survey.keys.all(), request.path_params["token"], request.path_params.get("receipt")
    terms, receipt = link_in(token, keys), receipt_in(sealed, token, keys) if sealed else None
    foreign = terms is not None and terms.tenant not in survey.options.tenants
    if terms is None or foreign or (sealed and receipt is None):
        # The same answer for each reason: which tenants there are is nobody's business.
        return _page(404, SurveyScreen(survey.options, language).notice("unknown", "unknown_why"))
    chosen = scores_in(fields, terms) or ({} if receipt is None else receipt.scores)
    zone = survey_policy(policies, terms.tenant, terms.queue, terms.channel).time_zone
    screen = SurveyScreen(survey.options, language, chosen, zone)
    return _Visit(survey, screen, terms, token, receipt, datetime.now(UTC))


def _shown(visit: _Visit) -> Response:
    visit.survey.intake.ignore("shown")
    if visit.receipt is None and visit.is_over:
        return _over(visit)
    return _form(visit, 200, "", None)


def _form(visit: _Visit, status: int, wrong: str, answer: WebAnswer | None) -> Response:
    screen = visit.screen
    if visit.receipt is None:
        return _page(status, screen.form(visit.terms, answer, at=visit.at, wrong=wrong))
    until = visit.changeable_until
    return _page(status, screen.receipt(visit.terms, visit.receipt.scores, until, answer, at=visit.at, wrong=wrong))


def _over(visit: _Visit) -> Response:
    if visit.receipt is not None:
        return _form(visit, 410, "", None)
    return _page(410, visit.screen.notice("over", "over_why", time=shown_time(visit.terms.ends_at, visit.screen.zone)))


def _redirected(visit: _Visit, answer: WebAnswer) -> Response:
    """Return the way to the receipt, so that a page that is loaded again sends nothing."""
    now = int((visit.at - EPOCH).total_seconds())
    before = visit.receipt
    scores = {**({} if before is None else before.scores), **answer.scores}
    commented = bool(answer.comment) or (before is not None and before.commented)
    # Rounded up, so that it is never before the answer.
    last_ms = -((EPOCH - visit.answered_at) // timedelta(milliseconds=1))
    receipt = SurveyReceipt(now if before is None else before.first_at, scores, commented, last_ms)
    sealed = sealed_receipt(receipt, visit.token, visit.survey.keys.all()[0])
    # Relative: a proxy may serve all this under another path.
    place = sealed if before is not None else f"{visit.token}/{sealed}"
    return Response(status_code=303, headers={**PAGE_HEADERS, "Location": f"{place}?language={visit.screen.language}"})


def _page(status: int, html: str) -> Response:
    headers = {**PAGE_HEADERS, "Retry-After": "60"} if status == 503 else PAGE_HEADERS
    return Response(html, status_code=status, headers=headers, media_type="text/html")
