"""Systems that are listened to live, by script: each says the same calls, in its own protocol."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from stream.sources.asterisk_ami.source import AmiPuller
from stream.sources.asterisk_ami.source import Options as AmiOptions
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import Listener
from tests.sources.freeswitch.switch import Session, StoryWriter, framed, options_of, puller, switch
from tests.sources.manager_messages import WELCOME, messages_of, serving

__all__ = ["LIVE", "LiveSystem"]

Speaking = Callable[[Path, Intake, tuple[bytes, ...]], AbstractAsyncContextManager[Listener]]


class LiveSystem(Struct, frozen=True):
    """A system that says things once; a session is what it says on one connection, of which the last stays open."""

    call: Callable[[int], bytes]
    """A caller comes to a queue, and gives up some seconds later."""
    noise: bytes
    """What is of no use: garbage, what is known and left out, and what nobody knows."""
    counted: tuple[int, int, int]
    """How much of that is refused, ignored, unknown."""
    speaking: Speaking


def _ami_call(number: int) -> bytes:
    return messages_of(f"""
        {number} QueueCallerJoin Uniqueid=c{number} Queue=q1 Position=1 Count=1
        {number + 5} HangupRequest Uniqueid=c{number}
        {number + 5} QueueCallerAbandon Uniqueid=c{number} Queue=q1 Position=1 OriginalPosition=1 HoldTime=5
        {number + 5} QueueCallerLeave Uniqueid=c{number} Queue=q1 Position=1
        """)


@asynccontextmanager
async def _ami(folder: Path, intake: Intake, sessions: tuple[bytes, ...]) -> AsyncIterator[Listener]:
    async with serving(*(WELCOME + said for said in sessions)) as pbx:
        file = pbx.write_file(folder)
        yield AmiPuller(AmiOptions(file=file), intake, clock=pbx.clock, pauses=lambda: BackOff(first=0.01))


_switch = StoryWriter()


def _esl_call(number: int) -> bytes:
    told = {"queue": "sales", "member": f"c{number}"}
    return _switch.say("member-queue-start", number, **told) + _switch.say(
        "member-queue-end", number + 5, **told, cause="Cancel", reason="BREAK_OUT"
    )


@asynccontextmanager
async def _esl(folder: Path, intake: Intake, sessions: tuple[bytes, ...]) -> AsyncIterator[Listener]:
    *lost, last = sessions
    async with switch(*(Session(said=said) for said in lost), Session(said=last, stays=True)) as port:
        yield puller(options_of(port, folder), intake)


LIVE: Final = {
    "asterisk-ami": LiveSystem(
        _ami_call,
        b"+38640000001 rang\r\n\r\n" + messages_of("1 Rumour Uniqueid=c1\n 1 Newexten Uniqueid=c1"),
        (1, 1, 1),
        _ami,
    ),
    "freeswitch": LiveSystem(
        _esl_call,
        framed(b"{+38640000001", "text/event-json")
        + _switch.say("rumour", 1, queue="sales")
        + _switch.event("HEARTBEAT", 1, {}),
        (1, 1, 1),
        _esl,
    ),
}
"""By the name in the registry."""
