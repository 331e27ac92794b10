"""
A help desk's log of activities, as process mining has it: a table (CSV) with case, activity and time in each row.

Such a log does not say what an activity was. So it is read as far as any of them goes: the first row of a case opens
it, the second is the first answer, the last resolves it; a case of one row stays open.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Name
from stream.errors import SourceError
from stream.families.cases.events import CaseOpened, CaseResolved, MessageSent
from stream.families.cases.payloads import OpenedData, ResolvedData
from stream.sources.files.opening import opened
from stream.sources.instants import named_zone
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Line, read_lines
from stream.sources.source import Source

__all__ = ["SOURCE", "Options", "read"]

_LONGEST_NAME: Final = 256


class Options(Struct, frozen=True, kw_only=True):
    """What a person says of such a table."""

    file: Annotated[Path, Meta(description="The table, also compressed; - is standard input.")]
    tenant: Annotated[Name, Meta(description="Whose log it is: the log does not say.")] = DEFAULT_TENANT
    source_name: Annotated[str, Meta(description="Names the system that wrote it. Two of them need two names.")] = (
        "/case-log"
    )
    queue: Annotated[str, Meta(description="The queue of all its cases.")] = "helpdesk"
    case_column: Annotated[str, Meta(description="Head of the column that names the case.")] = "CaseID"
    time_column: Annotated[str, Meta(description="Head of the column with the time, such as 2012-04-03 16:55:38.")] = (
        "CompleteTimestamp"
    )
    time_zone: Annotated[str, Meta(description="Zone of the times, such as Europe/Rome.")] = "UTC"


def read(options: Options, intake: Intake) -> Iterator[Event]:
    """Yield the events of a table in the order of their times; raises SourceError if it cannot be read."""
    # All of it at once: a table in the order of its cases has the newest case nowhere near its end.
    times: dict[str, list[datetime]] = {}
    with opened(options.file) as (stream, name):
        lines = read_lines(stream, name)
        for case, at in _rows(options, lines, intake):
            times.setdefault(case, []).append(at)
    events = [event for case, found in times.items() for event in _story(options, case, sorted(found))]
    yield from sorted(events, key=lambda event: event.time)


def _rows(options: Options, lines: Iterator[Line], intake: Intake) -> Iterator[tuple[str, datetime]]:
    zone = named_zone(options.time_zone, "--time-zone")
    places: tuple[int, int] | None = None
    for line in lines:
        intake.read += 1
        cells = _cells(line)
        if cells is None:
            intake.refuse(BadLine(line.place, "not_a_row", "not a row of a table in UTF-8"))
        elif not any(cells):
            intake.empty += 1
        elif places is None:
            if (places := _places(options, cells)) is None:
                intake.refuse(BadLine(line.place, "no_head", f"no head with {options.case_column} before it"))
            else:
                intake.ignore("head")
        elif (row := _row(cells, places, zone)) is None:
            intake.refuse(BadLine(line.place, "no_time", f"no case, or no time in the column {options.time_column}"))
        else:
            intake.used["rows"] += 1
            yield row
    if places is None and intake.read:
        raise SourceError(
            f"{options.file}: no row has the heads {options.case_column} and {options.time_column}; choose the columns "
            f"with --case-column and --time-column"
        )


def _cells(line: Line) -> list[str] | None:
    """Return the cells of a row; a cell over several lines is none, which process mining does not have."""
    try:
        text = (b"\xff" if line.text is None else line.text).decode("utf-8-sig")
        return [cell.strip() for cell in next(csv.reader(io.StringIO(text), strict=True), [])]
    except (UnicodeDecodeError, csv.Error):
        return None


def _places(options: Options, heads: Sequence[str]) -> tuple[int, int] | None:
    wanted = (options.case_column, options.time_column)
    return (heads.index(wanted[0]), heads.index(wanted[1])) if {*wanted} <= {*heads} else None


def _row(cells: Sequence[str], places: tuple[int, int], zone: ZoneInfo) -> tuple[str, datetime] | None:
    if len(cells) <= max(places):
        return None
    case, told = (cells[place] for place in places)
    try:
        at = datetime.fromisoformat(told.replace("/", "-"))
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (case, at) if 0 < len(case) <= _LONGEST_NAME else None


def _story(options: Options, case: str, times: Sequence[datetime]) -> Iterator[Event]:
    def told(at: datetime, step: str) -> dict[str, Any]:
        # The row itself names the event: a table that is read once more counts once.
        return {
            "specversion": "1.0",
            "id": f"{case}/{step}",
            "source": options.source_name,
            "subject": case,
            "tenantid": options.tenant,
            "time": at,
        }

    yield CaseOpened(**told(times[0], "opened"), data=OpenedData(queue=options.queue, channel="task"))
    if len(times) > 1:
        yield MessageSent(**told(times[1], "answered"))
        yield CaseResolved(**told(times[-1], "resolved"), data=ResolvedData(queue=options.queue, channel="task"))


SOURCE: Final = Source(
    name="case-log",
    about="Activities of cases, as process mining has them: a table with case, activity and time.",
    options=Options,
    read=read,
)
