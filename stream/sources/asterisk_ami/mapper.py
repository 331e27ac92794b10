"""Which event of the manager interface tells what: the one table of those that are known.

Pure: it reads no clock. An event that stands in neither table is counted as unknown and set aside.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.sources.asterisk_ami.ignored import IGNORED_EVENTS
from stream.sources.asterisk_ami.messages import Message
from stream.sources.asterisk_ami.snapshot import QueueStatus, member_events, reconcile
from stream.sources.asterisk_ami.state import PbxState, PendingExit, remember
from stream.sources.asterisk_ami.teller import Teller
from stream.sources.asterisk_queue_log.line import LogIdentity
from stream.sources.intake import Intake
from stream.sources.lines import BadLine

__all__ = ["DECIDED_AFTER", "KNOWN_EVENTS", "AmiMapper"]

logger = logging.getLogger(__name__)

DECIDED_AFTER: Final = 2_000_000
"""Microseconds in which Asterisk says how a caller left a queue, if it says so at all."""

EXIT_BY_STATUS: Final[Mapping[str, str]] = {
    "TIMEOUT": "EXITWITHTIMEOUT",
    "LEAVEEMPTY": "EXITEMPTY",
    "LEAVEUNAVAIL": "EXITEMPTY",
    "WITHDRAW": "WITHDRAW",
    "CONTINUE": "EXITWITHKEY",
    "ABANDON": "ABANDON",
}
BLOCKED_BY_STATUS: Final[Mapping[str, str]] = {"FULL": "FULL", "JOINEMPTY": "JOINEMPTY", "JOINUNAVAIL": "JOINEMPTY"}

# As for lines of a queue_log: the names become parts of events, so they keep to the limits of the contract.
_LONGEST: Final = {"call": 200, "queue": 128, "member": 256}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MEMBER = ("membername", "name", "agentname", "interface", "location", "member")

NamedParty = Literal["call", "queue", "member"]


class EventRule(Struct, frozen=True):
    """What an event must name, and what it tells; None where it is about something else."""

    needs: tuple[NamedParty, ...]
    tell: "Callable[[AmiMapper, Happening], list[Event] | None]"


class Happening(Struct, frozen=True):
    """A message, and when it happened to whom; empty where it names none."""

    message: Message
    at: int
    call: str
    queue: str
    member: str


class AmiMapper:
    """Turns the messages of one PBX into events, and counts what became of each."""

    def __init__(self, identity: LogIdentity, state: PbxState, intake: Intake) -> None:
        self.state = state
        self.unseen = 0
        """Contacts that left while nobody was connected."""
        self._teller = Teller(identity, state)
        self._intake = intake
        self._snapshot: QueueStatus | None = None
        self._skew = 0
        self._connected = False

    # -- what comes in -------------------------------------------------------------------------

    def map(self, found: Message | BadLine) -> list[Event]:
        """Return what a message tells; mostly nothing, or one event or two."""
        self._intake.read += 1
        if isinstance(found, BadLine):
            self._intake.refuse(found)
            return []
        self._connected = True
        stamped = found.stamped
        at = found.received + self._skew if stamped is None else stamped
        # Events without a time of their own are of the clock of the PBX, too: a ping tells how far ours is off.
        if stamped is not None and found.first("ping"):
            self._skew = stamped - found.received
        self.state.heard = max(self.state.heard, at)
        return [*self.passed(at), *self._told(found, at)]

    def passed(self, at: int | None) -> list[Event]:
        """Return what is decided because nothing else was said until *at*; None: by the clock that read last."""
        due = [call for call, left in self.state.exits.items() if at is None or left.at + DECIDED_AFTER <= at]
        return [event for call in due for event in self._decide(call)] if self._connected else []

    def later(self, received: int) -> list[Event]:
        """As `passed`, by the clock of this machine."""
        return self.passed(received + self._skew)

    def lost(self) -> list[Event]:
        """Note that nobody is connected any more; who had just left a queue did so for reasons nobody was told."""
        self._connected, self._snapshot = False, None
        self.state.away_since = self.state.away_since or self.state.heard
        told = list[Event]()
        for call, left in list(self.state.exits.items()):
            del self.state.exits[call]
            self.unseen += 1
            told += self._teller.leave("UNSEEN", left.at, call=call, queue=left.queue)
        return told

    def _told(self, message: Message, at: int) -> list[Event]:
        name = message.name
        rule = KNOWN_EVENTS.get(name.lower())
        if not name:
            self._intake.refuse(BadLine(message.place, "not_an_event", "the message is no event and no response"))
            return []
        if rule is None:
            if name in IGNORED_EVENTS:
                self._intake.ignore(name)
            else:
                self._intake.wonder(name[:80], BadLine(message.place, "unknown_event", "the event is not known"))
            return []
        happening = Happening(message, at, message.first("uniqueid"), message.first("queue"), message.first(*_MEMBER))
        if (bad := _fault(rule, happening)) is not None:
            self._intake.refuse(bad)
            return []
        told = rule.tell(self, happening)
        if told is None:
            self._intake.ignore(name)
            return []
        self._intake.used[name] += 1
        return told

    # -- callers -------------------------------------------------------------------------------

    def joined(self, what: Happening) -> list[Event]:
        """A caller began to wait."""
        told = self._decide(what.call, goes_on=True)
        position = what.message.first("position")
        return told + self._teller.tell("ENTERQUEUE", what.at, "", "", position, call=what.call, queue=what.queue)

    def left(self, what: Happening) -> list[Event]:
        """A caller waits no more: the message comes of an answer, too, before or after that of the answer."""
        known = self.state.memory.calls.get(what.call)
        waits = known is not None and any(visit.state == "waiting" for visit in known.visits)
        if waits and what.call not in self.state.exits:
            position = what.message.first("position")
            remember(self.state.exits, what.call, PendingExit(what.queue, what.at, position))
        return []

    def abandoned(self, what: Happening) -> list[Event]:
        """A caller left; by hanging up, if a request for that came first, else what comes next tells."""
        position, waited = what.message.first("position"), what.message.first("holdtime")
        remember(self.state.exits, what.call, PendingExit(what.queue, what.at, position, waited, abandoned=True))
        return self._decide(what.call, "ABANDON") if what.call in self.state.hung_up else []

    def variable(self, what: Happening) -> list[Event] | None:
        """QUEUESTATUS says how a caller left, or why it was not let in."""
        if what.message.first("variable") != "QUEUESTATUS":
            return None
        self.state.tells_status = True
        status = what.message.first("value")
        if status in BLOCKED_BY_STATUS:
            return self._blocked(what, BLOCKED_BY_STATUS[status])
        return self._decide(what.call, EXIT_BY_STATUS.get(status, ""))

    def dialled(self, what: Happening) -> list[Event] | None:
        """The dialplan sends a call to a queue: the only place that names it, if the call is not let in."""
        if what.message.first("application").lower() != "queue":
            return None
        remember(self.state.dialled, what.call, what.message.first("appdata").partition(",")[0])
        return []

    def asks_to_hang_up(self, what: Happening) -> list[Event]:
        """Somebody hangs up: of a caller who waits it means that it gives up."""
        self.state.tells_hangup = True
        if what.call in self.state.memory.calls:
            remember(self.state.hung_up, what.call, True)  # noqa: FBT003  # it is a set that keeps its order
        return []

    def hung_up(self, what: Happening) -> list[Event] | None:
        """A channel is gone: nothing more will be said of its call."""
        told = self._decide(what.call)
        self.state.hung_up.pop(what.call, None)
        self.state.dialled.pop(what.call, None)
        return told or None

    # -- agents and conversations --------------------------------------------------------------

    def rings(self, what: Happening) -> list[Event]:
        """It begins to ring at a member."""
        self.state.ringing.setdefault(what.call, {})[what.member] = what.queue
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
        agent = what.message.first("agent")
        if not agent or len(agent) > _LONGEST["member"] - len("Agent/") or _CONTROL.search(agent):
            return None
        return self._teller.tell(verb, what.at, member=f"Agent/{agent.removeprefix('Agent/')}")

    # -- the snapshot --------------------------------------------------------------------------

    def queue_listed(self, what: Happening) -> list[Event]:
        """QueueStatus lists a queue."""
        self._begun(what)
        self._teller.memory.spelled(what.queue)
        return []

    def member_listed(self, what: Happening) -> list[Event]:
        """QueueStatus lists a member."""
        self._begun(what).members[what.queue, what.member] = what.message
        return []

    def entry_listed(self, what: Happening) -> list[Event]:
        """QueueStatus lists a caller who waits."""
        self._begun(what).entries[what.queue, what.call] = (what.at, what.message)
        return []

    def listed(self, what: Happening) -> list[Event]:
        """QueueStatus has told all."""
        told, unseen = reconcile(self._teller, self._begun(what), what.at)
        self._snapshot = None
        self.unseen += unseen
        if self.unseen:
            logger.warning(
                "%s: %d contacts left while nobody was connected; what became of them is missing",
                self._teller.identity.source,
                self.unseen,
            )
            self.unseen = 0
        return told

    def _begun(self, what: Happening) -> QueueStatus:
        self._snapshot = self._snapshot or QueueStatus(what.at)
        return self._snapshot

    # -- how a caller left ---------------------------------------------------------------------

    def _decide(self, call: str, verb: str = "", *, goes_on: bool = False) -> list[Event]:
        """Tell how a caller left, if that is still open: as *verb* says, else by what has and has not been said."""
        left = self.state.exits.pop(call, None)
        if left is None:
            return []
        params = (left.position, "", left.waited)
        return self._teller.leave(
            verb or self._exit(left, goes_on=goes_on), left.at, *params, call=call, queue=left.queue
        )

    def _exit(self, left: PendingExit, *, goes_on: bool) -> str:
        if not left.abandoned:
            return "EXITWITHKEY"
        # Asterisk calls a timeout an abandon, too. Who hung up had asked for that, where such requests are told;
        # where QUEUESTATUS is, anything else would have been told by it.
        asked_nothing = self.state.tells_hangup and not self.state.tells_status
        return "EXIT" if goes_on or asked_nothing else "ABANDON"

    def _blocked(self, what: Happening, verb: str) -> list[Event] | None:
        queue = self.state.dialled.get(what.call) or what.message.first("exten")
        # By convention an extension is called as its queue; one that is no queue says nothing.
        if queue.encode().lower().decode() not in self.state.memory.spellings:
            return None
        return self._teller.tell(verb, what.at, call=what.call, queue=queue)


def _fault(rule: EventRule, what: Happening) -> BadLine | None:
    for need in rule.needs:
        if not getattr(what, need):
            return BadLine(what.message.place, f"missing_{need}", f"the event names no {need}")
    for name, longest in _LONGEST.items():
        value = getattr(what, name)
        if len(value) > longest or _CONTROL.search(value):
            detail = f"the {name} is longer than {longest} characters or has control characters"
            return BadLine(what.message.place, "bad_field", detail)
    return None


_CALLER: Final[tuple[NamedParty, ...]] = ("call", "queue")
_OFFER: Final[tuple[NamedParty, ...]] = ("call", "queue", "member")
_MEMBER_OF: Final[tuple[NamedParty, ...]] = ("queue", "member")

_JOINED = EventRule(_CALLER, AmiMapper.joined)
_LEFT = EventRule(_CALLER, AmiMapper.left)
_MEMBERSHIP = EventRule(_MEMBER_OF, AmiMapper.membership)
_CALL: Final[tuple[NamedParty, ...]] = ("call",)

KNOWN_EVENTS: Final[Mapping[str, EventRule]] = {
    "queuecallerjoin": _JOINED,
    "join": _JOINED,  # before Asterisk 12
    "queuecallerleave": _LEFT,
    "leave": _LEFT,
    "queuecallerabandon": EventRule(_CALLER, AmiMapper.abandoned),
    "varset": EventRule(_CALL, AmiMapper.variable),
    "newexten": EventRule(_CALL, AmiMapper.dialled),
    "hanguprequest": EventRule(_CALL, AmiMapper.asks_to_hang_up),
    "hangup": EventRule(_CALL, AmiMapper.hung_up),
    "agentcalled": EventRule(_OFFER, AmiMapper.rings),
    "agentringnoanswer": EventRule(_OFFER, lambda mapper, what: mapper.rang_in_vain(what, "RINGNOANSWER")),
    "agentdump": EventRule(_OFFER, lambda mapper, what: mapper.rang_in_vain(what, "AGENTDUMP")),
    "agentconnect": EventRule(_OFFER, AmiMapper.answered),
    "agentcomplete": EventRule(_MEMBER_OF, AmiMapper.completed),
    "hold": EventRule(_CALL, AmiMapper.held),
    "unhold": EventRule(_CALL, AmiMapper.held),
    "attendedtransfer": EventRule((), AmiMapper.transferred_attended),
    "queuememberadded": _MEMBERSHIP,
    "queuememberstatus": _MEMBERSHIP,
    "queuememberpause": _MEMBERSHIP,
    "queuememberpaused": _MEMBERSHIP,
    "queuememberremoved": EventRule(_MEMBER_OF, AmiMapper.removed),
    "agentlogin": EventRule((), lambda mapper, what: mapper.logged(what, "AGENTLOGIN")),
    "agentcallbacklogin": EventRule((), lambda mapper, what: mapper.logged(what, "AGENTCALLBACKLOGIN")),
    "agentlogoff": EventRule((), lambda mapper, what: mapper.logged(what, "AGENTLOGOFF")),
    "agentcallbacklogoff": EventRule((), lambda mapper, what: mapper.logged(what, "AGENTLOGOFF")),
    "queueparams": EventRule(("queue",), AmiMapper.queue_listed),
    "queuemember": EventRule(_MEMBER_OF, AmiMapper.member_listed),
    "queueentry": EventRule(_CALLER, AmiMapper.entry_listed),
    "queuestatuscomplete": EventRule((), AmiMapper.listed),
}
"""By name in small letters, which versions of Asterisk spell differently."""
