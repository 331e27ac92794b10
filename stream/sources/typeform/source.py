"""Typeform as a source: each response that somebody submits, by its webhook."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event, Instant, Name
from stream.core.identity import opaque_id
from stream.sources.intake import Intake
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, json_documents, kind_at
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.source import Setup, Source
from stream.sources.survey_questions import Question, QuestionScore, SurveyResponse, events_of_response

__all__ = ["SOURCE", "Options", "typeform_webhook"]

SIGNED: Final = VerifyTable(method="hmac-sha256", header="Typeform-Signature", prefix="sha256=", encoding="base64")
"""Of the body alone, by https://www.typeform.com/developers/webhooks/secure-your-webhooks/."""

NPS: Final = Question(kind="nps")
"""What Typeform's own question of this kind asks."""


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of forms."""

    secret_file: Annotated[Path, Meta(description="The secret of the webhook; one in each line.")]
    questions: Annotated[
        Mapping[str, Question],
        Meta(description="What questions mean, by their ref or id; of those that are not here, only `nps` is known."),
    ] = field(default_factory=dict)
    tenant: Annotated[Name, Meta(description="Whose customers they are.")] = DEFAULT_TENANT
    source_name: Annotated[str, Meta(description="What events have as their source.", min_length=1, max_length=200)] = (
        "/typeform"
    )
    queue_field: Annotated[str, Meta(description="The hidden field with the queue that is rated.")] = "queue"
    agent_field: Annotated[str, Meta(description="The hidden field with the agent's id.")] = "agent"
    customer_field: Annotated[str, Meta(description="The hidden field with an opaque id of the customer.")] = (
        "customer_id"
    )
    channel: Annotated[Channel | None, Meta(description="Of the conversations that are rated.")] = None


class _Field(Struct):
    id: str
    type: str
    ref: str = ""


class _Answer(Struct):
    field: _Field
    type: str
    number: int | None = None
    boolean: bool | None = None


class _Response(Struct):
    token: str
    submitted_at: Instant
    answers: list[_Answer] = []
    hidden: dict[str, str] = {}


class _Submitted(Struct):
    form_response: _Response


class _Teller(Struct):
    options: Options

    def tell(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Submitted).form_response
        scores = [score for answer in told.answers if (score := self._score(answer)) is not None]
        response = SurveyResponse(id=told.token, scores=scores, at=told.submitted_at)
        options = self.options
        yield from events_of_response(
            response,
            options.source_name,
            options.tenant,
            queue=told.hidden.get(options.queue_field) or None,
            agent=opaque_id(told.hidden.get(options.agent_field)),
            customer=opaque_id(told.hidden.get(options.customer_field)),
            channel=options.channel,
            comment=any(answer.type == "text" for answer in told.answers),
        )

    def _score(self, answer: _Answer) -> QuestionScore | None:
        questions, asked = self.options.questions, answer.field
        # A ref is what a person chose, and stays when a form is copied; an id is made anew.
        asks = questions.get(asked.ref) or questions.get(asked.id) or (NPS if asked.type == "nps" else None)
        if asks is None:
            return None
        score = answer.number if answer.boolean is None else int(answer.boolean)
        if score is None:
            raise UnusablePart("no_score", "a question that is to be a score was answered with something else")
        return QuestionScore(asked.ref or asked.id, asks, score)


def typeform_webhook(options: Options, intake: Intake) -> JsonWebhook:
    """Return the webhook of forms; raises SettingsError for the secret's file."""
    return JsonWebhook(
        intake,
        verify=verifier_of(SIGNED, SecretLines(options.secret_file)),
        documents=lambda request: json_documents(request, kind_at("event_type")),
        tell={"form_response": _Teller(options).tell},
        of_no_use={"form_response_partial"},  # somebody has left before the end, and may come back
    )


SOURCE: Final = Source(
    name="typeform",
    about="Typeform: what customers answer to questions about satisfaction, effort and recommendation.",
    options=Options,
    webhook=typeform_webhook,
    setup=Setup(
        steps="""\
1. In Typeform, open the form: Connect, Webhooks, Add a webhook.
   Endpoint: {url}
   Secret: the line of {secret_file}
2. Have customers get the link of the form with #queue=sales&agent=ana&customer_id=8412 at its end: hidden fields.
3. Say in the file of webhooks what questions mean, by their reference:
   [webhooks.{name}.questions.csat]
   kind = "csat"
   scale = "1-5"
4. View deliveries, Send test request: it has to be answered with 204.
More: docs/sources/typeform.md""",
        empty_request=empty_request_by(SIGNED),
    ),
)
"""Its entry of the registry."""
