"""Systems that write files which are read to their end: how each writes many lines, and one of a kind that is new."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from stream.core.cloudevents import Event, encode
from stream.simulator import office_centre, simulate, to_queue_log
from stream.sources.source import Source
from tests.sources.mapped.examples import HOME_MADE, RUMOUR, home_made_call
from tests.sources.new_sources import BEGIN

__all__ = ["RECORDED", "RecordedFile", "options_of"]


class RecordedFile(Struct, frozen=True, kw_only=True):
    """A file as its system writes it."""

    lines: Callable[[int], list[bytes]]
    """The first so many lines, a head among them if it has one."""
    unknown: bytes | None
    """A line of a kind that nobody knows; None where lines are of no kind."""


def _happened() -> Iterator[Event]:
    return simulate(office_centre(), start=BEGIN, end=BEGIN.replace(year=BEGIN.year + 1), seed=2)


def _case_log(count: int) -> list[bytes]:
    rows = (f"{n // 3},1,2012-04-03 {n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}" for n in range(count - 1))
    return [b"CaseID,ActivityID,CompleteTimestamp", *(row.encode() for row in rows)]


RECORDED: Final = {
    "jsonl": RecordedFile(
        lines=lambda count: [encode(event) for event in islice(_happened(), count)],
        unknown=encode(next(_happened())).replace(b'"type":"', b'"type":"rumour.'),
    ),
    "asterisk-queue-log": RecordedFile(
        lines=lambda count: [line.encode() for line in islice(to_queue_log(_happened()), count)],
        unknown=b"1772442000|1772442000.1|sales|NONE|RUMOUR|",
    ),
    "case-log": RecordedFile(lines=_case_log, unknown=None),
    "mapped": RecordedFile(
        lines=lambda count: [home_made_call(number) for number in range(count)],
        unknown=RUMOUR,
    ),
}
"""By the name in the registry."""


_FILES: Final = {name: Path(__file__).parents[1] / name / f"{name}.toml" for name in ("nicereply", "surveymonkey")}
"""About accounts, which say too much for a command line."""


def options_of(source: Source, file: Path) -> Any:  # of a type that each source has for itself
    """Return the options of a source that is told of a file; what else it needs is an example."""
    told: dict[str, Any] = {"file": _FILES.get(source.name, file), "mapping": HOME_MADE}
    # Of an API that nobody asks here; any file has a first line for a token.
    told |= {
        "address": "https://api.example.org",
        "user": "mia",
        "token_file": HOME_MADE,
        "api_key_file": HOME_MADE,
        "since": "2026-01-01",
    }
    # What holds a connection may be told no file.
    return source.options(**{name: told[name] for name in told.keys() & {*source.options.__struct_fields__}})
