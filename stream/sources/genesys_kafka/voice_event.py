"""One event of Genesys' Voice Microservices, as its manual describes it: the attributes that figures are made of."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from stream.core.windows import EPOCH

__all__ = ["VoiceEvent", "voice_event"]

_Text = Annotated[str, Meta(min_length=1, max_length=50)] | Annotated[int, Meta(ge=0, le=10**18)] | None
"""Numbers of telephones and agents are texts; some systems write them as numbers."""

_SECONDS: Final = range(1_262_304_000, 4_102_444_800)
"""From 2010 to 2100."""
_MICROS: Final = range(1_000_000)


class VoiceEvent(Struct, frozen=True, kw_only=True, gc=False):
    """What the event tells; empty texts for what it does not tell."""

    name: str
    at: datetime
    thread: str
    """The call thread: it is the same when a call is handed on."""
    connection: str
    dn: str
    """The telephone or queue that it happened at."""
    queue: str
    """The queue that the call came by; at a queue itself it may be left out."""
    third_queue: str
    agent: str
    call_type: str
    call_state: str
    work_mode: str

    @property
    def at_queue(self) -> bool:
        """Whether it happened at a queue, and not at the telephone of an agent."""
        return self.queue in {"", self.dn}

    @property
    def own_queue(self) -> str:
        """The queue that it is about, when it happened at one."""
        return self.queue or self.dn

    @property
    def id(self) -> str:
        """What identifies it: an event that is written a second time has the same."""
        return f"{self.thread or self.agent}/{self.name}/{self.connection}/{self.dn}/{self.at.isoformat()}"


class _Attributes(Struct):
    id: Annotated[str, Meta(min_length=1, max_length=40)]
    time: Any = None
    CallThreadID: _Text = None
    ConnID: _Text = None
    ThisDN: _Text = None
    ThisQueue: _Text = None
    ThirdPartyQueue: _Text = None
    AgentID: _Text = None
    CallType: _Text = None
    CallState: _Text = None
    AgentWorkMode: _Text = None


_DECODER: Final = msgspec.json.Decoder(_Attributes)


def voice_event(value: bytes, written_at: datetime) -> VoiceEvent:
    """Read an event that was written to Kafka at an instant; raises msgspec's errors, or RecursionError."""
    told = _DECODER.decode(value)
    return VoiceEvent(
        name=told.id,
        at=_instant(told.time) or written_at,
        thread=_text(told.CallThreadID),
        connection=_text(told.ConnID),
        dn=_text(told.ThisDN),
        queue=_text(told.ThisQueue),
        third_queue=_text(told.ThirdPartyQueue),
        agent=_text(told.AgentID),
        call_type=_word(told.CallType, "calltype"),
        call_state=_word(told.CallState, "callstate"),
        work_mode=_word(told.AgentWorkMode, "agent"),
    )


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _word(value: str | int | None, prefix: str) -> str:
    """Return the name of a value in small letters, with or without the name of its type before it."""
    return _text(value).lower().replace("_", "").removeprefix(prefix)


def _instant(time: object) -> datetime | None:
    """
    Return the instant of a structure of seconds and microseconds since 1970; None if it is none.

    The manual says what is in it, and not what the two are called: they are told apart by their size.
    """
    numbers = list(time.values()) if isinstance(time, dict) else [time]
    seconds, micros = _those_in(_SECONDS, numbers), _those_in(_MICROS, numbers)
    if len(seconds) != 1 or len(micros) > 1:
        return None
    return EPOCH + timedelta(seconds=seconds[0], microseconds=sum(micros))


def _those_in(numbers: range, found: list[object]) -> list[int]:
    return [number for number in found if isinstance(number, int) and number in numbers]
