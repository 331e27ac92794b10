"""Makes events of what a message says in a verb of a queue_log, with ids that are the same when it is told again."""

from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.sources.asterisk_ami.state import PbxState
from stream.sources.asterisk_ami.verbs import TOLD_BY_VERB, MessageVerbs
from stream.sources.asterisk_queue_log.calls import Visit
from stream.sources.asterisk_queue_log.line import LogIdentity
from stream.sources.asterisk_queue_log.memory import Memory
from stream.sources.asterisk_queue_log.records import ParsedLine
from stream.sources.lines import Location

__all__ = ["Teller"]


class Teller:
    """Tells verbs of one PBX, and what follows from them for the members at whom it rings."""

    def __init__(self, identity: LogIdentity, state: PbxState) -> None:
        self.identity = identity
        self.state = state
        self.memory = Memory(state.memory, identity.contact)
        self.place = Location(identity.source, 0, 0)

    def tell(
        self, verb: str, micros: int, *params: str, call: str = "", queue: str = "", member: str = ""
    ) -> list[Event]:
        """Return the events of a verb."""
        record = ParsedLine(self.place, micros, call or None, queue or None, member or None, verb, params)
        line_id, twice = self.memory.identify(record)
        if twice:
            return []
        if queue:
            record = replace(record, queue=self.memory.spelled(queue))
        told = TOLD_BY_VERB[verb](MessageVerbs(record, line_id, self.identity, self.memory))
        self.memory.saved.newest = max(self.memory.saved.newest, micros)
        return told

    def leave(self, verb: str, micros: int, *params: str, call: str, queue: str, member: str = "") -> list[Event]:
        """Tell that a caller does not wait any more, so that it rings nowhere either."""
        told = self.tell(verb, micros, *params, call=call, queue=queue, member=member)
        return [*told, *self.stop_ringing(call, micros, but=member)]

    def stop_ringing(self, call: str, micros: int, *, but: str = "") -> list[Event]:
        """Tell of each member at whom the call still rings that it rings no more."""
        ringing = self.state.ringing.pop(call, {})
        return [
            event
            for member, queue in ringing.items()
            if member != but
            for event in self.tell("RINGCANCELED", micros, call=call, queue=queue, member=member)
        ]

    def visit_in_conversation(self, call: str) -> Visit | None:
        """Return the visit in which a call talks."""
        known = self.memory.calls.by_id.get(call)
        return next((visit for visit in reversed(known.visits) if visit.state == "talking"), None) if known else None

    def call_of_agent(self, queue: str, member: str) -> str:
        """Return the call that an agent talks to in a queue, empty if none is known."""
        for name, call in self.memory.calls.by_id.items():
            if any(each.state == "talking" and each.queue == queue and each.agent == member for each in call.visits):
                return name
        return ""
