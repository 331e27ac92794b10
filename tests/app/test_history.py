"""A day of the past is folded as one of today: only `today`, `--at` and the limit of the future look at a clock."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from msgspec import json
from msgspec.structs import replace

from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.cli import group
from stream.core.cloudevents import Event, tag_of
from stream.core.family import Board
from stream.core.windows import EPOCH, day_of, minute_of
from stream.families.registry import DECODER
from stream.sources.lines import BadLine
from tests.sources.queue_logs import mapped, mapper

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
DAY = date(2026, 3, 2)
"""Of the example: a Monday, as those below."""
MONDAYS = [date(1999, 1, 4), date(1999, 12, 27), date(1970, 1, 5), date(2037, 12, 28)]


def example() -> Iterator[Event]:
    for line in (EXAMPLES / "day.jsonl").read_bytes().splitlines():
        yield DECODER.decode(line)


def board_on(monday: date) -> Board:
    """Return the board of half past ten when the day of the example happens on another Monday."""
    later = monday - DAY
    moved = [DECODER.decode(json.encode(replace(event, time=event.time + later))) for event in example()]
    return replay(moved, at=datetime.combine(monday, time(10, 30), UTC)).board()


@pytest.mark.parametrize("monday", MONDAYS, ids=str)
def test_a_day_of_the_past_has_the_figures_of_the_same_day_now(monday: date) -> None:
    now, then = board_on(DAY), board_on(monday)

    assert now.at - then.at == DAY - monday
    assert [*now.snapshots] == [*then.snapshots]
    assert now.snapshots["contacts"]
    assert now.snapshots["agents"]
    for one, other in zip(now.snapshots["contacts"], then.snapshots["contacts"], strict=True):
        same = replace(other, oldest_enqueued_at=one.oldest_enqueued_at)
        assert same == one
    assert then.snapshots["agents"] == now.snapshots["agents"]


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Africa/Monrovia"])
def test_the_first_instant_that_is_history_counts_in_its_minute_and_day(zone: str) -> None:
    policies = policies_of(f'[defaults]\ntime_zone = "{zone}"\nday_starts = "06:00"', "policies.toml")
    first = EPOCH + timedelta(days=1)
    enqueued = next(event for event in example() if tag_of(event) == "contact.enqueued")
    day = replay([replace(enqueued, time=first)], policies=policies)
    (queue,) = day.board(first).snapshots["contacts"]

    assert {tally.offered for tally in queue.windows.values()} == {1}
    assert (queue.total.offered, queue.waiting) == (1, 1)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Africa/Monrovia", "Pacific/Kiritimati", "Asia/Kathmandu"])
def test_local_days_are_known_from_the_first_one_on(zone: str) -> None:
    minutes = range(minute_of(EPOCH + timedelta(days=1)), minute_of(EPOCH + timedelta(days=4)))
    days = [day_of(minute, ZoneInfo(zone), time(0)) for minute in minutes]

    assert days == sorted(days)
    assert len(set(days)) == 4


def test_a_log_of_1999_is_read_and_its_day_is_today_where_one_asks_for_it(tmp_path: Path) -> None:
    seconds = (DAY - date(1999, 1, 4)) // timedelta(seconds=1)
    log = (EXAMPLES / "day.queue_log").read_text()
    (old := tmp_path / "queue_log").write_text(
        re.sub(r"^\d+", lambda second: str(int(second[0]) - seconds), log, flags=re.MULTILINE)
    )

    def rows(path: Path, at: str) -> list[dict[str, object]]:
        told = CliRunner().invoke(
            group,
            ["replay", str(path), "--source", "asterisk-queue-log", "--window", "today", "--at", at, "--json"],
        )
        assert told.exit_code == 0, told.output
        return [row | {"oldest_enqueued_at": None} for row in json.decode(told.stdout)["queues"]]

    now = rows(EXAMPLES / "day.queue_log", "2026-03-02T10:30:00Z")
    assert rows(old, "1999-01-04T10:30:00Z") == now
    assert any(row["answered"] for row in now)


@pytest.mark.parametrize(
    ("seconds", "read"),
    [(86_399, False), (86_400, True), (915_148_800, True), (4_133_980_799, True), (4_133_980_800, False)],
)
def test_a_log_has_the_same_limits_as_events(seconds: int, read: bool) -> None:  # noqa: FBT001  # a column of the table
    refused: list[BadLine] = []
    events = mapped(f"{seconds}|c1|q1|NONE|ENTERQUEUE||x|1\n".encode(), mapper(refused))

    assert (len(events), [one.reason for one in refused]) == ((1, []) if read else (0, ["absurd_time"]))
    assert all(DECODER.decode(json.encode(event)) == event for event in events)


def test_the_simulator_can_play_a_day_of_1999() -> None:
    told = CliRunner().invoke(
        group, ["simulate", "--centre", "office", "--start", "1999-01-04T09:00:00Z", "--hours", "0.2", "--seed", "4"]
    )
    assert told.exit_code == 0, told.output
    events = [DECODER.decode(line) for line in told.stdout.encode().splitlines()]

    assert {event.time.year for event in events} == {1999}
    assert replay(events).board().snapshots["contacts"]
