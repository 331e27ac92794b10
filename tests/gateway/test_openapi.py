"""The OpenAPI document says what the gateway does."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from stream.core.cloudevents import encode
from stream.families.registry import DECODER
from stream.gateway.application import Gateway
from stream.gateway.forwarder import Forwarder
from stream.gateway.messages import values_of
from tests.gateway.posting import an_event, batch, running_gateway

SCHEMAS = Path(__file__).parents[2] / "schemas"
DOCUMENT: Any = yaml.safe_load((SCHEMAS / "openapi.yaml").read_text())
POST = DOCUMENT["paths"]["/v1/events"]["post"]


def references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for below in part.values() for found in references(below)]
    return [found for below in part for found in references(below)] if isinstance(part, list) else []


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        if reference.startswith("./"):
            assert (SCHEMAS / reference).is_file()
        else:
            assert reference.removeprefix("#/components/schemas/") in DOCUMENT["components"]["schemas"]


def test_it_has_every_path_that_is_served_and_no_other() -> None:
    gateway = Gateway(DECODER, Forwarder(None, None), None)  # type: ignore[arg-type]  # nothing is sent

    assert {route.path for route in gateway.pages.routes} == DOCUMENT["paths"].keys()  # type: ignore[attr-defined]  # each is a Route


def test_its_examples_are_events() -> None:
    for content_type, content in POST["requestBody"]["content"].items():
        if "cloudevents" in content_type:
            for value in values_of(json.dumps(content["example"]).encode(), content_type, []):
                DECODER.decode(value)


@pytest.mark.parametrize(
    ("body", "mode", "headers"),
    [
        (b"[]", "batch", {}),
        (b"{", "batch", {}),
        (b"[{}]", "batch", {}),
        (batch([an_event(), b"{}"]), "batch", {"prefer": "handling=lenient"}),
        (b"{}", "text/plain", {}),
        (encode(an_event()), "structured", {}),
        (b"[" + b"0," * 10_000 + b"0]", "batch", {}),
        (b"[]", "batch", {"x": "x" * 20_000}),
    ],
)
async def test_an_answer_is_one_that_it_describes(body: bytes, mode: str, headers: dict[str, str]) -> None:
    async with running_gateway(patience=0.05) as posts:
        status, answer = await posts(body, mode, **headers)
    retry_after = answer.pop("retry_after")
    described = POST["responses"][str(status)]

    # Without that of events, which stands in other files, and in no answer.
    own = {name: schema for name, schema in DOCUMENT["components"]["schemas"].items() if name != "Event"}
    schema = described["content"]["application/json"]["schema"] | {"components": {"schemas": own}}
    jsonschema.validate(answer, schema)
    assert (retry_after is not None) == ("headers" in described)
