from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.core.windows import EPOCH
from stream.sdk.producer import checked
from stream.sources.asterisk_queue_log.mapper import IGNORED, VERBS
from stream.sources.asterisk_queue_log.records import LineReader, ParsedLine
from stream.sources.asterisk_queue_log.rows import Layout, RowReader
from stream.sources.lines import BadLine, Line, Location
from tests.sources.queue_logs import mapped, mapper

HERE = Location("queue_log", 7, 100)


READER = LineReader(RowReader(ZoneInfo("Europe/Berlin")))


def read(text: bytes | None, *, layout: Layout | None = None, newest: int = 0) -> ParsedLine | Layout | BadLine | None:
    return READER.parse(Line(HERE, text), layout, newest)


def instant(text: str, *, newest: str = "1970-01-01T00:00:00+00:00") -> str:
    """What a row says in local time, in UTC; the row before was of *newest*."""
    before = (datetime.fromisoformat(newest) - EPOCH) // timedelta(microseconds=1)
    record = read(f"{text}|c1|q1|NONE|ENTERQUEUE||x|1|||".encode(), newest=before)
    assert isinstance(record, ParsedLine)
    return (EPOCH + timedelta(microseconds=record.micros)).isoformat()


def test_a_line_is_read_with_microseconds_and_without_the_empty_fields_behind_it() -> None:
    record = read(b"1341343643.8962|1341343640.4|q1|Agent/3001|CONNECT|2||1||")

    assert isinstance(record, ParsedLine)
    assert record.micros == 1_341_343_643_896_200
    assert (record.call, record.queue, record.member) == ("1341343640.4", "q1", "Agent/3001")
    assert record.params == ("2", "", "1")


def test_none_realtime_and_cli_are_no_calls() -> None:
    for nobody in ("NONE", "REALTIME", "CLI", "MANAGER", ""):
        record = read(f"1341343643|{nobody}|NONE|NONE|ADDMEMBER|".encode())

        assert isinstance(record, ParsedLine)
        assert (record.call, record.queue, record.member) == (None, None, None)


def test_bad_lines_are_named_by_file_and_line_and_never_quoted() -> None:
    for text, reason in [
        (b"0555123", "too_few_fields"),
        (b"0555123x|c|q|m|ENTERQUEUE", "bad_time"),
        (b"055512|c|q|m|ENTERQUEUE", "absurd_time"),
        (b"0555123-01-01 00:00:00|c|q|m|ENTERQUEUE", "bad_time"),
        (b"99999999999|c|q|m|ENTERQUEUE", "absurd_time"),
        (b"1341343643|0555123\x00|q|m|ENTERQUEUE", "bad_field"),
        (b"1341343643|" + b"0555123" * 40 + b"|q|m|ENTERQUEUE", "bad_field"),
        (b"1341343643|c|q|m|0555123", "bad_verb"),
        (None, "too_long"),
    ]:
        bad = read(text)

        assert isinstance(bad, BadLine)
        assert bad.reason == reason
        assert str(bad).startswith("queue_log:7: ")
        assert "0555" not in str(bad)


def test_a_name_in_another_encoding_does_not_spoil_the_line() -> None:
    record = read("1341343643|c|q|NONE|ENTERQUEUE||05550000001|1|Jürgen".encode("latin-1"))

    assert isinstance(record, ParsedLine)
    assert record.number(2) == 1


@example(b"2026-03-02 10:00:00\ra,b")
@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_a_bad_line_or_nothing(text: bytes) -> None:
    assert isinstance(read(text), ParsedLine | BadLine | Layout | None)


PARTS = st.one_of(
    st.sampled_from(
        [b"NONE", b"", b"1341343640.4", b"q1", b"Agent/1", b"0", b"17", b"99999999999999999999", b"\xff\x00"]
    ),
    st.binary(max_size=12).filter(lambda part: b"\n" not in part and b"|" not in part),
)
VERB = st.sampled_from([verb.encode() for verb in (*VERBS, *IGNORED, "NEWVERB")])


@given(
    st.lists(st.tuples(st.integers(946_684_800, 4_102_444_799), PARTS, PARTS, PARTS, VERB, st.lists(PARTS, max_size=6)))
)
def test_whatever_the_fields_hold_the_log_is_read_on_and_only_valid_events_come_out(
    lines: list[tuple[int, bytes, bytes, bytes, bytes, list[bytes]]],
) -> None:
    log = b"".join(b"|".join([str(line[0]).encode(), *line[1:5], *line[5]]) + b"\n" for line in lines)
    by = mapper()

    events = mapped(log, by)

    for event in events:
        checked(event)
    intake = by.intake
    others = (intake.used, intake.ignored, intake.unknown, intake.refused)
    assert intake.read == len(lines) == intake.empty + sum(kind.total() for kind in others)
    assert len({event.id for event in events}) == len(events)


def test_a_line_of_a_megabyte_is_set_aside() -> None:
    by = mapper()

    assert len(mapped(b"1341343643|" + b"c" * 1_000_000 + b"\n1341343643|c|q|NONE|ENTERQUEUE|\n", by)) == 1
    assert by.intake.refused == {"too_long": 1}


