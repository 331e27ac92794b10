"""The calls of the example day, and how much of a page tells of each queue."""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path

from stream.app.policy_file import load_policies
from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.core.family import Board
from stream.sources.files import jsonl
from stream.sources.intake import Intake

__all__ = ["board_at", "samples_of"]

ROOT = Path(__file__).parents[2]
_SAMPLE = re.compile(r"^(contact_\S*?(?:\{.*\})?) (\S+)$", re.MULTILINE)


@cache
def _day() -> list[Event]:
    day = jsonl.read(jsonl.Options(file=ROOT / "schemas" / "examples" / "day.jsonl"), Intake())
    # The files were written before there were cases.
    return [event for event in day if event.topic != "cases"]


def board_at(hour: int, minute: int) -> Board:
    """Return the board at a time (UTC) of the example day."""
    day = _day()
    at: datetime = day[0].time.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return replay(day, at=at, policies=load_policies(ROOT / "policies.toml")).board(at)


def samples_of(pages: Iterable[str]) -> dict[str, str]:
    """Return the samples of pages: by name and labels as they are written."""
    return {found[1]: found[2] for page in pages for found in _SAMPLE.finditer(page)}
