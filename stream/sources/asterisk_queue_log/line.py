"""One line on its way to events: the envelope that all of them share, and lengths in milliseconds.

Numbers and names of callers, and the numbers that calls are transferred to, are never carried into an event.
"""

from datetime import timedelta
from functools import cached_property
from hashlib import blake2b

from msgspec import Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel
from stream.core.windows import EPOCH
from stream.sdk.factory import EnvelopeFields
from stream.sources.asterisk_queue_log.memory import Memory
from stream.sources.asterisk_queue_log.records import ParsedLine

__all__ = ["LogIdentity", "LogLine", "short_hash"]

# Both as in the contract, `Millis` and `Count` in `stream.core.cloudevents`: an event with more would be
# refused.
LONGEST_MILLIS = 31 * 24 * 3_600_000
LAST_POSITION = 1_000_000


def short_hash(text: str) -> str:
    """Return a few letters that stand for a text."""
    # Not Python's `hash`, which differs from run to run: ids must be the same each time the log is read.
    return blake2b(text.encode(), digest_size=4).hexdigest()


class LogIdentity(Struct, frozen=True, kw_only=True, dict=True):
    """Whose log it is: what the log itself does not say."""

    source: str
    """Names the PBX; with the id of an event it identifies the event."""
    tenant: str = DEFAULT_TENANT
    channel: Channel = "voice"

    def contact(self, call: str) -> str:
        """Return the subject of a call's events: two PBXs of a tenant may give two calls the same id."""
        return f"{call}@{self._mark}"

    def envelope(self, event_id: str, micros: int, subject: str) -> EnvelopeFields:
        """Return the attributes of an event that happened *micros* after 1970."""
        return EnvelopeFields(
            id=event_id,
            source=self.source,
            time=EPOCH + timedelta(microseconds=micros),
            subject=subject,
            specversion="1.0",
            tenantid=self.tenant,
        )

    @cached_property
    def _mark(self) -> str:
        return short_hash(self.source)


class LogLine:
    """A line, whose log it is, and what is remembered of the lines before."""

    def __init__(self, record: ParsedLine, line_id: str, identity: LogIdentity, memory: Memory) -> None:
        self._record = record
        self._id = line_id
        self._identity = identity
        self._memory = memory

    @property
    def _member(self) -> str:
        assert self._record.member is not None  # the verb's rule asked for it
        return self._record.member

    @property
    def _queue(self) -> str:
        assert self._record.queue is not None  # the verb's rule asked for it
        return self._record.queue

    def _envelope(self, subject: str, *, part: str = "") -> EnvelopeFields:
        """*part* tells several events of one line apart."""
        return self._identity.envelope(f"{self._id}{part}", self._record.micros, subject)

    def _report(self, agent: str, *, part: str = "") -> EnvelopeFields:
        """As `_envelope`, for a report of an agent, of which the later stands."""
        envelope = self._envelope(agent, part=part)
        envelope["time"] += timedelta(milliseconds=self._place)
        return envelope

    @cached_property
    def _place(self) -> int:
        return self._memory.place_in_second(self._record)

    def _millis(self, index: int, unit: int = 1000) -> int | None:
        """Return a parameter as milliseconds; what is absurd is unknown, and the times of the lines decide."""
        number = self._record.number(index)
        return None if number is None or number * unit > LONGEST_MILLIS else number * unit

    def _micros(self, index: int, unit: int = 1000) -> int | None:
        millis = self._millis(index, unit)
        return None if millis is None else millis * 1000

    def _count(self, index: int) -> int | None:
        """Return a parameter as a position in the queue; what is absurd is unknown."""
        number = self._record.number(index)
        return None if number is None or number > LAST_POSITION else number