def test_history_begins_with_the_epoch() -> None:
    record = read(b"915148800|c|q|NONE|ENTERQUEUE")

    assert isinstance(record, ParsedLine)
    assert isinstance(read(b"86400|c|q|NONE|ENTERQUEUE"), ParsedLine)
    assert isinstance(read(b"86399|c|q|NONE|ENTERQUEUE"), BadLine)


@pytest.mark.parametrize(
    "text",
    [
        "2012-07-04 07:33:21.165823|c1|q1|NONE|ENTERQUEUE||1000|1||",
        "2012-07-04 07:33:21.165823 | c1    | q1 | NONE     | ENTERQUEUE |        | 1000 | 1 |   |  ",
        "| 2012-07-04 07:33:21.165823 | c1 | q1 | NONE | ENTERQUEUE |  | 1000 | 1 |  |  |",
        '"2012-07-04 07:33:21.165823","c1","q1","NONE","ENTERQUEUE","","1000","1","",""',
        "2012-07-04T07:33:21.165823;c1;q1;NONE;ENTERQUEUE;;1000;1;;",
        "2012-07-04 07:33:21.165823\tc1\tq1\tNONE\tENTERQUEUE\tNULL\t1000\t1\t\\N\t",
        "2012-07-04 05:33:21.165823+00,c1,q1,NONE,ENTERQUEUE,,1000,1,,",
        "1341380001.165823,c1,q1,NONE,ENTERQUEUE,,1000,1,,",
    ],
)
def test_a_row_of_the_table_is_read_whatever_client_wrote_it(text: str) -> None:
    record = read(text.encode())

    assert isinstance(record, ParsedLine)
    assert (record.micros, record.call, record.queue, record.member) == (1_341_380_001_165_823, "c1", "q1", None)
    assert (record.verb, record.params) == ("ENTERQUEUE", ("", "1000", "1"))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id,time,callid,queuename,agent,event,data1,data2", "7,2012-07-04 07:33:21,c1,q1,NONE,ENTERQUEUE,,1000"),
        ("time|callid|queuename|agent|event|data", "2012-07-04 07:33:21|c1|q1|NONE|ENTERQUEUE|"),
        ('"event","time","callid","queuename","agent","data"', '"ENTERQUEUE","2012-07-04 07:33:21",c1,q1,NONE,"|1000"'),
        ("Time;CallId;QueueName;Agent;Event;Data1;Data2", "1341380001;c1;q1;NONE;ENTERQUEUE;;1000"),
    ],
)
def test_a_first_line_names_the_columns(header: str, row: str) -> None:
    layout = read(header.encode())
    assert isinstance(layout, Layout)

    record = read(row.encode(), layout=layout)

    assert isinstance(record, ParsedLine)
    assert (record.micros, record.call, record.verb) == (1_341_380_001_000_000, "c1", "ENTERQUEUE")
    assert record.params in {("", "1000"), ()}


@pytest.mark.parametrize("line", ["---------+------+----", "+------+------+", "(7 rows)", "(1 row)"])
def test_what_a_client_prints_around_a_table_is_nothing(line: str) -> None:
    assert read(line.encode()) is None


@pytest.mark.parametrize(
    "line", [b"2012-07-04 07:33:21,c1", b"2012-13-04 07:33:21,c1,q1,NONE,ENTERQUEUE", b"x,y,z,u,v"]
)
def test_a_row_that_is_none_is_a_bad_line(line: bytes) -> None:
    layout = Layout(",", ("time", "callid", "queuename", "agent", "event"))

    assert isinstance(read(line), BadLine)
    assert isinstance(read(line, layout=layout), BadLine)


def test_of_the_hour_that_comes_twice_the_second_one_is_told_by_what_came_before() -> None:
    summer, winter = "2012-10-28T00:30:00+00:00", "2012-10-28T01:30:00+00:00"

    assert instant("2012-10-28 02:30:00") == summer
    assert instant("2012-10-28 02:30:00", newest="2012-10-28T00:59:59+00:00") == summer[:11] + winter[11:]
    assert instant("2012-10-28 02:30:00", newest="2012-10-28T00:30:30+00:00") == summer
    assert instant("2012-10-28 03:00:00") == "2012-10-28T02:00:00+00:00"


def test_a_leap_second_is_the_next_minutes_first() -> None:
    assert instant("2012-07-01 01:59:60") == "2012-07-01T00:00:00+00:00"


def test_the_columns_hold_for_the_rest_of_the_file_and_over_a_restart() -> None:
    rows = b"id,time,callid,queuename,agent,event,data1,data2\n7,2012-07-04 07:33:21,c1,q1,NONE,ENTERQUEUE,,x\n"
    by = mapper()
    assert len(mapped(rows, by)) == 1

    after = mapper(remembered=by.memory.saved)

    assert len(mapped(b"8,2012-07-04 07:33:25,c1,q1,NONE,ABANDON,1,1,4\n", after)) == 1


def test_a_byte_order_mark_is_skipped_at_the_begin_of_a_file_and_nowhere_else() -> None:
    line = b"\xef\xbb\xbf1341343643|c|q|NONE|ENTERQUEUE|\n"
    by = mapper()

    assert len(mapped(line + line, by)) == 1
    assert by.intake.refused == {"bad_time": 1}
