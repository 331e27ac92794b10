"""What cannot go where it should: why, where it came from, and how it stands on the topic of dead letters."""

from hashlib import blake2b
from typing import Final

from msgspec import Struct

from stream.runtime.kafka.topics import DEAD_LETTERS, HEADER_PREFIX
from stream.sdk.producer import EncodedEvent

__all__ = ["GatewayLetter", "letter_about"]

NO_PARTITION: Final = "gateway"
"""Stands where other dead letters name the partition that they were on."""

LONGEST_ERROR: Final = 1000


class GatewayLetter(Struct, frozen=True, kw_only=True):
    """
    Something that is of no use, for the topic of dead letters.

    *key* and *value* stay empty for what is no event of ours: a payload of somebody else's may hold personal data.
    """

    origin: str
    """The topic it was meant for, or the path of the webhook that it came to."""
    offset: str
    """What tells it from others of this origin, such as its place in a payload."""
    reason: str
    """A stable code."""
    error: str
    """A sentence without any of the content."""
    field: str = ""
    key: bytes = b""
    value: bytes = b""
    headers: tuple[tuple[str, bytes], ...] = ()

    def encoded(self) -> EncodedEvent:
        """Return it as it goes to the topic."""
        said = {
            "reason": self.reason,
            "field": self.field,
            "error": self.error[:LONGEST_ERROR],
            "topic": self.origin,
            "partition": NO_PARTITION,
            "offset": self.offset,
        }
        headers = (*self.headers, *((HEADER_PREFIX + name, text.encode()) for name, text in said.items()))
        return EncodedEvent(DEAD_LETTERS, self.key, self.value, headers)


def letter_about(event: EncodedEvent, reason: str, error: str) -> GatewayLetter:
    """Return a letter with an event that its topic will not take, whole: it is nowhere else."""
    return GatewayLetter(
        origin=event.topic,
        # Sent twice, it has the same place twice: whoever asks for it by its place gets the same bytes.
        offset=blake2b(event.value, digest_size=8).hexdigest(),
        reason=reason,
        error=error,
        key=event.key,
        value=event.value,
        headers=event.headers,
    )
