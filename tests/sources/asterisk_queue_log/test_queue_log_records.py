from hypothesis import given
from hypothesis import strategies as st

from stream.sdk.producer import checked
from stream.sources.asterisk_queue_log.mapper import IGNORED, VERBS
from stream.sources.asterisk_queue_log.records import Record, parse
from stream.sources.lines import BadLine, Line, Place
from tests.sources.queue_logs import mapped, mapper

HERE = Place("queue_log", 7, 100)


def read(text: bytes) -> Record | BadLine | None:
    return parse(Line(HERE, text))


def test_a_line_is_read_with_microseconds_and_without_the_empty_fields_behind_it() -> None:
    record = read(b"1341343643.8962|1341343640.4|q1|Agent/3001|CONNECT|2||1||")

    assert isinstance(record, Record)
    assert record.time.isoformat() == "2012-07-03T19:27:23.896200+00:00"
    assert (record.call, record.queue, record.member) == ("1341343640.4", "q1", "Agent/3001")
    assert record.params == ("2", "", "1")


def test_none_realtime_and_cli_are_no_calls() -> None:
    for nobody in ("NONE", "REALTIME", "CLI", "MANAGER", ""):
        record = read(f"1341343643|{nobody}|NONE|NONE|ADDMEMBER|".encode())

        assert isinstance(record, Record)
        assert (record.call, record.queue, record.member) == (None, None, None)


def test_bad_lines_are_named_by_file_and_line_and_never_quoted() -> None:
    for text, reason in [
        (b"0555123", "too_few_fields"),
        (b"0555123x|c|q|m|ENTERQUEUE", "bad_time"),
        (b"0555123|c|q|m|ENTERQUEUE", "absurd_time"),
        (b"99999999999|c|q|m|ENTERQUEUE", "absurd_time"),
        (b"1341343643|0555123\x00|q|m|ENTERQUEUE", "bad_field"),
        (b"1341343643|" + b"0555123" * 40 + b"|q|m|ENTERQUEUE", "bad_field"),
        (b"1341343643|c|q|m|0555123", "bad_verb"),
        (None, "too_long"),
    ]:
        bad = parse(Line(HERE, text))

        assert isinstance(bad, BadLine)
        assert bad.reason == reason
        assert str(bad).startswith("queue_log:7: ")
        assert "0555" not in str(bad)


def test_a_name_in_another_encoding_does_not_spoil_the_line() -> None:
    record = read("1341343643|c|q|NONE|ENTERQUEUE||05550000001|1|Jürgen".encode("latin-1"))

    assert isinstance(record, Record)
    assert record.number(2) == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_a_bad_line_or_nothing(text: bytes) -> None:
    assert isinstance(read(text), Record | BadLine | None)


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
    counts = by.counts
    others = (counts.mapped, counts.ignored, counts.unknown, counts.rejected)
    assert counts.lines == len(lines) == counts.blank + sum(sum(kind.values()) for kind in others)
    assert len({event.id for event in events}) == len(events)


def test_a_line_of_a_megabyte_is_set_aside() -> None:
    by = mapper()

    assert len(mapped(b"1341343643|" + b"c" * 1_000_000 + b"\n1341343643|c|q|NONE|ENTERQUEUE|\n", by)) == 1
    assert by.counts.rejected == {"too_long": 1}
