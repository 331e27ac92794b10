"""What every source must do that reads a file to its end: tell the same each time, count the rest, stop for nothing."""

from pathlib import Path

import pytest

from stream.core.cloudevents import Event
from stream.errors import SourceError
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.registry import SOURCES
from stream.sources.source import Source
from tests.sources.contract.recorded import RECORDED, RecordedFile, options_of

NOISE = [b"\xff\xfe\x00", b"", b"+38640000001 rang", b"{", b"|" * 40, b"x" * 70_000, b'"', b",,,,,", b"1|2|3|4|5"]


@pytest.fixture(params=RECORDED)
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]


@pytest.fixture
def recorded(source: Source) -> RecordedFile:
    return RECORDED[source.name]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recording"


def read(source: Source, file: Path, intake: Intake | None = None) -> list[Event]:
    assert source.read is not None
    return list(source.read(options_of(source, file), intake or Intake()))


def test_a_burst_of_ten_thousand_lines_is_told_each_once_and_again_with_the_same_ids(
    source: Source, recorded: RecordedFile, file: Path
) -> None:
    file.write_bytes(b"\n".join([*recorded.lines(10_000), b""]))
    intake = Intake()

    events = read(source, file, intake)

    assert intake.read == 10_000 == intake.used.total() + intake.ignored.total()
    assert len({(event.source, event.id) for event in events}) == len(events) > 5_000
    latest: dict[tuple[str, str], Event] = {}
    for event in events:
        checked(event)
        contact = (event.topic, event.subject)
        assert latest.setdefault(contact, event).time <= event.time
        latest[contact] = event
    assert read(source, file) == events


def test_lines_of_no_use_are_counted_with_a_reason_never_quoted_and_change_nothing(
    source: Source, recorded: RecordedFile, file: Path
) -> None:
    lines = recorded.lines(300)
    file.write_bytes(b"\n".join(lines))
    good = read(source, file)
    file.write_bytes(b"\n".join(line for number, line in enumerate(lines) for line in _with_noise(number, line)))
    aside: list[BadLine] = []
    intake = Intake(aside.append)

    assert read(source, file, intake) == good
    assert intake.refused.total() + intake.unknown.total() == len(aside) > 0
    counted = (intake.used, intake.ignored, intake.unknown, intake.refused)
    assert intake.read == intake.empty + sum(counts.total() for counts in counted)
    assert not any("38640000001" in str(bad) or "xxx" in str(bad) for bad in aside)


def _with_noise(number: int, line: bytes) -> list[bytes]:
    return [line] if number % 9 else [*NOISE, line]


def test_a_line_of_a_kind_that_nobody_knows_is_counted_and_set_aside(
    source: Source, recorded: RecordedFile, file: Path
) -> None:
    lines = recorded.lines(10)
    unknown = [] if recorded.unknown is None else [recorded.unknown]
    file.write_bytes(b"\n".join([*lines, *unknown, b""]))
    aside: list[BadLine] = []
    intake = Intake(aside.append)

    read(source, file, intake)

    assert intake.unknown.total() + intake.refused.total() == len(aside) == len(unknown)


def test_a_file_that_is_not_there_is_named(source: Source, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing: the file cannot be read"):
        read(source, tmp_path / "missing")
