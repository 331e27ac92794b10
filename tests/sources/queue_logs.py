"""Short queue_logs for tests: times count from `START`, and events are told back in one line each."""

from io import BytesIO
from zoneinfo import ZoneInfo

from stream.core.cloudevents import Event, tag_of
from stream.families.agents.events import AgentEvent
from stream.families.agents.fold import AgentRow, AgentsFold
from stream.families.agents.rules import AgentPolicy
from stream.sources.asterisk_queue_log.line import LogIdentity
from stream.sources.asterisk_queue_log.mapper import Mapper
from stream.sources.asterisk_queue_log.memory import Remembered
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, forget, read_lines

__all__ = ["IDENTITY", "START", "folded", "log_of", "mapped", "mapper", "states", "told"]

START = 1_700_000_000
IDENTITY = LogIdentity(source="/pbx/test", tenant="acme")


def log_of(story: str) -> bytes:
    """Return the log of a story: each line begins with the seconds since START."""
    lines = [line.strip().partition("|") for line in story.strip().splitlines()]
    return "".join(f"{START + int(seconds)}|{rest}\n" for seconds, _, rest in lines).encode()


def mapper(rejects: list[BadLine] | None = None, *, remembered: Remembered | None = None) -> Mapper:
    intake = Intake(forget if rejects is None else rejects.append)
    return Mapper(IDENTITY, zone=ZoneInfo("Europe/Berlin"), remembered=remembered, intake=intake)


def mapped(log: bytes, by: Mapper | None = None, *, to_its_end: bool = True) -> list[Event]:
    by = by or mapper()
    events = list(by.events(read_lines(BytesIO(log), "queue_log")))
    return events + by.passed() if to_its_end else events


def told(events: list[Event]) -> list[str]:
    """Tell each event as `seconds type subject key=value ...`, with the fields that are set."""
    return [_told(event) for event in events]


def _told(event: Event) -> str:
    data = {name: getattr(event.data, name) for name in event.data.__struct_fields__}
    seconds = int(event.time.timestamp()) - START
    defaults = {None, "voice", "inbound", False}
    fields = [f"{name}={value}" for name, value in data.items() if value not in defaults and value != ()]
    kind = tag_of(event).removeprefix("contact.")
    subject = event.subject.partition("@" + IDENTITY.contact("").removeprefix("@"))[0]
    return " ".join([str(seconds), kind, subject, *(field for field in fields if field != "enqueue_seq=1")])


def folded(events: list[Event]) -> AgentsFold:
    fold = AgentsFold()
    own = [event for event in events if isinstance(event, AgentEvent)]
    assert not fold.apply(own, range(len(own))).failed
    return fold


def states(events: list[Event], queue: str | None = "q1") -> dict[str, str]:
    """By agent: its state in a queue; of those that serve it."""
    places = {agent: places_of(row) for (_, agent), row in folded(events).agents.items()}
    return {agent: known[queue] for agent, known in places.items() if queue in known}


def places_of(row: AgentRow) -> dict[str | None, str]:
    """Tell an agent's state in general (None) and by queue, when it was reported last."""
    return dict(row.states_by_queue(row.newest, AgentPolicy()))
