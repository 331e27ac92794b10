"""What a message tells, in the verbs of a queue_log: so that both ways in give the same figures.

A queue_log has no word for an agent at whom it rings, and none for what nobody saw.
"""

from collections.abc import Callable, Mapping
from typing import Final

from stream.core.cloudevents import Event
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.sources.asterisk_queue_log.contact_verbs import LineMapper

__all__ = ["TOLD_BY_VERB", "MessageVerbs"]


class MessageVerbs(LineMapper):
    """The verbs of a queue_log, and those that only the manager interface tells."""

    def rings(self) -> list[Event]:
        """It begins to ring at an agent."""
        visit = self._memory.calls.rung(self._record)
        offered = e.ContactOfferedToAgent(
            **self._envelope(visit.contact), data=payloads.OfferData(**self._where(visit))
        )
        told = [offered, *self._rung(0)]
        # Who takes a second call beside the first is still on contact.
        return told if self._known().contact else [*told, self._activity("reserved", part="-rings")]

    def rings_no_more(self, ended: list[Event]) -> list[Event]:
        """It rang in vain, as *ended* tells: the agent is free again, unless it talks."""
        return ended if self._known().contact else [*ended, self._activity("idle", part="-idle")]

    def rejected(self) -> list[Event]:
        """The agent hung up before it heard the caller."""
        talks = self._memory.calls.in_conversation(self._record)
        return self.dumped() if talks else self.rings_no_more(self.dumped())

    def dequeued_unseen(self) -> list[Event]:
        """The caller left while nobody was connected: how is not known."""
        return self.dequeued("system", wait=None, position=None)


TOLD_BY_VERB: Final[Mapping[str, Callable[[MessageVerbs], list[Event]]]] = {
    "ENTERQUEUE": MessageVerbs.enqueued,
    "FULL": lambda line: line.blocked("full"),
    "JOINEMPTY": lambda line: line.blocked("no_agents"),
    "AGENTCALLED": MessageVerbs.rings,
    "RINGNOANSWER": lambda line: line.rings_no_more(line.rang_in_vain()),
    "RINGCANCELED": lambda line: line.rings_no_more(line.rang_until_left()),
    "AGENTDUMP": MessageVerbs.rejected,
    "CONNECT": MessageVerbs.answered,
    "ABANDON": MessageVerbs.abandoned,
    "EXITWITHTIMEOUT": lambda line: line.dequeued("timeout", wait=2, position=0),
    "EXITEMPTY": lambda line: line.dequeued("empty", wait=2, position=0),
    "WITHDRAW": lambda line: line.dequeued("moved", wait=2, position=0),
    # Left by a key, or neither hung up nor told why: both tell position and wait where an abandon does.
    "EXITWITHKEY": lambda line: line.dequeued("key", wait=2, position=0),
    "EXIT": lambda line: line.dequeued("overflow", wait=2, position=0),
    "UNSEEN": MessageVerbs.dequeued_unseen,
    "CALLERONHOLD": MessageVerbs.held,
    "CALLEROFFHOLD": MessageVerbs.resumed,
    "COMPLETEAGENT": lambda line: line.ended("agent", waited=0, talked=1),
    "COMPLETECALLER": lambda line: line.ended("customer", waited=0, talked=1),
    "COMPLETEUNSEEN": lambda line: line.ended("system", waited=None, talked=1),
    "BLINDTRANSFER": lambda line: line.transferred("blind"),
    "ATTENDEDTRANSFER": lambda line: line.transferred("attended"),
    "AGENTLOGIN": lambda line: line.logged_in(by_channel=True),
    "AGENTCALLBACKLOGIN": lambda line: line.logged_in(by_channel=False),
    "AGENTLOGOFF": MessageVerbs.logged_out,
    "ADDMEMBER": MessageVerbs.joined,
    "REMOVEMEMBER": MessageVerbs.left,
    "PAUSE": lambda line: line.paused(paused=True, everywhere=False),
    "UNPAUSE": lambda line: line.paused(paused=False, everywhere=False),
}
