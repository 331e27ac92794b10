"""Which event of the manager interface tells what: the one table of those that are known.

Pure: it reads no clock. An event that stands in neither table is counted as unknown and set aside.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.sources.asterisk_ami.agent_events import AgentEvents
from stream.sources.asterisk_ami.happening import Happening, NamedParty, fault_of, happening_of
from stream.sources.asterisk_ami.ignored import IGNORED_EVENTS
from stream.sources.asterisk_ami.messages import Message
from stream.sources.asterisk_ami.snapshot import QueueStatus, reconcile
from stream.sources.asterisk_ami.state import PbxState
from stream.sources.asterisk_ami.teller import Teller
from stream.sources.asterisk_queue_log.line import LogIdentity
from stream.sources.intake import MISSED_WHILE_AWAY, Intake
from stream.sources.lines import BadLine

__all__ = ["DECIDED_AFTER", "KNOWN_EVENTS", "AmiMapper"]

logger = logging.getLogger(__name__)

DECIDED_AFTER: Final = 2_000_000
"""Microseconds in which Asterisk says how a caller left a queue, if it says so at all."""


class EventRule(Struct, frozen=True):
    """What an event must name, and what it tells; None where it is about something else."""

    needs: tuple[NamedParty, ...]
    tell: "Callable[[AmiMapper, Happening], list[Event] | None]"


class AmiMapper(AgentEvents):
    """Turns the messages of one PBX into events, and counts what became of each."""

    def __init__(self, identity: LogIdentity, state: PbxState, intake: Intake) -> None:
        super().__init__(state, Teller(identity, state))
        self.unseen = 0
        """Contacts that left while nobody was connected."""
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

    def passed(self, at: int) -> list[Event]:
        """Return what is decided because nothing else was said until *at*, in microseconds of the PBX."""
        due = [call for call, left in self.state.exits.items() if left.at + DECIDED_AFTER <= at]
        return [event for call in due for event in self._decide(call)] if self._connected else []

    def later(self, received: int) -> list[Event]:
        """As `passed`, by the clock of this machine."""
        return self.passed(received + self._skew)

    def lost(self) -> list[Event]:
        """Note that nobody is connected any more; who had just left a queue did so for reasons nobody was told."""
        self._connected, self._snapshot = False, None
        # What the next connection tells depends on the rights of its user by then.
        self.state.tells_status = self.state.tells_hangup = False
        self.state.away_since = self.state.away_since or self.state.heard
        told = list[Event]()
        for call, left in list(self.state.exits.items()):
            del self.state.exits[call]
            self.unseen += 1
            told += self._teller.leave("UNSEEN", left.at, call=call, queue=left.queue)
        return told

    def _told(self, message: Message, at: int) -> list[Event]:
        name = message.name
        if not name:
            self._intake.refuse(BadLine(message.place, "not_an_event", "the message is no event and no response"))
            return []
        rule = KNOWN_EVENTS.get(name.lower())
        if rule is None:
            if name in IGNORED_EVENTS:
                self._intake.ignore(name)
            else:
                self._intake.wonder(name[:80], BadLine(message.place, "unknown_event", "the event is not known"))
            return []
        happening = happening_of(message, at)
        if (bad := fault_of(happening, rule.needs)) is not None:
            self._intake.refuse(bad)
            return []
        told = rule.tell(self, happening)
        if told is None:
            self._intake.ignore(name)
            return []
        self._intake.used[name] += 1
        return told

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
            source = self._teller.identity.source
            logger.warning("%s: %d contacts left while nobody listened; they are missing", source, self.unseen)
            self._intake.read += self.unseen
            self._intake.refused[MISSED_WHILE_AWAY] += self.unseen
            self.unseen = 0
        return told

    def _begun(self, what: Happening) -> QueueStatus:
        self._snapshot = self._snapshot or QueueStatus(what.at)
        return self._snapshot


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
