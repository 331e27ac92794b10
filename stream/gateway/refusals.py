"""What a sender is told of a request that was not accepted, and of each event at fault. Never with a value from it."""

from msgspec import Struct

__all__ = ["EventRefusal", "RequestRefused"]


class EventRefusal(Struct, frozen=True, omit_defaults=True):
    """Why an event was not accepted."""

    index: int
    """Its place in the batch, from 0."""
    reason: str
    """A stable code: those of dead letters, and `out_of_scope`."""
    detail: str
    field: str | None = None
    """Path of the field at fault."""


class RequestRefused(Exception):
    """A request of which nothing was accepted: status, a stable code, a sentence, and what is wrong with each event."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        retry_after: float | None = None,
        refused: tuple[EventRefusal, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after
        """Seconds after which it may be sent again as it is; None: it would be refused again."""
        self.refused = refused
