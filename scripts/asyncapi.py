"""Topics, keys and messages as an AsyncAPI 3 document, as the worker sees them: events come, dead letters go."""

from datetime import timedelta
from typing import Any

from scripts.json_schemas import VERSION, example_of
from stream.errors import INVALID_REASONS, REFUSAL_REASONS
from stream.families.registry import EVENT_TYPES, FAMILIES
from stream.runtime.kafka.topics import DEAD_LETTERS, HEADER_PREFIX, dead_letter_topic, source_topic

__all__ = ["asyncapi", "message_name", "topic_of"]

Part = dict[str, Any]
"""A part of the document."""

BINDING_VERSION = "0.5.0"
STRUCTURED = "application/cloudevents+json; charset=UTF-8"
BINARY = "application/json"

BINARY_ATTRIBUTES = ("specversion", "id", "source", "type", "time", "subject")
"""CloudEvents attributes that a binary record must carry as `ce_` headers."""

DEAD_LETTER_HEADERS: Part = {
    "reason": {
        "type": "string",
        "description": f"One of {', '.join(INVALID_REASONS)}; of the HTTP gateway also {', '.join(REFUSAL_REASONS)}, "
        "and what the source of a webhook calls a part that is of no use to it.",
    },
    "field": {"type": "string", "description": "Path of the field at fault, such as `data.queue`."},
    "error": {"type": "string", "description": "What is wrong, in words; never with the value, it may be personal."},
    "topic": {
        "type": "string",
        "description": "Where the record came from, or should have gone; the path of a webhook.",
    },
    "partition": {"type": "string", "pattern": "^([0-9]+|gateway)$", "description": "`gateway`: it was on no topic."},
    "offset": {
        "type": "string",
        "description": "Its offset; of what was on no topic, what tells it from others there.",
    },
    "omitted-bytes": {"type": "string", "description": "Size of the value, where the topic could not take it."},
}
SOMETIMES = {"field", "omitted-bytes"}

DESCRIPTION = """\
Interaction events of contact centres: CloudEvents 1.0, structured JSON or binary, told apart by `content-type`.

`source` and `id` identify an event; `time` is when it happened. Delivery is at least once and unordered: repeats and
late events are expected. Durations are whole milliseconds, written as JSON integers without a fraction.

The contract only grows: fields and event types may be added, unknown ones are ignored; nothing is renamed, removed,
made required or given another meaning without a new version.
"""


def topic_of(event_type: str) -> str:
    """Return the topic on which events of that type belong."""
    return EVENT_TYPES[event_type].topic


def message_name(event_type: str) -> str:
    """Return the name of the message: `contact.offer_ended` becomes `contactOfferEnded`."""
    first, *rest = event_type.replace(".", "_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def asyncapi() -> Part:
    """Return the whole document."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:contact-stream",
        "info": {
            "title": "contact-stream",
            "version": f"{VERSION}.0.0",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": STRUCTURED,
        "servers": {
            "kafka": {
                "host": "localhost:9092",
                "protocol": "kafka",
                "description": "Apache Kafka 4, or a broker that speaks its protocol.",
            }
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": _messages(), "messageTraits": _traits()},
    }


def _channels() -> Part:
    channels = {family.name: _channel(family.name, family.summary, _messages_on(family.name)) for family in FAMILIES}
    summary = "Records that are no usable events: original key, value and headers, and what was wrong."
    return channels | {DEAD_LETTERS: _channel(DEAD_LETTERS, summary, ["deadLetter"])}


def _channel(topic: str, summary: str, names: list[str]) -> Part:
    declare = dead_letter_topic if topic == DEAD_LETTERS else source_topic
    # How many partitions and how long records are kept is each deployment's own choice.
    config = declare(topic, partitions=1, retention=timedelta(0)).config
    configuration = {
        "cleanup.policy": [config["cleanup.policy"]],
        "max.message.bytes": int(config["max.message.bytes"]),
    }
    return {
        "address": topic,
        "summary": summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"topic": topic, "topicConfiguration": configuration, "bindingVersion": BINDING_VERSION}},
    }


def _messages_on(topic: str) -> list[str]:
    names = [message_name(event_type) for event_type in EVENT_TYPES if topic_of(event_type) == topic]
    return [*names, *(f"{name}Binary" for name in names)]


def _operations() -> Part:
    receive = {
        f"receive{family.name.capitalize()}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{family.name}"},
            "summary": family.summary,
        }
        for family in FAMILIES
    }
    send = {"action": "send", "channel": {"$ref": f"#/channels/{DEAD_LETTERS}"}, "summary": "Set a bad record aside."}
    return receive | {"sendDeadLetters": send}


def _messages() -> Part:
    structured = {message_name(event_type): _structured(event_type) for event_type in EVENT_TYPES}
    binary = {f"{message_name(event_type)}Binary": _binary(event_type) for event_type in EVENT_TYPES}
    return structured | binary | {"deadLetter": _dead_letter()}


def _structured(event_type: str) -> Part:
    return {
        "name": event_type,
        "title": f"{event_type}, structured",
        "summary": _sentence(event_type),
        "traits": [{"$ref": f"#/components/messageTraits/{topic_of(event_type)}Structured"}],
        "payload": {"$ref": f"./{event_type}.json"},
        "examples": [{"payload": example_of(event_type)}],
    }


def _binary(event_type: str) -> Part:
    example = example_of(event_type)
    data = example.pop("data")
    headers = {f"ce_{name}": value for name, value in example.items()}
    return {
        "name": event_type,
        "title": f"{event_type}, binary",
        "summary": _sentence(event_type),
        "traits": [{"$ref": f"#/components/messageTraits/{topic_of(event_type)}Binary"}],
        "payload": {"$ref": f"./{event_type}.json#/properties/data"},
        "examples": [{"headers": {"content-type": BINARY, **headers}, "payload": data}],
    }


def _sentence(event_type: str) -> str:
    return (EVENT_TYPES[event_type].__doc__ or "").strip()


def _traits() -> Part:
    traits = {}
    for family in FAMILIES:
        topic, bindings = family.name, _key(family.keyed_by)
        structured = {"content-type": {"type": "string", "pattern": "^application/cloudevents"}}
        binary = {f"ce_{name}": {"type": "string"} for name in BINARY_ATTRIBUTES}
        for mode, content_type, headers in (("Structured", STRUCTURED, structured), ("Binary", BINARY, binary)):
            trait = {"contentType": content_type, "headers": _headers(headers), "bindings": bindings}
            traits[f"{topic}{mode}"] = trait
    return traits


def _key(description: str) -> Part:
    return {"kafka": {"key": {"type": "string", "description": description}, "bindingVersion": BINDING_VERSION}}


def _headers(properties: Part) -> Part:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _dead_letter() -> Part:
    return {
        "name": "dead-letter",
        "title": "A record set aside",
        "summary": "The record as it came, byte for byte, with headers that say where it came from and what was wrong.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "properties": {HEADER_PREFIX + name: schema for name, schema in DEAD_LETTER_HEADERS.items()},
            "required": [HEADER_PREFIX + name for name in DEAD_LETTER_HEADERS if name not in SOMETIMES],
        },
        "payload": {"description": "The original value; may be anything, or empty."},
        "bindings": _key("The original key."),
    }
