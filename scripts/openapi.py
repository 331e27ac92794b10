"""The HTTP gateway as an OpenAPI 3.1 document; events are described by the schemas beside it."""

from typing import Any

from scripts.json_schemas import VERSION, example_of
from stream.families.registry import EVENT_TYPES
from stream.gateway.answers import REPORTED
from stream.gateway.application import EVENTS_PATH
from stream.gateway.body import MAX_BODY_BYTES
from stream.gateway.messages import BATCHED, MAX_BATCH, MAX_DEPTH, STRUCTURED
from stream.gateway.requests import MAX_HEAD_BYTES
from stream.gateway.survey_pages import SURVEYS_PATH
from stream.gateway.webhook_posts import WEBHOOKS_PATH

__all__ = ["openapi"]

Part = dict[str, Any]
"""A part of the document."""

DESCRIPTION = f"""\
Takes interaction events of contact centres as CloudEvents 1.0, structured, batched or binary, and brings them to Kafka.

An answer 202 says that every event it counts is safe. Any other answer says that of this request nothing was accepted:
the sender has to keep it. Events are known by `source` and `id`: a request may be sent again, and counts once.

A body has at most {MAX_BODY_BYTES} bytes, unpacked, and {MAX_BATCH} events; objects and lists are at most {MAX_DEPTH}
deep within each other, and all headers together have at most {MAX_HEAD_BYTES} bytes.
"""

EXAMPLE = "contact.enqueued"

PROBLEMS = {
    "400": "The body is no JSON, is not packed as it says, or has too deep nesting; or a `ce-` header is broken.",
    "401": "No key, or not a good one.",
    "403": "Events of a tenant or type that the key is not for.",
    "408": "The body came too slowly.",
    "413": "The body is too large, or the batch has too many events.",
    "415": "A content type or encoding that is not known.",
    "422": "Events that are not valid.",
    "429": "The key is used for more events than it may, or the gateway is busy.",
    "431": "The headers are too large.",
    "503": "The broker is away, and there is no room in the spool.",
}
AGAIN = {"429", "503"}

WEBHOOK_PROBLEMS = {
    "404": "No webhook has this name.",
    "503": "Nothing was taken; to be sent again after `Retry-After` seconds.",
}

BINARY_HEADERS = {
    "specversion": "`1.0`: says that this is an event in binary mode.",
    "id": "With the source, identifies the event.",
    "source": "Where it comes from.",
    "type": "What happened.",
    "time": "When it happened, RFC 3339.",
    "subject": "The contact, callback, agent, … that it happened to.",
    "tenantid": "Whose it is; `default` if there is none.",
}


def openapi() -> Part:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "contact-stream gateway",
            "version": f"{VERSION}.0.0",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:9109"}],
        "security": [{"key": []}],
        "paths": {
            EVENTS_PATH: {"post": _post()},
            f"{WEBHOOKS_PATH}/{{name}}": _webhook(),
            f"{SURVEYS_PATH}/{{name}}/{{token}}": _survey("Survey", ["name", "token"]),
            f"{SURVEYS_PATH}/{{name}}/{{token}}/{{receipt}}": _survey("SurveyReceipt", ["name", "token", "receipt"]),
            "/healthz": {"get": _page("alive", "Whether the process is alive.", ["200"])},
            "/readyz": {"get": _page("ready", "Whether it can accept events.", ["200", "503"])},
            "/metrics": {"get": _metrics()},
        },
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}, "schemas": _schemas()},
    }


def _post() -> Part:
    event = example_of(EXAMPLE)
    events = {"type": "array", "items": _ref("Event"), "maxItems": MAX_BATCH}
    return {
        "operationId": "postEvents",
        "summary": "Post events.",
        "parameters": [*_binary_headers(), *_other_headers()],
        "requestBody": {
            "required": True,
            "content": {
                STRUCTURED: {"schema": _ref("Event"), "example": event},
                BATCHED: {"schema": events, "example": [event]},
                "application/json": {"schema": {"description": "The data of one event."}, "example": event["data"]},
            },
        },
        "responses": {"202": _answer("All that it counts is safe.", "Accepted")}
        | {status: _problem(status) for status in PROBLEMS},
    }


