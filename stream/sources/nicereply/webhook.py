"""Nicereply's webhook as a source: a body by a template of ours, whose blanks Nicereply fills in."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event, Name
from stream.sources.address_ids import AddressIds
from stream.sources.instants import instant_in
from stream.sources.intake import Intake
from stream.sources.nicereply.rated_by import RatedBy
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, json_documents, kind_at
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.source import Setup, Source
from stream.sources.survey_questions import Question, QuestionScore, SurveyResponse, events_of_response

__all__ = ["WEBHOOK", "WebhookOptions", "nicereply_webhook"]

_VERIFY: Final[Mapping[str, VerifyTable]] = {
    "header": VerifyTable(method="key", header="X-Api-Key"),
    "url": VerifyTable(method="parameter", parameter="key"),
}
"""By where the key is: Nicereply signs nothing."""

_LONGEST_SCORE: Final = 3


class WebhookOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of the webhook."""

    key_file: Annotated[Path, Meta(description="The key of the webhook; one in each line.")]
    questions: Annotated[
        Mapping[str, Question], Meta(description="What questions mean, by what the template calls them.")
    ] = field(default_factory=dict)
    key_in: Annotated[
        Literal["header", "url"], Meta(description="Where the key is: X-Api-Key, or `?key=` of the URL.")
    ] = "header"
    tenant: Annotated[Name, Meta(description="Whose customers they are.")] = DEFAULT_TENANT
    source_name: Annotated[str, Meta(description="What events have as their source.", min_length=1, max_length=200)] = (
        "/nicereply"
    )
    queue: Annotated[Name | None, Meta(description="That is rated; without one it is the tenant.")] = None
    queues: Annotated[Mapping[str, Name], Meta(description="Queues by the id of the survey.")] = field(
        default_factory=dict
    )
    channel: Annotated[Channel | None, Meta(description="Of the conversations that are rated.")] = None
    address_key_file: Annotated[
        Path | None, Meta(description="With it customers that are told by their address have an opaque id.")
    ] = None


class _Filled(Struct):
    """The template, filled in."""

    id: Annotated[str, Meta(min_length=1, max_length=100)]
    created_at: str
    answers: dict[str, str | int | None]
    updated_at: str = ""
    survey_id: str | int = ""
    agent: str = ""
    customer: str = ""


class _Teller(Struct):
    options: WebhookOptions
    rated: RatedBy

    def tell(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Filled)
        _refuse_blanks(told)
        created = _instant(told.created_at, "created_at")
        changed = _instant(told.updated_at, "updated_at") if told.updated_at else created
        scores = [score for name, given in told.answers.items() if (score := self._score(name, given)) is not None]
        revision = changed.isoformat() if changed > created else ""
        response = SurveyResponse(id=told.id, scores=scores, at=max(created, changed), revision=revision)
        # Whether there are words nobody tells: in a template they could close a quotation mark, and add an answer.
        fields = self.rated.fields(told.survey_id, told.agent, told.customer, comment=False)
        yield from events_of_response(response, self.options.source_name, self.options.tenant, **fields)

    def _score(self, name: str, given: str | int | None) -> QuestionScore | None:
        asks = self.options.questions.get(name)
        if asks is None or given is None or given == "":
            return None
        text = str(given).strip()
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_SCORE):
            raise UnusablePart("no_score", "an answer that is to be a score is no whole number")
        return QuestionScore(name, asks, int(text))


def _refuse_blanks(told: _Filled) -> None:
    """Raise UnusablePart where a blank was not filled in: it would be an id that all responses share."""
    texts = {name: str(getattr(told, name)) for name in _Filled.__struct_fields__ if name != "answers"}
    texts["answers"] = "".join(map(str, told.answers.values()))
    if empty := sorted(name for name, text in texts.items() if "{" in text):
        raise UnusablePart("unresolved_variable", f"the template's {', '.join(empty)} was not filled in")


def _instant(text: str, name: str) -> datetime:
    found = instant_in(text)
    if found is None:
        raise UnusablePart("invalid_field", f"{name} is no time with its zone")
    return found


def nicereply_webhook(options: WebhookOptions, intake: Intake) -> JsonWebhook:
    """Return the webhook of responses; raises SettingsError for a file."""
    rated = RatedBy(options.queue, options.queues, options.channel, AddressIds(options.address_key_file))
    return JsonWebhook(
        intake,
        verify=verifier_of(_VERIFY[options.key_in], SecretLines(options.key_file)),
        documents=lambda request: json_documents(request, kind_at("event")),
        tell={"response": _Teller(options, rated).tell},
    )


WEBHOOK: Final = Source(
    name="nicereply-webhook",
    about="Nicereply's webhook: the same answers, posted by a template.",
    options=WebhookOptions,
    webhook=nicereply_webhook,
    setup=Setup(
        steps="""\
1. Say in the file of webhooks what questions mean, by what the template calls them:
   [webhooks.{name}.questions.csat]
   kind = "csat"
   scale = "1-5"
2. In Nicereply, let a trigger post the template of the page, as application/json:
   Address: {url}
   Header: X-Api-Key, the line of {secret_file}; where none can be set, ?key= behind the address, and key_in = "url"
More, with the template to paste: docs/sources/nicereply.md""",
        empty_request=empty_request_by(lambda options: _VERIFY[options.key_in]),
    ),
)
"""Its entry of the registry."""
