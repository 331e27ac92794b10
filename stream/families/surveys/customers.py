"""Which customers were asked too often: their invitations, by a digest of the customer and never by a name.

Knows a customer in one queue only: records of another queue are on another partition.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from msgspec import Struct

from stream.core.windows import EPOCH

__all__ = ["NEW_CUSTOMER", "CustomerRow", "InvitationOfCustomer", "JudgedInvitations", "digest_of", "with_invitation"]

_MS = timedelta(milliseconds=1)


def digest_of(tenant: str, name: str) -> int:
    """
    Return 64 bits in which nobody reads a name; the same name of two tenants is two customers.

    Whoever has a list of all names can still try each: ids should be opaque by themselves.
    """
    return int.from_bytes(blake2b(f"{len(tenant)}:{tenant}{name}".encode(), digest_size=8).digest(), "big")


class InvitationOfCustomer(NamedTuple):
    """One invitation: when, to which survey (a digest), of which channel, and whether it was one too many."""

    at_ms: int
    """Since 1970."""
    survey: int
    channel: str
    too_often: bool

    @property
    def at(self) -> datetime:
        """The instant."""
        return EPOCH + self.at_ms * _MS


class CustomerRow(Struct, frozen=True, array_like=True, gc=False):
    """The invitations of one customer, by time."""

    applied_offset: int = -1
    invitations: tuple[InvitationOfCustomer, ...] = ()

    @property
    def newest_day(self) -> int:
        """The day of the newest invitation."""
        return self.invitations[-1].at.astimezone(UTC).toordinal() if self.invitations else 0


NEW_CUSTOMER = CustomerRow()


class JudgedInvitations(NamedTuple):
    """What one more invitation makes of those of a customer."""

    invitations: tuple[InvitationOfCustomer, ...]
    added: tuple[InvitationOfCustomer, ...]
    """Those that are now one too many."""
    removed: tuple[InvitationOfCustomer, ...]
    """Those that were, and are not any more."""


def with_invitation(  # as many as there are limits
    row: CustomerRow, at: datetime, survey: int, channel: str, *, kept_from: datetime, most: int, within: timedelta
) -> JudgedInvitations | None:
    """
    Return the invitations of a customer with one more, each judged anew; None if it is known, or too old to be kept.

    Too often is an invitation before which there were already *most* of them *within* a length of time.
    """
    at_ms, first = (at - EPOCH) // _MS, (kept_from - EPOCH) // _MS
    known = {one.survey: one for one in row.invitations}
    if at_ms < first or (survey in known and known[survey].at_ms <= at_ms):
        return None
    known[survey] = InvitationOfCustomer(at_ms, survey, channel, too_often=False)
    told = tuple(_judged(sorted(one for one in known.values() if one.at_ms >= first), most, within // _MS))
    # What is not kept any more is not taken back, either.
    before = {one for one in row.invitations if one.too_often and one.at_ms >= first}
    after = {one for one in told if one.too_often}
    return JudgedInvitations(told, tuple(sorted(after - before)), tuple(sorted(before - after)))


def _judged(invitations: list[InvitationOfCustomer], most: int, within_ms: int) -> Iterator[InvitationOfCustomer]:
    for place, one in enumerate(invitations):
        # The one that many before it is the first that must be longer ago.
        too_often = place >= most and one.at_ms - invitations[place - most].at_ms < within_ms
        yield one._replace(too_often=too_often)
