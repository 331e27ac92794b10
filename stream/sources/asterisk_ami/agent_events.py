"""What is told of conversations, and of the members of queues: rings, answers, holds, transfers, pauses."""

from stream.core.cloudevents import Event
from stream.sources.asterisk_ami.caller_events import CallerEvents
from stream.sources.asterisk_ami.happening import Happening, is_member_name
from stream.sources.asterisk_ami.snapshot import member_events
from stream.sources.asterisk_ami.state import remember

__all__ = ["AgentEvents"]


class AgentEvents(CallerEvents):
    """Events of agents of one PBX, beside those of callers."""

    def rings(self, what: Happening) -> list[Event]:
        """It begins to ring at a member."""
        ringing = {**self.state.ringing.get(what.call, {}), what.member: what.queue}
        remember(self.state.ringing, what.call, ringing)
        return self._teller.tell("AGENTCALLED", what.at, call=what.call, queue=what.queue, member=what.member)

    def rang_in_vain(self, what: Happening, verb: str) -> list[Event]:
        """It rings no more at a member."""
        self.state.ringing.get(what.call, {}).pop(what.member, None)
        ring = what.message.first("ringtime")
        return self._teller.tell(verb, what.at, ring, call=what.call, queue=what.queue, member=what.member)

    def answered(self, what: Happening) -> list[Event]:
        """A member answered."""
        self.state.exits.pop(what.call, None)
        channel = what.message.first("destuniqueid", "bridgedchannel")
        remember(self.state.agent_channels, channel, what.call)
        params = (what.message.first("holdtime"), channel, what.message.first("ringtime"))
        return self._teller.leave("CONNECT", what.at, *params, call=what.call, queue=what.queue, member=what.member)

    def completed(self, what: Happening) -> list[Event] | None:
        """A conversation is over."""
        # A caller whose channel is gone already is not named any more.
        call = what.call or self._teller.call_of_agent(what.queue, what.member)
        if not call:
            return None
        held, talked = what.message.first("holdtime"), what.message.first("talktime")
        channel = what.message.first("destuniqueid", "bridgedchannel")
        self.state.agent_channels.pop(channel, None)
        where = {"call": call, "queue": what.queue, "member": what.member}
        reason = what.message.first("reason").lower()
        if reason == "transfer":
            attended = {call, channel} & self.state.attended.keys()
            verb = "ATTENDEDTRANSFER" if attended else "BLINDTRANSFER"
            return self._teller.tell(verb, what.at, "", "", held, talked, "1", **where)
        verb = "COMPLETECALLER" if reason == "caller" else "COMPLETEAGENT"
        return self._teller.tell(verb, what.at, held, talked, **where)

    def held(self, what: Happening) -> list[Event] | None:
        """A party puts the other on hold: the agent the caller, if it is not the caller who does."""
        linked = what.message.first("linkedid")
        call = self.state.agent_channels.get(what.call) or (linked if linked != what.call else "")
        visit = self._teller.visit_in_conversation(call)
        if visit is None:
            return None
        # Versions before 12 tell both by one name.
        resumes = what.message.name.lower() == "unhold" or what.message.first("status").lower() == "off"
        verb = "CALLEROFFHOLD" if resumes else "CALLERONHOLD"
        return self._teller.tell(verb, what.at, call=call, queue=visit.queue, member=visit.agent)

    def transferred_attended(self, what: Happening) -> list[Event]:
        """Calls are joined: which conversation of a queue that ends, its own message tells."""
        for name, channel in what.message.headers.items():
            if name.endswith("uniqueid") and not name.endswith("bridgeuniqueid"):
                remember(self.state.attended, channel, True)  # noqa: FBT003  # it is a set that keeps its order
        return []

    def membership(self, what: Happening) -> list[Event]:
        """Something was said of a member of a queue."""
        return member_events(self._teller, what.message, what.at, what.queue, what.member)

    def removed(self, what: Happening) -> list[Event]:
        """A member serves a queue no more."""
        return self._teller.tell("REMOVEMEMBER", what.at, queue=what.queue, member=what.member)

    def logged(self, what: Happening, verb: str) -> list[Event] | None:
        """An agent of `app_agent_pool` came or went."""
        agent = what.message.first("agent").removeprefix("Agent/")
        if not agent or not is_member_name(f"Agent/{agent}"):
            return None
        return self._teller.tell(verb, what.at, member=f"Agent/{agent}")
