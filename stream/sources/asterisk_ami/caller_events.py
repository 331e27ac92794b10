"""What is told of callers: into the queue, and out of it without an answer.

Asterisk says in several messages how a caller left, and calls timeouts and empty queues an abandon, too: an exit is
open until one of them has decided it.
"""

from collections.abc import Mapping
from typing import Final

from stream.core.cloudevents import Event
from stream.sources.asterisk_ami.happening import Happening
from stream.sources.asterisk_ami.state import PbxState, PendingExit, remember
from stream.sources.asterisk_ami.teller import Teller

__all__ = ["BLOCKED_BY_STATUS", "EXIT_BY_STATUS", "CallerEvents"]

EXIT_BY_STATUS: Final[Mapping[str, str]] = {
    "TIMEOUT": "EXITWITHTIMEOUT",
    "LEAVEEMPTY": "EXITEMPTY",
    "LEAVEUNAVAIL": "EXITEMPTY",
    "WITHDRAW": "WITHDRAW",
    "CONTINUE": "EXITWITHKEY",
    "ABANDON": "ABANDON",
}
BLOCKED_BY_STATUS: Final[Mapping[str, str]] = {"FULL": "FULL", "JOINEMPTY": "JOINEMPTY", "JOINUNAVAIL": "JOINEMPTY"}


class CallerEvents:
    """Events of callers of one PBX."""

    def __init__(self, state: PbxState, teller: Teller) -> None:
        self.state = state
        self._teller = teller

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
