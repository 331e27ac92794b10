"""From records to events: times and lengths in all their units, ids, and values that a rule cannot use."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event, tag_of
from stream.sources.intake import Intake
from stream.sources.lines import Location
from stream.sources.mapped.mapping import EventMapping
from stream.sources.mapped.payloads import PayloadFormat, RecordReader
from stream.sources.mapped.source import MappedFileOptions, events_of, read
from tests.sources.mapped.examples import mapping_of

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)

RULE = """
source = "/x"
[[rules]]
event = "contact.answered"
id = "id"
time = TIME
subject = "call"
data.queue = "line"
data.wait_ms = WAIT
data.enqueue_seq = "visit"
data.agent = "agent"
"""
RECORD = {"id": 1, "at": "2026-03-02T09:00:00Z", "call": "c1", "line": "sales", "wait": 7}


def rule(time: str = '"at"', wait: str = '"wait"') -> str:
    return RULE.replace("TIME", time).replace("WAIT", wait)


def told(folder: Path, text: str, **changed: Any) -> Event:
    mapped = mapping_of(folder, text).mapping.of(RECORD | changed)
    assert mapped.faults == []
    (event,) = mapped.events
    return event


def fault(folder: Path, text: str, **changed: Any) -> tuple[int, str]:
    mapped = mapping_of(folder, text).mapping.of(RECORD | changed)
    assert mapped.events == []
    (found,) = mapped.faults
    return found.line, found.detail


TIMES = [
    ('"at"', "2026-03-02T09:00:00Z"),
    ('"at"', "2026-03-02T10:00:00+01:00"),
    ('{ value = "at", unit = "s" }', 1_772_442_000),
    ('{ value = "at", unit = "s" }', "1772442000"),
    ('{ value = "at", unit = "ms" }', 1_772_442_000_000),
    ('{ value = "at", unit = "us" }', 1_772_442_000_000_000),
    ('{ value = "at", zone = "Europe/Berlin" }', "2026-03-02T10:00:00"),
    ('{ value = "at", zone = "Europe/Berlin" }', "2026-03-02T09:00:00Z"),
    ('{ value = "at", format = "%d.%m.%Y %H:%M", zone = "Asia/Tokyo" }', "02.03.2026 18:00"),
    ('{ value = "at", format = "%d/%b/%Y:%H:%M:%S %z" }', "02/Mar/2026:10:00:00 +0100"),
]


@pytest.mark.parametrize(("time", "at"), TIMES)
def test_a_time_is_read_in_its_unit_format_and_zone(tmp_path: Path, time: str, at: object) -> None:
    assert told(tmp_path, rule(time), at=at).time == NINE


LENGTHS = [
    ('"wait"', 7000, 7000),
    ('"wait"', "7000", 7000),
    ('{ value = "wait", unit = "s" }', 7.25, 7250),
    ('{ value = "wait", unit = "us" }', 7_250_400, 7250),
    ('{ value = "wait", unit = "min" }', 2, 120_000),
    ('{ value = "wait", unit = "h:m:s" }', "01:00:07.5", 3_607_500),
    ('{ value = "wait", unit = "h:m:s" }', "02:07", 127_000),
    ('"wait"', None, None),
    ('"wait"', "", None),
    ('{ value = "wait", otherwise = 0 }', None, 0),
    ('"minus(wait, `2000`)"', 7000, 5000),
]


@pytest.mark.parametrize(("wait", "value", "millis"), LENGTHS)
def test_a_length_is_read_in_its_unit(tmp_path: Path, wait: str, value: object, millis: int | None) -> None:
    assert told(tmp_path, rule(wait=wait), wait=value).data.wait_ms == millis


UNUSABLE = [
    (rule(), {"at": 1_772_442_000}, (6, "time: the time is a number: say its unit, s or ms")),
    (rule(), {"at": "2026-03-02T09:00:00"}, (6, "time: the time is local: say its zone")),
    (rule(), {"at": "yesterday"}, (6, "time: the time is no ISO 8601; say its format")),
    (rule(), {"at": None}, (6, "time: the record has no value for it")),
    (
        rule('{ value = "at", unit = "s" }'),
        {"at": 1e300},
        (6, "time: the time is out of range; is it of another unit?"),
    ),
    (rule('{ value = "at", unit = "s" }'), {"at": "soon"}, (6, "time: the value is no number")),
    (rule('{ value = "at", unit = "s" }'), {"at": True}, (6, "time: the value is no number")),
    (rule('{ value = "at", unit = "s" }'), {"at": 17}, (6, "the time of the event is not between 1970 and 2100")),
    (rule('{ value = "at", format = "%H:%M", zone = "UTC" }'), {"at": "x"}, (6, "time: the time is not of its format")),
    (rule(), {"call": ["c1"]}, (7, "subject: expected `str`, got `array`")),
    (rule(), {"call": "c" * 300}, (7, "subject: expected `str` of length <= 256")),
    (rule(), {"line": None}, (8, "queue: the record has no value for it")),
    (rule(), {"wait": "long"}, (9, "wait_ms: the value is no number")),
    (rule(), {"wait": -1}, (9, "wait_ms: expected `int` >= 0")),
    (rule(), {"wait": 10**12}, (9, "wait_ms: expected `int` <= 2678400000")),
    (rule(wait='{ value = "wait", unit = "h:m:s" }'), {"wait": "1:x"}, (9, "wait_ms: the value is no length such as")),
    (rule(), {"visit": {"a": 1}}, (10, "enqueue_seq: expected `int`, got `object`")),
    (rule(), {"visit": 0}, (10, "enqueue_seq: expected `int` >= 1")),
    (rule(), {"visit": 1.5}, (10, "enqueue_seq: expected `int`, got `float`")),
    (rule(), {"id": None}, (5, "id: the record has no value for it")),
    (rule(), {"id": {}}, (5, "id: expected `str`, got `object`")),
]


@pytest.mark.parametrize(("text", "changed", "expected"), UNUSABLE)
def test_a_value_that_a_rule_cannot_use_is_a_fault_with_the_line_that_wants_it(
    tmp_path: Path, text: str, changed: dict[str, Any], expected: tuple[int, str]
) -> None:
    line, detail = fault(tmp_path, text, **changed)

    assert (line, detail[: len(expected[1])]) == expected


SECRET = "+38640000001"


@pytest.mark.parametrize("field", RECORD)
def test_no_message_quotes_a_value(tmp_path: Path, field: str) -> None:
    for value in (SECRET, [SECRET], {SECRET: SECRET}, SECRET * 100):
        mapped = mapping_of(tmp_path, rule()).mapping.of({**RECORD, field: value})

        assert not any(SECRET in found.detail for found in mapped.faults)


def test_numbers_that_name_something_become_text_and_numbers_in_text_numbers(tmp_path: Path) -> None:
    event = told(tmp_path, rule(), call=17, line=800, agent=101, visit="2")

    assert (event.subject, event.data.queue, event.data.agent, event.data.enqueue_seq) == ("17", "800", "101", 2)


def test_a_record_without_an_id_has_one_of_its_content_whatever_the_order_of_its_keys(tmp_path: Path) -> None:
    text = rule().replace('id = "id"\n', "")
    mapping = mapping_of(tmp_path, text).mapping

    ids = [
        mapping.of(record).events[0].id
        for record in (RECORD, dict(reversed(RECORD.items())), json.loads(json.dumps(RECORD)), RECORD | {"more": 1})
    ]

    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_a_record_that_is_nested_too_deeply_for_an_id_is_a_fault(tmp_path: Path) -> None:
    deep: Any = 1
    for _ in range(1000):
        deep = [deep]

    assert fault(tmp_path, rule().replace('id = "id"\n', ""), more=deep) == (
        3,
        "the record has no id, and is nested too deeply to make one of it",
    )


SEVERAL = """
source = "/x"
[common]
id = "id"
time = "at"
subject = "call"
data.queue = "line"
[[rules]]
event = "contact.answered"
[[rules]]
event = "contact.ended"
data.talk_ms = "talk"
[[rules]]
event = "contact.ended"
"""


def test_every_rule_that_matches_tells_an_event_and_what_one_cannot_use_is_no_matter_of_the_others(
    tmp_path: Path,
) -> None:
    mapped = mapping_of(tmp_path, SEVERAL).mapping.of(RECORD | {"talk": "x"})

    assert [tag_of(event) for event in mapped.events] == ["contact.answered", "contact.ended"]
    assert [(each.line, each.reason) for each in mapped.faults] == [(12, "unusable_value")]


def test_two_rules_that_make_the_same_event_are_told(tmp_path: Path) -> None:
    mapped = mapping_of(tmp_path, SEVERAL).mapping.of(RECORD)

    assert [tag_of(event) for event in mapped.events] == ["contact.answered", "contact.ended"]
    assert [(each.line, each.reason) for each in mapped.faults] == [(13, "same_id")]


def test_a_tenant_is_the_records_own_or_that_of_the_options(tmp_path: Path) -> None:
    file = tmp_path / "sent.jsonl"
    file.write_text("\n".join(json.dumps(RECORD | {"id": n, "whose": whose}) for n, whose in enumerate(["acme", None])))
    (tmp_path / "calls.toml").write_text(rule().replace('id = "id"', 'id = "id"\ntenant = "whose"'))
    options = MappedFileOptions(file=file, mapping=tmp_path / "calls.toml", tenant="other", source_name="/berlin")

    events = list(read(options, Intake()))

    assert [(event.tenantid, event.source) for event in events] == [("acme", "/berlin"), ("other", "/berlin")]


def lines_of(folder: Path, text: str, sent: bytes) -> tuple[list[str], Intake, list[str]]:
    file = folder / "sent"
    file.write_bytes(sent)
    mapping_of(folder, text)
    aside: list[str] = []
    intake = Intake(lambda bad: aside.append(str(bad).removeprefix(f"{file}:").replace(str(folder), "")))
    events = list(read(MappedFileOptions(file=file, mapping=folder / "calls.toml"), intake))
    return [event.id.partition("/")[0] for event in events], intake, aside


ONE = json.dumps(RECORD).encode()
TWO = json.dumps(RECORD | {"id": 2}).encode()


@pytest.mark.parametrize(
    "sent",
    [
        ONE + b"\n" + TWO + b"\n",
        ONE + b"\n\n" + TWO,
        b"[" + ONE + b",\n" + TWO + b"]",
        json.dumps([RECORD, RECORD | {"id": 2}], indent=2).encode(),
        b"[" + ONE + b"]\n[" + TWO + b"]\n",
        b"\n" + ONE + b"\r\n" + TWO + b"\r\n",
    ],
)
def test_a_file_may_be_a_document_a_list_or_lines(tmp_path: Path, sent: bytes) -> None:
    ids, intake, aside = lines_of(tmp_path, rule(), sent)

    assert (ids, aside, intake.used) == (["1", "2"], [], {"contact.answered": 2})


def test_records_within_a_payload_are_found_and_one_without_them_is_told(tmp_path: Path) -> None:
    sent = b'{"sent": {"events": [' + ONE + b"," + TWO + b']}}\n{"sent": 1}\n{"sent": {"events": []}}\nx\n'

    ids, intake, aside = lines_of(tmp_path, rule().replace('"/x"', '"/x"\nrecords = "sent.events"'), sent)

    assert (ids, intake.read, intake.ignored) == (["1", "2"], 5, {"empty": 1})
    assert aside == ["2: nothing where the mapping says that the records are", "4: not JSON"]


def test_of_a_bad_record_its_place_and_the_line_of_the_mapping_are_told(tmp_path: Path) -> None:
    sent = b"[" + ONE + b"," + json.dumps(RECORD | {"wait": SECRET[1:] + "x"}).encode() + b",5]"

    ids, intake, aside = lines_of(tmp_path, rule().replace("event =", 'when = "call"\nevent ='), sent)

    assert ids == ["1"]
    assert aside == [
        "1: /calls.toml:10: wait_ms: the value is no number (record 2)",
        "1: no rule of /calls.toml matches (record 3)",
    ]
    assert (intake.read, intake.refused, intake.unknown) == (3, {"unusable_value": 1}, {"no_rule": 1})


TABLE = rule().replace('"/x"', '"/x"\nformat = "csv"\ndelimiter = ";"')


def test_a_table_may_name_its_columns_itself(tmp_path: Path) -> None:
    sent = (
        "id;at;call;line;wait;visit\n"
        '1;2026-03-02T09:00:00Z;c1;"sa;les";7;\n'
        "\n"
        "2;2026-03-02T09:00:00Z;c2;sales\n"
        '3;2026-03-02T09:00:00Z;c2;"sales;7;1\n'
        "4;2026-03-02T09:00:00Z;c2;sales;8;1"
    )

    ids, intake, aside = lines_of(tmp_path, TABLE, sent.encode("utf-8-sig"))

    assert (ids, intake.ignored, intake.empty, intake.read) == (["1", "4"], {"head": 1}, 1, 6)
    assert aside == [
        "4: the row has 4 cells, and the table 6 columns",
        "5: not a row of a table in UTF-8",
    ]


@pytest.mark.parametrize("form", ["json", "csv"])
@given(
    sent=st.binary(max_size=200)
    | st.lists(st.sampled_from([ONE, TWO, b"[]", b"{", b"", b"5", b"\xff"])).map(b"\n".join)
)
def test_whatever_bytes_are_sent_every_record_is_counted_once(form: Literal["json", "csv"], sent: bytes) -> None:
    intake = Intake()
    reader = RecordReader(PayloadFormat(format=form), intake)
    mapping = EventMapping("calls.toml", "/x", ())

    assert list(events_of(mapping, reader.of_stream(io.BytesIO(sent), "sent"), intake)) == []
    counted = intake.refused.total() + intake.unknown.total() + intake.ignored.total() + intake.empty
    assert intake.read == counted


@given(sent=st.binary(max_size=200))
def test_whatever_a_request_holds_it_counts_as_one_at_least(sent: bytes) -> None:
    intake = Intake(read=1)  # whoever answers it counts it
    reader = RecordReader(PayloadFormat(), intake)

    list(events_of(EventMapping("calls.toml", "/x", ()), reader.of_body(sent, Location("post", 1, 0)), intake))

    counted = intake.refused.total() + intake.unknown.total() + intake.ignored.total() + intake.empty
    assert intake.read == counted >= 1
