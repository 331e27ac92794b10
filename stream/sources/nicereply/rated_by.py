"""What is said of Nicereply's responses in a file: whom they rate, and who rates."""

from collections.abc import Mapping

from stream.core.cloudevents import Channel, Name
from stream.core.identity import opaque_id
from stream.sdk.surveys import AnswerFields
from stream.sources.address_ids import AddressIds

__all__ = ["RatedBy"]


class RatedBy:
    """Turns what a response says of survey, agent and customer into what events may tell of them."""

    def __init__(
        self, queue: Name | None, queues: Mapping[str, Name], channel: Channel | None, addresses: AddressIds
    ) -> None:
        self._queue = queue
        self._queues = queues
        self._channel: Channel | None = channel
        self._addresses = addresses

    def fields(self, survey: object, agent: str | None, customer: str | None, *, comment: bool) -> AnswerFields:
        """Return the fields of an answer; of an address there is an opaque id, or nothing."""
        return {
            "queue": self._queues.get(str(survey), self._queue),
            "channel": self._channel,
            "agent": self._opaque(agent),
            "customer": self._opaque(customer),
            "comment": comment,
        }

    def _opaque(self, text: str | None) -> str | None:
        return self._addresses.of(text) or opaque_id(text)
