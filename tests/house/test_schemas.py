"""The contract on paper and the decoder say the same."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from scripts.generate import generated, main, out_of_date
from scripts.json_schemas import EXAMPLES, example_of, schema_of
from stream.core.cloudevents import tag_of
from stream.errors import InvalidEvent
from stream.families.registry import DECODER, EVENT_TYPES

Json = dict[str, Any]

FORMATS = FormatChecker(())


@FORMATS.checks("date-time", raises=ValueError)
def is_instant(text: object) -> bool:
    """Tell whether the calendar has that instant; the pattern in the schema cannot know."""
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


VALIDATORS = {
    event_type: Draft202012Validator(schema_of(event_type), format_checker=FORMATS) for event_type in EVENT_TYPES
}


def schema_accepts(event_type: str, document: Json) -> bool:
    return VALIDATORS[event_type].is_valid(document)


def decoder_accepts(event_type: str, document: Json) -> bool:
    try:
        return tag_of(DECODER.decode(json.dumps(document).encode())) == event_type
    except InvalidEvent:
        return False


def is_of_an_absurd_time(document: Json) -> bool:
    """Whether it is before 1970 or after 2100, which no schema tells: its pattern knows digits."""
    try:
        DECODER.decode(json.dumps(document).encode())
    except InvalidEvent as invalid:
        return invalid.reason == "absurd_time"
    return False


def fields_of(event_type: str) -> list[tuple[str, ...]]:
    """Paths of all fields that the schema of an event names."""
    properties = schema_of(event_type)["properties"]
    return [(name,) for name in properties] + [("data", name) for name in properties["data"]["properties"]]


FIELDS = [(event_type, field) for event_type in EVENT_TYPES for field in fields_of(event_type)]

ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    # 5.0 is an integer to JSON Schema and none to the decoder: schemas/README.md says so.
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
    st.text(max_size=300),
    st.sampled_from(["voice", "inbound", "1.0", "blind", "key", "2026-03-02T09:17:56Z", "2026-02-30T09:17:56Z"]),
    st.datetimes(timezones=st.timezones()).map(lambda at: at.replace(tzinfo=at.tzinfo, microsecond=0).isoformat()),
    st.lists(st.text(max_size=130), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def with_field(document: Json, path: tuple[str, ...], value: object) -> Json:
    """Return a copy of *document* in which the field has that value."""
    first, *rest = path
    return document | {first: with_field(document.get(first, {}), tuple(rest), value) if rest else value}


def without_field(document: Json, path: tuple[str, ...]) -> Json:
    """Return a copy of *document* without that field."""
    first, *rest = path
    if rest:
        return document | {first: without_field(document.get(first, {}), tuple(rest))}
    return {name: value for name, value in document.items() if name != first}


def test_generated_files_are_up_to_date() -> None:
    stale = [path.name for path in out_of_date(generated())]

    assert stale == [], "run `make generate`"


def test_the_check_of_the_generator_passes() -> None:
    assert main(["--check"]) == 0


def test_every_event_has_an_example_and_every_example_an_event() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == set(EVENT_TYPES)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_schema_is_a_schema(event_type: str) -> None:
    Draft202012Validator.check_schema(schema_of(event_type))


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_an_example_is_valid_and_decodes_to_its_type(event_type: str) -> None:
    example = example_of(event_type)

    VALIDATORS[event_type].validate(example)
    assert decoder_accepts(event_type, example)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_an_example_is_valid_for_no_other_type(event_type: str) -> None:
    accepting = [other for other in EVENT_TYPES if schema_accepts(other, example_of(event_type))]

    assert accepting == [event_type]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_an_example_shows_only_fields_that_exist(event_type: str) -> None:
    example = example_of(event_type)
    shown = {(name,) for name in example} | {("data", name) for name in example["data"]}

    assert shown <= set(fields_of(event_type))


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_unknown_fields_are_ignored(event_type: str) -> None:
    document = with_field(with_field(example_of(event_type), ("traceparent",), "00-1"), ("data", "mood"), {"x": 1})

    assert schema_accepts(event_type, document)
    assert decoder_accepts(event_type, document)


@pytest.mark.parametrize(("event_type", "field"), FIELDS)
def test_schema_and_decoder_agree_on_which_fields_may_be_absent(event_type: str, field: tuple[str, ...]) -> None:
    document = without_field(example_of(event_type), field)

    assert schema_accepts(event_type, document) == decoder_accepts(event_type, document)


@given(event_and_field=st.sampled_from(FIELDS), value=ODD_VALUES)
def test_what_the_schema_accepts_the_decoder_accepts(
    event_and_field: tuple[str, tuple[str, ...]], value: object
) -> None:
    event_type, field = event_and_field
    document = with_field(example_of(event_type), field, value)
    assume(not is_of_an_absurd_time(document))

    assert not schema_accepts(event_type, document) or decoder_accepts(event_type, document)


@given(event_and_field=st.sampled_from(FIELDS), value=ODD_VALUES)
def test_what_the_decoder_accepts_the_schema_accepts(
    event_and_field: tuple[str, tuple[str, ...]], value: object
) -> None:
    event_type, field = event_and_field
    document = with_field(example_of(event_type), field, value)

    # Of times the decoder takes more spellings than RFC 3339 allows.
    assert field[-1] in {"time", "due_at"} or decoder_accepts(event_type, document) <= schema_accepts(
        event_type, document
    )


def example_days() -> Iterator[Json]:
    day = EXAMPLES / "day.jsonl"
    return (json.loads(line) for line in day.read_text().splitlines())


def test_the_example_day_is_valid_in_every_line() -> None:
    for document in example_days():
        VALIDATORS[document["type"]].validate(document)
        assert decoder_accepts(document["type"], document)


def test_the_example_day_is_small_enough_to_read() -> None:
    assert (EXAMPLES / "day.jsonl").stat().st_size < 400_000
