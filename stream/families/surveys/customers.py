"""Which customers were asked too often: their invitations, by a digest of the customer and never by a name.

Knows a customer in one queue only: records of another queue are on another partition.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from msgspec import Struct

from stream.core.windows import EPOCH
from stream.families.surveys.rules import KEPT_DAYS, MAX_ASKED_WITHIN

__all__ = [
    "CUSTOMERS_KEPT",
    "NEW_CUSTOMER",
    "CustomerRow",
    "InvitationOfCustomer",
    "JudgedInvitations",
    "with_invitation",
]

_MS = timedelta(milliseconds=1)
_DAY_MS = 86_400_000
_FIRST_DAY = EPOCH.toordinal()

CUSTOMERS_KEPT: Final = timedelta(days=KEPT_DAYS) + MAX_ASKED_WITHIN
"""Invitations that may still come late, and those before them that they are judged by."""

_KEPT_MS = CUSTOMERS_KEPT // _MS


class InvitationOfCustomer(Struct, frozen=True, order=True, array_like=True, gc=False):
    """One invitation: when, to which survey, of which channel, and whether it was one too many."""

    at_ms: int
    """Since 1970."""
    survey: str
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
        """The ordinal of the day (UTC) of the newest invitation."""
        return _FIRST_DAY + self.invitations[-1].at_ms // _DAY_MS if self.invitations else 0


NEW_CUSTOMER = CustomerRow()


class JudgedInvitations(Struct, frozen=True, gc=False):
    """What one more invitation makes of those of a customer."""

    invitations: tuple[InvitationOfCustomer, ...]
    added: tuple[InvitationOfCustomer, ...]
    """Those that are now one too many."""
    removed: tuple[InvitationOfCustomer, ...]
    """Those that were, and are not any more."""


def with_invitation(  # as many as there are limits
    row: CustomerRow, at: datetime, survey: str, channel: str, *, newest: datetime, most: int, within: timedelta
) -> JudgedInvitations | None:
    """
    Return the invitations of a customer with one more, each judged anew; None if it is known, or too old to be kept.

    Too often is an invitation before which there were already *most* of them *within* a length of time. *newest* is the
    time of the newest event: by that invitations are forgotten.
    """
    at_ms, known = _ms(at), row.invitations
    one = InvitationOfCustomer(at_ms, survey, channel, False)  # noqa: FBT003  # in the order of a row
    if not known and at >= newest:
        return JudgedInvitations((one,), (), ())
    first = max(at_ms, _ms(newest)) - _KEPT_MS
    told = [other.at_ms for other in known if other.survey == survey]
    if at_ms < first or (told and told[0] <= at_ms):
        return None
    if told or (known and (known[-1].at_ms >= at_ms or known[0].at_ms < first)):
        return _inserted(known, one, first, most, within)
    # It is the newest, as nearly always: it changes nothing about the others.
    if len(known) >= most and at_ms - known[-most].at_ms < _length_ms(within):
        one = InvitationOfCustomer(at_ms, survey, channel, True)  # noqa: FBT003  # as above
        return JudgedInvitations((*known, one), (one,), ())
    return JudgedInvitations((*known, one), (), ())


def _inserted(
    known: tuple[InvitationOfCustomer, ...], one: InvitationOfCustomer, first: int, most: int, within: timedelta
) -> JudgedInvitations:
    others = [other for other in known if other.survey != one.survey and other.at_ms >= first]
    told = tuple(_judged(sorted([*others, one]), most, _length_ms(within)))
    # What is not kept any more is not taken back, either.
    before = {other for other in known if other.too_often and other.at_ms >= first}
    after = {other for other in told if other.too_often}
    return JudgedInvitations(told, tuple(sorted(after - before)), tuple(sorted(before - after)))


def _judged(invitations: list[InvitationOfCustomer], most: int, within_ms: int) -> Iterator[InvitationOfCustomer]:
    for place, one in enumerate(invitations):
        # The one that many before it is the first that must be longer ago.
        too_often = place >= most and one.at_ms - invitations[place - most].at_ms < within_ms
        yield InvitationOfCustomer(one.at_ms, one.survey, one.channel, too_often)


def _ms(at: datetime) -> int:
    """Return milliseconds since 1970."""
    since = at - EPOCH  # a third of the price of dividing timedeltas
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


@lru_cache
def _length_ms(length: timedelta) -> int:
    return length // _MS
