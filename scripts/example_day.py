"""The recorded day that the project ships: a small office, simulated, as events; its calls as an Asterisk log, too."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from scripts.json_schemas import EXAMPLES
from stream.core.cloudevents import Event, encode
from stream.simulator import Centre, office_centre, simulate, to_queue_log
from stream.simulator.cases.plan import CaseQueuePlan
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

LOAD_OF_CASES = 0.25
"""The same of those who write."""


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
    mail = tuple(_shorter(queue) for queue in office.help_desk.queues)
    help_desk = replace(office.help_desk, queues=mail)
    return replace(office, name="small-office", queues=queues, agents=office.agents[::3], help_desk=help_desk)


def _quieter(queue: QueuePlan) -> QueuePlan:
    per_hour = tuple(figure * LOAD for figure in queue.per_hour)
    if queue.channel != "voice":
        return replace(queue, per_hour=per_hour)
    exits, talk = Exits(key=0.1, callback=0.1, after=Length(timedelta(seconds=25))), Length(timedelta(minutes=5))
    return replace(queue, per_hour=per_hour, capacity=1, exits=exits, talk=talk)


def _shorter(queue: CaseQueuePlan) -> CaseQueuePlan:
    """Return a queue of few cases that are over within the day: else nobody would see how one is reopened or closed."""
    hour = timedelta(hours=1)
    return replace(
        queue,
        per_hour=tuple(figure * LOAD_OF_CASES for figure in queue.per_hour),
        reply=Length(hour / 2),
        hold=Length(hour),
        patience=3 * hour,
        shares=replace(queue.shares, spam=0.08, deleted=0.04, merged=0.06, reopened=0.15),
        solved_by_time=3 * hour,
        closes_after=4 * hour,
    )
