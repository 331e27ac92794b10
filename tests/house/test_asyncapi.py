"""`schemas/asyncapi.yaml` is a valid AsyncAPI 3 document that says where every event goes."""

import json
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator

from scripts.asyncapi import message_name, topic_of
from scripts.json_schemas import SCHEMAS, example_of
from stream.families.registry import DECODER, EVENT_TYPES

OFFICIAL_SCHEMA = Path(__file__).parent / "data" / "asyncapi-3.0.0.schema.json"

DOCUMENT: dict[str, Any] = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text())
MESSAGES = DOCUMENT["components"]["messages"]


def target_of(reference: str) -> dict[str, Any]:
    """Return what a reference of the document points to, in this file or beside it."""
    name, _, pointer = reference.partition("#")
    document = json.loads((SCHEMAS / name).read_text()) if name else DOCUMENT
    return reduce(lambda part, step: part[step], pointer.split("/")[1:], document)


def references_in(part: object) -> list[str]:
    """Return every `$ref` below *part*."""
    match part:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return references_in(list(part.values()))
        case list():
            return [reference for inner in part for reference in references_in(inner)]
        case _:
            return []


def test_it_obeys_the_official_schema_of_asyncapi() -> None:
    validator = Draft7Validator(json.loads(OFFICIAL_SCHEMA.read_text()))

    assert [f"{problem.json_path}: {problem.message[:200]}" for problem in validator.iter_errors(DOCUMENT)] == []


def test_the_official_schema_would_notice_a_mistake() -> None:
    validator = Draft7Validator(json.loads(OFFICIAL_SCHEMA.read_text()))

    assert not validator.is_valid(DOCUMENT | {"channels": {"contacts": {"adress": "contacts"}}})


@pytest.mark.parametrize("reference", sorted(set(references_in(DOCUMENT))))
def test_every_reference_leads_somewhere(reference: str) -> None:
    assert target_of(reference)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_an_event_has_a_message_in_both_modes_on_one_topic(event_type: str) -> None:
    name = message_name(event_type)
    carried_by = {topic for topic, channel in DOCUMENT["channels"].items() if name in channel["messages"]}

    assert carried_by == {topic_of(event_type)}
    assert f"{name}Binary" in DOCUMENT["channels"][topic_of(event_type)]["messages"]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_the_topic_is_the_one_that_producers_use(event_type: str) -> None:
    event = DECODER.decode(json.dumps(example_of(event_type)).encode())

    assert event.topic == topic_of(event_type)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
@pytest.mark.parametrize("mode", ["", "Binary"])
def test_the_example_of_a_message_is_valid(event_type: str, mode: str) -> None:
    message = MESSAGES[message_name(event_type) + mode]

    for example in message["examples"]:
        Draft202012Validator(target_of(message["payload"]["$ref"])).validate(example["payload"])


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_the_binary_example_is_the_structured_one_in_headers(event_type: str) -> None:
    (example,) = MESSAGES[message_name(event_type) + "Binary"]["examples"]
    headers = [(name, value.encode()) for name, value in example["headers"].items()]
    structured = json.dumps(example_of(event_type)).encode()

    assert DECODER.decode(json.dumps(example["payload"]).encode(), headers) == DECODER.decode(structured)
