"""Writes simulated voice contacts as Asterisk writes its queue_log: whole seconds, one tenant, no holds, no wrap-up.

Verbs and parameters: Asterisk documentation, Operation/Logging/Queue-Logs.
"""

from collections.abc import Collection, Iterable, Iterator

from stream.core.cloudevents import Event
from stream.families.agents import events as agents
from stream.families.cases.events import CaseOpened
from stream.families.contacts import events as e
from stream.families.contacts import payloads

__all__ = ["to_queue_log"]

CLOSED_DOORS: dict[payloads.BlockReason, str] = {"full": "FULL", "closed": "CLOSED", "no_agents": "JOINEMPTY"}
"""A call that finds all lines taken (busy) never reaches Asterisk's queue, so it has no verb."""
EXIT_KEY = "1"
CALLBACK_KEY = "2"


def to_queue_log(
    events: Iterable[Event], *, tenant: str | None = None, queues: Collection[str] | None = None
) -> Iterator[str]:
    """
    Yield the lines, without line ends, that Asterisk would have logged of *events*.

    The log has no tenants: name one, if there are several. *queues* are the voice queues
    (`Centre.queue_names("voice")`; None: all): agents join queues without saying of which channel they are.
    """
    log = _QueueLog(queues)
    # Nobody writes to a call system: the log is the same with a help desk and without.
    for number, event in enumerate(event for event in events if event.topic != CaseOpened.topic):
        if not number:
            # A log begins with the start of Asterisk: readers end with it whatever was open in a log before.
            yield _line(_epoch(event), "NONE", "NONE", "NONE", "QUEUESTART", "")
        if tenant is None or event.tenantid == tenant:
            yield from log.lines(event)


class _Call:
    """What Asterisk knows of a call in a queue."""

    __slots__ = ("connected", "entered", "id", "origposition", "rang")

    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.entered = self.rang = self.connected = 0
        self.origposition = 0


