"""Bytes to events: what is accepted, and the reason why not."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.json_schemas import example_of
from stream.core.cloudevents import MAX_EVENT_BYTES, Event, Headers, encode, key_of
from stream.core.row_codec import RowFormatError
from stream.errors import INVALID_REASONS, InvalidEvent
from stream.families.contacts.segment import Segment
from stream.families.contacts.tables import SEGMENTS, TALLIES
from stream.families.contacts.tally import Tally, TallyRow
from stream.families.registry import DECODER, EVENT_TYPES
from tests.timeline import fold_of, story

GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/pbx",
    "type": "contact.answered",
    "time": "2026-11-20T10:00:00.250Z",
    "subject": "call-1",
    "tenantid": "acme",
    "data": {"queue": "sales", "wait_ms": 8000, "unknown": [1, 2]},
    "extension": "ignored",
}

LATER = datetime(2027, 1, 1, tzinfo=UTC)


def raw(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in GOOD.items() if name != field}).encode()


def refused(value: bytes | None, headers: Headers = ()) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        DECODER.decode(value, headers)
    return caught.value


def test_a_structured_event_is_read_and_unknown_fields_are_ignored() -> None:
    answered = DECODER.decode(raw(), [("content-type", b"application/cloudevents+json; charset=UTF-8")])

    assert answered.time == datetime(2026, 11, 20, 10, 0, 0, 250_000, UTC)
    assert (key_of(answered), answered.topic) == (b"acme/sales", "contacts")


def test_a_binary_event_says_the_same() -> None:
    headers = [(f"ce_{name}", str(GOOD[name]).encode()) for name in GOOD if name not in {"data", "extension"}]
    headers.append(("content-type", b"application/json"))

    assert DECODER.decode(json.dumps(GOOD["data"]).encode(), headers) == DECODER.decode(raw())


def test_times_with_another_offset_become_utc() -> None:
    assert DECODER.decode(raw(time="2026-11-20T11:00:00.250+01:00")) == DECODER.decode(raw())
    assert DECODER.decode(raw(time="2026-11-20T11:00:00+01:00")).time.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        (None, "empty", None),
        (b"", "empty", None),
        (b" " * (MAX_EVENT_BYTES + 1), "too_large", None),
        (b'{"type": "contact.ans', "not_json", None),
        (b"\xff\xfe", "not_utf8", None),
        (raw().replace(b"sales", b"s\xffles"), "not_utf8", None),
        (b"[1]", "not_cloudevent", None),
        (b"null", "not_cloudevent", None),
        (without("specversion"), "not_cloudevent", "specversion"),
        (without("id"), "not_cloudevent", "id"),
        (without("time"), "not_cloudevent", "time"),
        (without("subject"), "not_cloudevent", "subject"),
        (without("data"), "missing_field", "data"),
        (raw(type="contact.teleported"), "unknown_type", "type"),
        (raw(type=7), "unknown_type", "type"),
        (raw(type=["contact.answered"]), "unknown_type", "type"),
        (raw(data={}), "missing_field", "data.queue"),
        (raw(data={"queue": ""}), "invalid_field", "data.queue"),
        (raw(data={"queue": None}), "invalid_field", "data.queue"),
        (raw(data={"queue": "q" * 129}), "invalid_field", "data.queue"),
        (raw(data={"queue": "q", "wait_ms": "8"}), "invalid_field", "data.wait_ms"),
        (raw(data={"queue": "q", "wait_ms": -1}), "invalid_field", "data.wait_ms"),
        (raw(data={"queue": "q", "wait_ms": 1e30}), "invalid_field", "data.wait_ms"),
        (raw(data={"queue": "q", "channel": "telepathy"}), "invalid_field", "data.channel"),
        (raw(specversion="0.3"), "invalid_field", "specversion"),
        (raw(time="yesterday"), "invalid_field", "time"),
        (raw(time="2026-11-20T10:00:00"), "invalid_field", "time"),
        (raw(time="1970-01-01T00:00:00Z"), "absurd_time", "time"),
        (raw(time="9999-12-31T23:59:59-10:00"), "absurd_time", "time"),
        (raw(time=1700000000), "invalid_field", "time"),
    ],
)
def test_what_is_wrong_is_named_with_reason_and_field(value: bytes | None, reason: str, field: str | None) -> None:
    invalid = refused(value)

    assert (invalid.reason, invalid.field) == (reason, field)


def test_broken_data_of_a_binary_event_cannot_break_out_of_its_place() -> None:
    headers = [("ce_specversion", b"1.0"), ("ce_type", b"contact.answered"), ("content-type", b"application/json")]

    assert refused(b'{}, "type": "contact.abandoned"', headers).reason == "not_json"
    assert refused(b"{}", [*headers, ("ce_id", b"\xff")]).reason == "not_utf8"
    assert refused(b"{}", headers).reason == "not_cloudevent"


@pytest.mark.parametrize("secret", ["+38640123456", "ann@example.com"])
def test_an_error_never_repeats_the_value_at_fault(secret: str) -> None:
    for value in (raw(type=secret), raw(time=secret), raw(data={"queue": "q", "channel": secret}), secret.encode()):
        assert secret not in str(refused(value))


def test_nesting_without_end_is_refused() -> None:
    assert refused(raw().replace(b'"ignored"', b"[" * 100_000)).reason == "not_json"


def test_many_records_are_read_at_once_as_each_would_be() -> None:
    values = [encode(msgspec.convert(_example(kind), EVENT_TYPES[kind])) for kind in sorted(EVENT_TYPES)]

    assert DECODER.decode_all(values, until=LATER) == [DECODER.decode(value) for value in values]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        b"",
        b"ENTERQUEUE",
        raw() + b" " * MAX_EVENT_BYTES,
        raw(time="2026-11-20T10:00:00+01:00"),
        raw(time="1970-01-01T00:00:00Z"),
        raw(time="2099-01-01T00:00:00Z"),
        raw(type="contact.vanished"),
        raw().replace(b'"ignored"', b"[" * 100_000),
    ],
    ids=["nothing", "empty", "no JSON", "huge", "other zone", "1970", "future", "unknown type", "nested"],
)
def test_of_many_records_none_is_read_when_one_needs_a_closer_look(odd: bytes | None) -> None:
    assert DECODER.decode_all([raw(), odd, raw()], until=LATER) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_reason(value: bytes) -> None:
    outcome = _outcome(value)

    assert outcome in INVALID_REASONS or isinstance(outcome, Event)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["queue", "channel", "x"]), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), _JSON, max_size=3), st.sampled_from(sorted(EVENT_TYPES)))
def test_any_change_of_a_good_event_gives_an_event_or_a_reason(changes: dict[str, object], kind: str) -> None:
    value = json.dumps({**GOOD, "type": kind, **changes}).encode()
    outcome = _outcome(value)

    assert outcome in INVALID_REASONS or DECODER.decode(encode(cast("Event", outcome))) == outcome


def _outcome(value: bytes) -> Event | str:
    try:
        return DECODER.decode(value)
    except InvalidEvent as invalid:
        return invalid.reason


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_what_is_written_is_read_again(kind: str) -> None:
    told: Event = msgspec.convert(_example(kind), EVENT_TYPES[kind])

    assert DECODER.decode(encode(told)) == told


def _example(kind: str) -> dict[str, object]:
    return {**example_of(kind), "time": datetime(2026, 11, 20, tzinfo=UTC)}


def test_rows_are_read_as_they_were_written() -> None:
    fold = fold_of(story("00:00 enqueued ann\n00:10 answered ann\n00:00 callback.requested cb"))
    fold.settle()

    assert fold.tallies
    for rows, row_codec in ((fold.tallies, TALLIES), (fold.segments, SEGMENTS)):
        for key, row in rows.items():
            assert row_codec.decode_key(row_codec.encode_key(key)) == key  # type: ignore[arg-type]  # one of two
            assert row_codec.decode_row(row_codec.encode_row(row)) == row  # type: ignore[arg-type]  # one of two


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x01\x92\x01\x90", b"\xff\x92\x01\x90", b"\x02\xff", b"\x02"])
def test_a_row_of_another_format_is_refused_never_misread(data: bytes) -> None:
    with pytest.raises(RowFormatError):
        TALLIES.decode_row(data)


def test_many_rows_are_read_as_if_one_by_one() -> None:
    fold = fold_of(story("00:00 enqueued ann\n00:10 answered ann\n00:05 enqueued bob\n00:00 callback.requested cb"))
    keys = [SEGMENTS.encode_key(key) for key in fold.segments]
    rows = [SEGMENTS.encode_row(row) for row in fold.segments.values()]

    assert SEGMENTS.decode_keys(keys) == [SEGMENTS.decode_key(key) for key in keys] == [*fold.segments]
    assert SEGMENTS.decode_rows(rows) == [SEGMENTS.decode_row(row) for row in rows]
    assert not SEGMENTS.decode_rows([])
    assert not SEGMENTS.decode_keys([])


def test_contacts_of_a_queue_share_its_names_after_a_restart() -> None:
    fold = fold_of(story("00:00 enqueued ann\n00:05 enqueued bob"))

    ann, bob = SEGMENTS.decode_keys([SEGMENTS.encode_key(key) for key in fold.segments])

    assert all(of_ann is of_bob for of_ann, of_bob in zip(ann[:3], bob[:3], strict=True))


def test_contacts_of_one_policy_share_its_limits_after_a_restart() -> None:
    fold = fold_of(story("00:10 answered ann\n00:05 abandoned bob"))

    ann, bob = SEGMENTS.decode_rows([SEGMENTS.encode_row(row) for row in fold.segments.values()])

    assert isinstance(ann, Segment)
    assert isinstance(bob, Segment)
    assert ann.limits == (20_000, 5_000)
    assert ann.limits is bob.limits


def test_one_row_of_an_older_format_refuses_the_whole_batch_and_says_which_format() -> None:
    new = TALLIES.encode_row(TallyRow(1, Tally(offered=1)))

    with pytest.raises(RowFormatError, match="row format 01, this version reads 02"):
        TALLIES.decode_rows([new, b"\x01" + new[1:], new])


def test_a_tally_row_is_small() -> None:
    assert len(TALLIES.encode_row(TallyRow(10**9, Tally(offered=1000)))) < 100


def test_a_header_without_a_value_is_a_missing_attribute() -> None:
    headers: list[tuple[str, bytes | None]] = [("ce_specversion", b"1.0"), ("ce_type", None), ("content-type", None)]

    assert refused(b"{}", headers).field == "type"
