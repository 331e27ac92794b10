"""Short queue_logs for tests: times count from `START`, and events are told back in one line each."""

from io import BytesIO

from stream.core.cloudevents import Event, tag_of
from stream.families.agents import events as agents
from stream.sources.asterisk_queue_log.mapper import Mapper
from stream.sources.asterisk_queue_log.stories import Speaker
from stream.sources.lines import BadLine, forget, read_lines

__all__ = ["START", "log_of", "mapped", "mapper", "told"]

START = 1_700_000_000


def log_of(story: str) -> bytes:
    """Return the log of a story: each line begins with the seconds since START."""
    lines = [line.strip().partition("|") for line in story.strip().splitlines()]
    return "".join(f"{START + int(seconds)}|{rest}\n" for seconds, _, rest in lines).encode()


def mapper(rejects: list[BadLine] | None = None) -> Mapper:
    return Mapper(Speaker(source="/pbx/test", tenant="acme"), set_aside=forget if rejects is None else rejects.append)


def mapped(log: bytes, by: Mapper | None = None) -> list[Event]:
    return list((by or mapper()).events(read_lines(BytesIO(log), "queue_log")))


def told(events: list[Event]) -> list[str]:
    """Tell each event as `seconds type subject key=value ...`, with the fields that are set."""
    return [_told(event) for event in events]


def _told(event: Event) -> str:
    data = {name: getattr(event.data, name) for name in event.data.__struct_fields__}
    seconds = int(event.time.timestamp()) - START
    defaults = {None, "voice", "inbound", False}
    fields = [f"{name}={value}" for name, value in data.items() if value not in defaults and value != ()]
    kind = tag_of(event).removeprefix("contact.")
    if isinstance(event, agents.AgentEvent):
        return " ".join([str(seconds), kind, event.subject, *fields])
    return " ".join([str(seconds), kind, event.subject, *(field for field in fields if field != "enqueue_seq=1")])