class _QueueLog:
    def __init__(self, queues: Collection[str] | None) -> None:
        self._queues = queues
        self._calls: dict[str, _Call] = {}
        self._joined: dict[str, list[str]] = {}
        self._paused: set[str] = set()
        self._channels = 0

    def lines(self, event: Event) -> Iterator[str]:
        match event:
            case agents.AgentQueueJoined() | agents.AgentQueueLeft() | agents.AgentAvailabilityChanged():
                return self._member(event)
            case (
                e.ContactEnqueued()
                | e.ContactOfferedToAgent()
                | e.ContactAnswered()
                | e.OfferEnded()
                | e.ContactAbandoned()
                | e.ContactDequeued()
                | e.ContactEnded()
                | e.ContactTransferred()
                | e.ContactBlocked()
            ) if event.data.channel == "voice" and self._logs(event.data.queue):
                return self._contact(event)
            case _:
                return iter(())

    def _logs(self, queue: str) -> bool:
        return self._queues is None or queue in self._queues

    def _contact(self, event: e.SegmentEvent) -> Iterator[str]:
        if isinstance(event, e.ContactBlocked):
            if (shut := CLOSED_DOORS.get(event.data.reason)) is not None:
                # A call that does not get in is not kept: whoever tries again has another channel, hence
                # another id.
                call_id = self._channel(_epoch(event))
                yield _line(_epoch(event), call_id, event.data.queue, "NONE", shut, "")
            return
        call = self._calls.get(event.subject)
        if call is None:
            call = self._calls[event.subject] = _Call(self._channel(_epoch(event)))
        said = self._said(event, call)
        if said is not None:
            verb, *parameters = said
            member = event.data.agent or "NONE"
            yield _line(_epoch(event), call.id, event.data.queue, member, verb, *parameters)
        if self._is_over(event):
            del self._calls[event.subject]

    def _said(self, event: e.SegmentEvent, call: _Call) -> tuple[object, ...] | None:
        """Return verb and parameters; None when Asterisk says nothing."""
        now = _epoch(event)
        match event:
            case e.ContactEnqueued():
                # Kept, since later lines of the call repeat the place at which it came in.
                call.entered, call.origposition = now, event.data.position or 1
                return "ENTERQUEUE", "", _caller(call), call.origposition
            case e.ContactOfferedToAgent():
                # Asterisk logs nothing when it begins to ring; the length of the ring stands in the line that
                # ends it.
                call.rang = now
                return None
            case e.OfferEnded():
                return "RINGNOANSWER" if event.data.result == "missed" else "RINGCANCELED", event.data.ring_ms
            case e.ContactAnswered():
                call.connected = now
                return "CONNECT", now - call.entered, self._channel(now), now - call.rang
            case e.ContactAbandoned():
                return "ABANDON", event.data.position, call.origposition, now - call.entered
            case e.ContactDequeued():
                return *_exit(event.data.reason), event.data.position, call.origposition, now - call.entered
            case e.ContactEnded() | e.ContactTransferred():
                return *_completed(event), call.connected - call.entered, now - call.connected, call.origposition
            case _:
                return None

    def _member(
        self, event: agents.AgentQueueJoined | agents.AgentQueueLeft | agents.AgentAvailabilityChanged
    ) -> Iterator[str]:
        agent, now = event.subject, _epoch(event)
        joined = self._joined.setdefault(agent, [])
        match event:
            case agents.AgentQueueJoined():
                if self._logs(event.data.queue):
                    joined.append(event.data.queue)
                    yield _line(now, "NONE", event.data.queue, agent, "ADDMEMBER", "")
            case agents.AgentQueueLeft():
                self._paused.discard(agent)
                if event.data.queue in joined:
                    joined.remove(event.data.queue)
                    yield _line(now, "NONE", event.data.queue, agent, "REMOVEMEMBER", "")
            case agents.AgentAvailabilityChanged():
                yield from self._pause(agent, now, joined, event.data)

    def _pause(self, agent: str, now: int, joined: list[str], data: agents.AvailabilityData) -> Iterator[str]:
        if data.status == "not_ready":
            self._paused.add(agent)
            for queue in joined:
                yield _line(now, "NONE", queue, agent, "PAUSE", data.reason or "")
        # A login makes available, too: where nobody was paused there is no pause to end.
        elif data.status == "available" and agent in self._paused:
            self._paused.discard(agent)
            for queue in joined:
                yield _line(now, "NONE", queue, agent, "UNPAUSE", "")

    def _is_over(self, event: e.SegmentEvent) -> bool:
        """Whether the call has left Asterisk's queues; one that goes on to another keeps its uniqueid."""
        if isinstance(event, e.ContactTransferred):
            return event.data.to_queue is None or not self._logs(event.data.to_queue)
        return isinstance(event, e.ContactAbandoned | e.ContactDequeued | e.ContactEnded)

    def _channel(self, now: int) -> str:
        """Return a new uniqueid, as Asterisk numbers its channels."""
        self._channels += 1
        return f"{now}.{self._channels}"


def _exit(reason: payloads.DequeueReason) -> tuple[str, ...]:
    match reason:
        case "key":
            return "EXITWITHKEY", EXIT_KEY
        case "callback_requested":
            return "EXITWITHKEY", CALLBACK_KEY
        case "empty":
            return ("EXITEMPTY",)
        case _:
            return ("EXITWITHTIMEOUT",)


def _completed(event: e.ContactEnded | e.ContactTransferred) -> tuple[str, ...]:
    if isinstance(event, e.ContactEnded):
        # Of a call that neither side ended Asterisk says that the caller did: there is no third verb.
        return ("COMPLETEAGENT" if event.data.ended_by == "agent" else "COMPLETECALLER",)
    to = event.data.to_queue or "outside"
    if event.data.kind == "attended":
        return "ATTENDEDTRANSFER", "APP", to
    return "BLINDTRANSFER", to, "from-queue"


def _caller(call: _Call) -> str:
    """Return a telephone number that is nobody's."""
    return f"0555{int(call.id.rpartition('.')[2]):07}"


def _epoch(event: Event) -> int:
    # Cut off, as a clock of whole seconds does it: lengths in such a log may be off by a second.
    return int(event.time.timestamp())


def _line(*fields: object) -> str:
    return "|".join(str(field) for field in fields)
