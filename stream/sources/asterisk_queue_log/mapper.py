"""Which verb tells which story: the one table of every verb known to be written to a queue_log.

A verb that stands in neither table is counted as unknown and set aside: new versions of Asterisk and the
dialplans of integrators add verbs as they like.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct, field

from stream.core.cloudevents import Event
from stream.sources.asterisk_queue_log.memory import Memory
from stream.sources.asterisk_queue_log.records import Record, parse
from stream.sources.asterisk_queue_log.stories import Speaker, Telling
from stream.sources.lines import BadLine, Line, SetAside, forget

__all__ = ["IGNORED", "VERBS", "Counts", "Mapper", "Rule"]

Need = Literal["call", "queue", "member"]

VERB_NAMES_KEPT = 100
"""Unknown verbs may be noise: more distinct ones than this are counted together."""


class Rule(Struct, frozen=True):
    """What a line of this verb must name, and the story it tells."""

    needs: tuple[Need, ...]
    tell: Callable[[Telling], list[Event]]


VISIT: tuple[Need, ...] = ("call", "queue")
MEMBER: tuple[Need, ...] = ("member",)
MEMBERSHIP: tuple[Need, ...] = ("member", "queue")

VERBS: Mapping[str, Rule] = {
    # Before and into the queue.
    "DID": Rule(("call",), Telling.offered),
    "ENTERQUEUE": Rule(VISIT, Telling.enqueued),
    "FULL": Rule(VISIT, lambda line: line.blocked("full")),
    "JOINEMPTY": Rule(VISIT, lambda line: line.blocked("no_agents")),
    "CLOSED": Rule(VISIT, lambda line: line.blocked("closed")),
    "DIVERT_CA_RATIO": Rule(VISIT, lambda line: line.blocked("capacity")),
    "DIVERT_HOLDTIME": Rule(VISIT, lambda line: line.blocked("capacity")),
    "LEAVEEMPTY": Rule(VISIT, Telling.emptied),
    # Ringing and answer.
    "RINGNOANSWER": Rule(VISIT, lambda line: line.offer_ended("missed")),
    "RINGCANCELED": Rule(VISIT, lambda line: line.offer_ended("canceled")),
    "CONNECT": Rule(VISIT, Telling.answered),
    # Out of the queue without an answer.
    "ABANDON": Rule(VISIT, Telling.abandoned),
    "EXITWITHTIMEOUT": Rule(VISIT, lambda line: line.dequeued("timeout", wait=2, position=0)),
    "EXITEMPTY": Rule(VISIT, lambda line: line.dequeued("empty", wait=2, position=0)),
    "EXITWITHKEY": Rule(VISIT, lambda line: line.dequeued("key", wait=3, position=1)),
    "AGENTDUMP": Rule(VISIT, lambda line: line.dropped("agent")),
    "SYSCOMPAT": Rule(VISIT, lambda line: line.dropped("system")),
    # The end of a conversation.
    "COMPLETEAGENT": Rule(VISIT, lambda line: line.ended("agent", talk=1)),
    "COMPLETECALLER": Rule(VISIT, lambda line: line.ended("customer", talk=1)),
    "TRANSFER": Rule(VISIT, lambda line: line.transferred("blind")),
    "BLINDTRANSFER": Rule(VISIT, lambda line: line.transferred("blind")),
    "ATTENDEDTRANSFER": Rule(VISIT, lambda line: line.transferred("attended")),
    "QUEUESTART": Rule((), Telling.restarted),
    # Agents.
    "AGENTLOGIN": Rule(MEMBER, Telling.logged_in),
    "AGENTCALLBACKLOGIN": Rule(MEMBER, Telling.logged_in),
    "AGENTLOGOFF": Rule(MEMBER, Telling.logged_out),
    "AGENTCALLBACKLOGOFF": Rule(MEMBER, Telling.logged_out),
    "ADDMEMBER": Rule(MEMBERSHIP, Telling.joined),
    "REMOVEMEMBER": Rule(MEMBERSHIP, Telling.left),
    "PAUSE": Rule(MEMBER, lambda line: line.availability("not_ready", everywhere=False)),
    "UNPAUSE": Rule(MEMBER, lambda line: line.availability("available", everywhere=False)),
    "PAUSEALL": Rule(MEMBER, lambda line: line.availability("not_ready", everywhere=True)),
    "UNPAUSEALL": Rule(MEMBER, lambda line: line.availability("available", everywhere=True)),
}

IGNORED: Mapping[str, str] = {
    "CONFIGRELOAD": "nothing happened to a contact or an agent",
    "PENALTY": "the order in which agents are rung is no figure of ours",
    "HEARTBEAT": "QueueMetrics' sign of life",
    "CALLSTATUS": "QueueMetrics: a code that an agent gave a finished call",
    "PAUSEREASON": "VICIdial repeats a PAUSE that was told before",
    "OUTDIAL": "PBXware: outbound calls belong to no queue",
    "OUTANSWER": "PBXware, outbound",
    "OUTCANCEL": "PBXware, outbound",
    "OUTCHANUNAVAIL": "PBXware, outbound",
    "OUTCONGESTION": "PBXware, outbound",
    "OUTTRANSFER": "PBXware, outbound",
}
"""Verbs that are counted and left, with the reason."""


class Counts(Struct):
    """What became of the lines; `lines` is the sum of all the others."""

    lines: int = 0
    blank: int = 0
    mapped: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    """By reason."""


class Mapper:
    """Turns lines into events, counts what became of them, and hands those of no use to *set_aside*."""

    def __init__(self, speaker: Speaker, *, memory: Memory | None = None, set_aside: SetAside = forget) -> None:
        self.speaker = speaker
        self.memory = memory or Memory()
        self.counts = Counts()
        self._set_aside = set_aside

    def events(self, lines: Iterable[Line]) -> Iterator[Event]:
        """Yield what the lines tell, in their order."""
        for line in lines:
            yield from self.map(line)

    def map(self, line: Line) -> list[Event]:
        """Return what one line tells; mostly one event, sometimes none or several."""
        self.counts.lines += 1
        match parse(line):
            case None:
                self.counts.blank += 1
                return []
            case BadLine() as bad:
                return self._reject(bad)
            case Record() as record:
                return self._tell(record)

    def _tell(self, record: Record) -> list[Event]:
        rule = VERBS.get(record.verb)
        if rule is None:
            return self._leave(record)
        for need in rule.needs:
            if getattr(record, need) is None:
                return self._reject(BadLine(record.place, f"missing_{need}", f"{record.verb} names no {need}"))
        self.counts.mapped[record.verb] += 1
        return rule.tell(Telling(record, self.speaker, self.memory))

    def _leave(self, record: Record) -> list[Event]:
        if record.verb in IGNORED:
            self.counts.ignored[record.verb] += 1
            return []
        room = record.verb in self.counts.unknown or len(self.counts.unknown) < VERB_NAMES_KEPT
        self.counts.unknown[record.verb if room else "(others)"] += 1
        self._set_aside(BadLine(record.place, "unknown_verb", "the verb is not known"))
        return []

    def _reject(self, bad: BadLine) -> list[Event]:
        self.counts.rejected[bad.reason] += 1
        self._set_aside(bad)
        return []
