"""The recorded day that the project ships: a small office, simulated, as events and as an Asterisk log."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from scripts.json_schemas import EXAMPLES
from stream.core.cloudevents import Event, encode
from stream.simulator import Centre, office_centre, simulate, to_queue_log
from stream.simulator.centre import Exits, Length, QueuePlan

__all__ = ["DAY_EVENTS", "DAY_QUEUE_LOG", "example_day", "files"]

DAY_EVENTS = EXAMPLES / "day.jsonl"
DAY_QUEUE_LOG = EXAMPLES / "day.queue_log"

START = datetime(2026, 3, 2, tzinfo=UTC)
END = START + timedelta(days=1)
SEED = 76
"""One of the days on which every type of event occurs, and calls are blocked and dequeued for several reasons."""

LOAD = 0.15
"""Share of the office's customers, so that the day fits into a file that people read."""


def example_day() -> list[Event]:
    """Return the events of the day: short of staff, so that everything occurs that a board must show."""
    return list(simulate(_small_office(), start=START, end=END, seed=SEED))


def files() -> dict[str, bytes]:
    """Return both recordings by file name; the log has the voice queues only."""
    day = example_day()
    log = to_queue_log(day, queues=_small_office().queue_names("voice"))
    return {
        DAY_EVENTS.name: b"".join(encode(event) + b"\n" for event in day),
        DAY_QUEUE_LOG.name: "".join(f"{line}\n" for line in log).encode(),
    }


def _small_office() -> Centre:
    office = office_centre()
    queues = tuple(_quieter(queue) for queue in office.queues)
    return replace(office, name="small-office", queues=queues, agents=office.agents[::3])


def _quieter(queue: QueuePlan) -> QueuePlan:
    per_hour = tuple(figure * LOAD for figure in queue.per_hour)
    if queue.channel != "voice":
        return replace(queue, per_hour=per_hour)
    exits, talk = Exits(key=0.1, callback=0.1, after=Length(timedelta(seconds=25))), Length(timedelta(minutes=5))
    return replace(queue, per_hour=per_hour, capacity=1, exits=exits, talk=talk)