def _webhook() -> Part:
    """Return the way in for systems that call in a language of their own: what they send, and want, is theirs."""
    name = {"name": "name", "in": "path", "required": True, "description": "Of the table in the file of webhooks."}
    also = ("400", "404", "408", "413", "415", "429", "431", "503")
    told = {status: {"description": WEBHOOK_PROBLEMS.get(status, PROBLEMS.get(status))} for status in also}
    taken = {
        "200": {"description": "Taken, for systems that want a body in the answer."},
        "204": {"description": "Taken; what was of no use in it is counted."},
        "401": {"description": "Not from whom it should be: wrong, stale or no signature."},
    }
    there = {"200": {"description": "There is such a webhook, whoever asks."}}
    return {
        "parameters": [name | {"schema": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"}}],
        "head": {
            "operationId": "lookForWebhook",
            "summary": "Answer systems that ask for their address before they call it.",
            "security": [],
            "responses": there | {status: told[status] for status in ("404", "413", "431")},
        },
        "post": {
            "operationId": "callWebhook",
            "summary": "Take what a system sends in its own language; how it shows who it is depends on the system.",
            "security": [],
            "requestBody": {"required": True, "content": {"*/*": {"schema": {}}}},
            "responses": taken | told,
        },
    }


def _survey(name: str, parts: list[str]) -> Part:
    """Return a page for customers: HTML, whatever became of what they sent."""
    told = {"404": "No link of ours.", "410": "It is over."}
    sent = {
        "303": "Recorded; on to the receipt.",
        "400": "The customer went away.",
        "422": "No answer; the page says what is missing.",
        "429": "Too many answers to one link.",
        "503": "The broker is away, and there is no room in the spool: nothing was recorded.",
    }
    parameters = [{"name": part, "in": "path", "required": True, "schema": {"type": "string"}} for part in parts]
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}

    def called(verb: str, summary: str, statuses: Part) -> Part:
        responses = {status: {"description": text} for status, text in statuses.items()}
        return {"operationId": f"{verb}{name}", "summary": summary, "security": [], "responses": responses}

    return {
        "parameters": parameters,
        "get": called("show", "Show the page; this is no answer.", {"200": "The page.", **told}),
        "post": called("answer", "Record what a customer chose.", told | sent) | {"requestBody": {"content": form}},
    }


def _binary_headers() -> list[Part]:
    return [_header(f"ce-{name}", f"In binary mode: {text}") for name, text in BINARY_HEADERS.items()]


def _other_headers() -> list[Part]:
    lenient = "`handling=lenient`: accept the good events of a batch and report the others (RFC 7240)."
    return [
        _header("Prefer", lenient),
        _header("Content-Encoding", "How the body is packed.", enum=["gzip", "zstd", "identity"]),
    ]


def _header(name: str, description: str, **schema: object) -> Part:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **schema}}


def _problem(status: str) -> Part:
    answer = _answer(f"{PROBLEMS[status]} Nothing was accepted.", "Problem")
    if status in AGAIN:
        seconds = {"description": "Seconds after which to send it again.", "schema": {"type": "integer", "minimum": 1}}
        answer["headers"] = {"Retry-After": seconds}
    return answer


def _answer(description: str, schema: str) -> Part:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}


def _page(name: str, summary: str, statuses: list[str]) -> Part:
    properties = {name: {"type": "boolean"}, "reasons": {"type": "array", "items": {"type": "string"}}}
    content = {"application/json": {"schema": {"type": "object", "properties": properties, "required": [name]}}}
    responses = {status: {"description": summary, "content": content} for status in statuses}
    return {"operationId": name, "summary": summary, "security": [], "responses": responses}


def _metrics() -> Part:
    content = {"text/plain": {"schema": {"type": "string"}}}
    responses = {"200": {"description": "Prometheus text or OpenMetrics.", "content": content}}
    return {"operationId": "metrics", "summary": "What the gateway counts.", "security": [], "responses": responses}


def _ref(name: str) -> Part:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> Part:
    count = {"type": "integer", "minimum": 0}
    refused = {"type": "array", "items": _ref("EventRefusal"), "maxItems": REPORTED}
    report = {"refused_count": count, "refused": refused}
    return {
        "Event": {
            "oneOf": [{"$ref": f"./{event_type}.json"} for event_type in EVENT_TYPES],
            "discriminator": {
                "propertyName": "type",
                "mapping": {event_type: f"./{event_type}.json" for event_type in EVENT_TYPES},
            },
        },
        "Accepted": _object(accepted=count, **report, required=["accepted"]),
        "Problem": _object(
            reason=_text("A stable code."), detail=_text("What is wrong."), **report, required=["reason", "detail"]
        ),
        "EventRefusal": _object(
            index=count | {"description": "Its place in the batch, from 0."},
            reason=_text("A stable code, as of dead letters, or `out_of_scope`."),
            detail=_text("What is wrong, never with the value: it may be personal."),
            field=_text("Path of the field at fault."),
            required=["index", "reason", "detail"],
        ),
    }


def _text(description: str) -> Part:
    return {"type": "string", "description": description}


def _object(*, required: list[str], **properties: Part) -> Part:
    return {"type": "object", "properties": properties, "required": required}
