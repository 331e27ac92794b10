"""The simulator's days look like those of a real centre: its figures lie where most of 1,251 real intervals lie."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from stream.app.replay import replay
from stream.families.contacts import service_level as formulas
from stream.families.contacts.rules import Formula
from stream.families.contacts.tally import Tally
from stream.simulator import busy_centre, simulate
from stream.simulator.centre import Centre
from tests.samples import sample

START = datetime(2026, 11, 20, tzinfo=UTC)


def seconds(text: str) -> float:
    hours, minutes, rest = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def ratio(text: str) -> float:
    return float(text.rstrip("%")) / 100


def middle(column: str, read: Callable[[str], float]) -> tuple[float, float]:
    """Return the range that holds all but the lowest and highest hundredth of the real values."""
    with sample("datasets/call_center_interval_aggregates.csv").open() as file:
        values = sorted(read(row[column]) for row in csv.DictReader(file))
    return values[len(values) // 100], values[-len(values) // 100 - 1]


def voice_of(centre: Centre) -> Tally:
    """Return the sum of all voice queues over a day."""
    day = simulate(centre, start=START, end=START + timedelta(days=1), seed=11)
    board = replay(day).board()
    return sum((queue.total for queue in board.snapshots["contacts"] if queue.channel == "voice"), Tally())


def test_a_simulated_day_lies_within_the_range_of_a_real_centre() -> None:
    """Of the busy centre: the demo and the office make short calls, so that a board moves while one looks."""
    total = voice_of(busy_centre(3))
    figures = {
        "Answer Rate": (total.answered / (total.answered + total.abandoned), ratio),
        "Answer Speed (AVG)": (formulas.asa_seconds(total), seconds),
        "Talk Duration (AVG)": (total.talk_ms / total.handled / 1000, seconds),
        "Service Level (20 Seconds)": (formulas.service_level(total, Formula.ANSWERED_ONLY), ratio),
    }

    for column, (figure, read) in figures.items():
        low, high = middle(column, read)
        assert figure is not None
        assert low <= figure <= high, column
