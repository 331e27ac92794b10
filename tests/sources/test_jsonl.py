from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event, encode
from stream.errors import SourceError
from stream.sdk.factory import EventFactory
from stream.sources.files import jsonl
from stream.sources.intake import Intake
from stream.sources.lines import BadLine

FACTORY = EventFactory("/test", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    day: list[Event] = [
        FACTORY.enqueued("ann", "sales"),
        FACTORY.answered("ann", "sales", agent="eve"),
        FACTORY.logged_in("eve"),
    ]
    path = tmp_path / "day.jsonl"
    with path.open("wb") as stream:
        assert jsonl.write(day, stream) == 3

    assert list(jsonl.read(jsonl.Options(file=path), Intake())) == day


def test_bad_lines_are_set_aside_with_their_place_and_without_their_content() -> None:
    good = encode(FACTORY.enqueued("ann", "sales"))
    content = b"\n".join([b"\xef\xbb\xbf" + good, b'{"phone": "05550000001', b"", b"\xff", b"x" * 1_000_001, good])
    aside: list[BadLine] = []
    intake = Intake(aside.append)

    events = list(jsonl.read_stream(BytesIO(content), "day.jsonl", intake))

    assert len(events) == 2
    assert [(bad.reason, bad.place.line) for bad in aside] == [("not_json", 2), ("not_utf8", 4), ("too_large", 5)]
    assert (intake.read, intake.empty, intake.used.total(), intake.refused.total()) == (6, 1, 2, 3)
    assert str(aside[0].error()).startswith("day.jsonl:2: ")
    assert not any("0555" in str(bad) for bad in aside)


@given(st.binary())
def test_no_bytes_stop_the_reading(content: bytes) -> None:
    assert list(jsonl.read_stream(BytesIO(content), "day.jsonl", Intake())) == []


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.jsonl: the file cannot be read"):
        list(jsonl.read(jsonl.Options(file=tmp_path / "none.jsonl"), Intake()))
