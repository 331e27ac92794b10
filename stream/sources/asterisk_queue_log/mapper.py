"""Which verb tells what: the one table of every verb known to be written to a queue_log.

A verb that stands in neither table is counted as unknown and set aside: new versions of Asterisk and the
dialplans of integrators add verbs as they like.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.sources.asterisk_queue_log.agent_verbs import finished_wrapups
from stream.sources.asterisk_queue_log.contact_verbs import LineMapper
from stream.sources.asterisk_queue_log.line import LogIdentity
from stream.sources.asterisk_queue_log.memory import Memory, Remembered
from stream.sources.asterisk_queue_log.records import LineReader, ParsedLine
from stream.sources.asterisk_queue_log.rows import Layout, RowReader
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Line, Location

__all__ = ["IGNORED", "VERBS", "Mapper", "VerbRule"]

Need = Literal["call", "queue", "member"]


class VerbRule(Struct, frozen=True):
    """What a line of this verb must name, and what it tells."""

    needs: tuple[Need, ...]
    tell: Callable[[LineMapper], list[Event]]


VISIT: tuple[Need, ...] = ("call", "queue")
MEMBER: tuple[Need, ...] = ("member",)
MEMBERSHIP: tuple[Need, ...] = ("member", "queue")

# Numbers say which parameter tells what, counted from 0: the order differs from verb to verb (Asterisk
# documentation, Operation/Logging/Queue-Logs, and the integrators' own).
VERBS: Mapping[str, VerbRule] = {
    # Before and into the queue.
    "DID": VerbRule(("call",), LineMapper.offered),
    "ENTERQUEUE": VerbRule(VISIT, LineMapper.enqueued),
    "CALLOUTBOUND": VerbRule(VISIT, LineMapper.called_out),
    # Written by Wazo: Asterisk logs nothing of a call that it does not let into the queue.
    "FULL": VerbRule(VISIT, lambda line: line.blocked("full")),
    "JOINEMPTY": VerbRule(VISIT, lambda line: line.blocked("no_agents")),
    "CLOSED": VerbRule(VISIT, lambda line: line.blocked("closed")),
    "DIVERT_CA_RATIO": VerbRule(VISIT, lambda line: line.blocked("capacity")),
    "DIVERT_HOLDTIME": VerbRule(VISIT, lambda line: line.blocked("capacity")),
    "LEAVEEMPTY": VerbRule(VISIT, LineMapper.emptied),
    # Ringing and answer.
    "RINGNOANSWER": VerbRule(VISIT, LineMapper.rang_in_vain),
    "RINGCANCELED": VerbRule(VISIT, LineMapper.rang_until_left),
    "AGENTDUMP": VerbRule(VISIT, LineMapper.dumped),
    "CONNECT": VerbRule(VISIT, LineMapper.answered),
    # Out of the queue without an answer.
    "ABANDON": VerbRule(VISIT, LineMapper.abandoned),
    "EXITWITHTIMEOUT": VerbRule(VISIT, lambda line: line.dequeued("timeout", wait=2, position=0)),
    "EXITEMPTY": VerbRule(VISIT, lambda line: line.dequeued("empty", wait=2, position=0)),
    "EXITWITHKEY": VerbRule(VISIT, lambda line: line.dequeued("key", wait=3, position=1)),
    "WITHDRAW": VerbRule(VISIT, lambda line: line.dequeued("moved", wait=2, position=0)),
    "SYSCOMPAT": VerbRule(VISIT, LineMapper.dropped),
    # The conversation.
    "CALLERONHOLD": VerbRule(VISIT, LineMapper.held),
    "CALLEROFFHOLD": VerbRule(VISIT, LineMapper.resumed),
    "COMPLETEAGENT": VerbRule(VISIT, lambda line: line.ended("agent", waited=0, talked=1)),
    "COMPLETECALLER": VerbRule(VISIT, lambda line: line.ended("customer", waited=0, talked=1)),
    # TRANSFER is what versions before Asterisk 12 write.
    "TRANSFER": VerbRule(VISIT, lambda line: line.transferred("blind")),
    "BLINDTRANSFER": VerbRule(VISIT, lambda line: line.transferred("blind")),
    "ATTENDEDTRANSFER": VerbRule(VISIT, lambda line: line.transferred("attended")),
    "OUTCALL": VerbRule(VISIT, LineMapper.outbound_call_over),
    "QUEUESTART": VerbRule((), LineMapper.restarted),
    # Agents.
    "AGENTLOGIN": VerbRule(MEMBER, lambda line: line.logged_in(by_channel=True)),
    "AGENTCALLBACKLOGIN": VerbRule(MEMBER, lambda line: line.logged_in(by_channel=False)),
    "AGENTLOGOFF": VerbRule(MEMBER, LineMapper.logged_out),
    "AGENTCALLBACKLOGOFF": VerbRule(MEMBER, LineMapper.logged_out),
    "ADDMEMBER": VerbRule(MEMBERSHIP, LineMapper.joined),
    "REMOVEMEMBER": VerbRule(MEMBERSHIP, LineMapper.left),
    "PAUSE": VerbRule(MEMBER, lambda line: line.paused(paused=True, everywhere=False)),
    "UNPAUSE": VerbRule(MEMBER, lambda line: line.paused(paused=False, everywhere=False)),
    "PAUSEALL": VerbRule(MEMBER, lambda line: line.paused(paused=True, everywhere=True)),
    "UNPAUSEALL": VerbRule(MEMBER, lambda line: line.paused(paused=False, everywhere=True)),
    "WRAPUPSTART": VerbRule(MEMBER, LineMapper.wrapping_up),
}

IGNORED: Mapping[str, str] = {
    "CONFIGRELOAD": "nothing happened to a contact or an agent",
    "PENALTY": "the order in which agents are rung is no figure of ours",
    "RINGINUSE": "a setting of a member: whether it is rung while it talks",
    "HEARTBEAT": "QueueMetrics' sign of life",
    "CALLSTATUS": "QueueMetrics: a code that an agent gave a finished call",
    "INFO": "QueueMetrics: what somebody noted about a call",
    "PAUSEREASON": "VICIdial repeats a PAUSE that was told before",
    "OUTDIAL": "PBXware: outbound calls belong to no queue",
    "OUTANSWER": "PBXware, outbound",
    "OUTCANCEL": "PBXware, outbound",
    "OUTCHANUNAVAIL": "PBXware, outbound",
    "OUTCONGESTION": "PBXware, outbound",
    "OUTTRANSFER": "PBXware, outbound",
}
"""Verbs that are counted and left, with the reason."""


class Mapper:
    """Turns lines into events, remembers what later lines need, and counts what became of each line."""

    def __init__(
        self,
        identity: LogIdentity,
        *,
        zone: ZoneInfo | None = None,
        remembered: Remembered | None = None,
        intake: Intake | None = None,
    ) -> None:
        self.identity = identity
        self.memory = Memory(remembered, identity.contact)
        self.intake = intake or Intake()
        self._reader = LineReader(RowReader(zone))

    def events(self, lines: Iterable[Line]) -> Iterator[Event]:
        """Yield what the lines tell, in their order."""
        for line in lines:
            yield from self.map(line)

    def map(self, line: Line) -> list[Event]:
        """Return what one line tells; mostly one event, sometimes none or several."""
        self.intake.read += 1
        remembered = self.memory.saved
        match self._reader.parse(line, remembered.layout, remembered.newest):
            case ParsedLine() as record:
                return self._tell(record)
            case BadLine() as bad:
                self.intake.refuse(bad)
            case Layout() as layout:
                # Saved with the position: a restart goes on behind the header of the file, and does not see it
                # again.
                remembered.layout = layout
                self.intake.empty += 1
            case None:
                self.intake.empty += 1
        return []

    def map_row(self, place: Location, columns: Mapping[str, str]) -> list[Event]:
        """Return what one row of the table tells, as `map` does."""
        self.intake.read += 1
        match self._reader.parse_row(place, columns, self.memory.saved.newest):
            case ParsedLine() as record:
                return self._tell(record)
            case BadLine() as bad:
                self.intake.refuse(bad)
        return []

    def is_newest(self, place: Location, columns: Mapping[str, str]) -> bool:
        """Tell whether a row of the table is later than all that was told."""
        newest = self.memory.saved.newest
        found = self._reader.parse_row(place, columns, newest)
        return isinstance(found, ParsedLine) and found.micros > newest

    def passed(self, at: int | None = None) -> list[Event]:
        """Return what was to happen until *at*, in microseconds; None: all that is to happen, the log has ended."""
        return list(finished_wrapups(self.identity, self.memory, at)) if self.memory.saved.wrapups else []

    def _tell(self, record: ParsedLine) -> list[Event]:
        rule = VERBS.get(record.verb)
        if rule is None:
            return self._leave(record)
        for need in rule.needs:
            if getattr(record, need) is None:
                self.intake.refuse(BadLine(record.place, f"missing_{need}", f"{record.verb} names no {need}"))
                return []
        # First what was due before this line, such as the end of a wrap-up that the log only announced.
        passed = self.passed(record.micros)
        line_id, twice = self.memory.identify(record)
        told = [] if twice else self._told(rule, record, line_id)
        # The log may jump back by a second, since several processes write it: its time never does.
        self.memory.saved.newest = max(self.memory.saved.newest, record.micros)
        if told is None or twice:
            self.intake.ignore(f"{record.verb}, told before")
            return passed
        self.intake.used[record.verb] += 1
        return passed + told

    def _told(self, rule: VerbRule, record: ParsedLine, line_id: str) -> list[Event] | None:
        """Return what a line tells; None where other lines have told the same."""
        # Only now, when the id is made: which spelling comes first must not change the ids of lines.
        if record.queue is not None and (spelled := self.memory.spelled(record.queue)) != record.queue:
            record = replace(record, queue=spelled)
        line = LineMapper(record, line_id, self.identity, self.memory)
        told = rule.tell(line)
        return None if line.told_before and not told else told

    def _leave(self, record: ParsedLine) -> list[Event]:
        if record.verb in IGNORED:
            self.intake.ignore(record.verb)
        else:
            self.intake.wonder(record.verb, BadLine(record.place, "unknown_verb", "the verb is not known"))
        return []
