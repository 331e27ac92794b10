"""
What is known of one customer, as bytes: there may be a million, so a history has few objects.

It is two sets kept in order: of touchpoints (contacts, messages, solutions, invitations) and of account entries
(joining, leaving, paying). Neither the order in which events come nor their repetition matters. What follows from them
is told by `stream.families.customers.matters` and `stream.families.customers.account`.
"""

from collections.abc import Sequence
from itertools import starmap
from struct import Struct as Layout
from typing import Final
from zlib import crc32

from msgspec import Struct, msgpack

from stream.core.sharing import shared

__all__ = [
    "ACTIVITIES",
    "DAY_MS",
    "KEPT_MS",
    "LATE_MS",
    "MOST_KEPT",
    "AccountEntry",
    "AccountKind",
    "CustomerPlace",
    "CustomerRow",
    "History",
    "MemberOf",
    "Told",
    "Touch",
    "Touchpoint",
    "account_in",
    "active_on",
    "entry_of",
    "kind_of",
    "reference_of",
    "with_active_on",
    "with_shared_places",
]

DAY_MS: Final = 86_400_000

LATE_MS: Final = 125 * DAY_MS
"""
What happened so long before the newest event of its customer is in no window any more, nor is what it would change.

Weeks are not enough: of a history that is imported, contacts are told by another topic, which may be months behind.
"""

KEPT_MS: Final = 185 * DAY_MS
"""What is so much older than the newest event of its customer is forgotten: what may still come changes it no more."""

MOST_KEPT: Final = 64
"""Touchpoints of one customer, and account entries: a machine that calls all day must not make every event slow."""

ACTIVITIES: Final = ("contact", "purchase", "visit", "answer")
"""How a customer can be active."""

MemberOf = tuple[str, str, str]
"""Tenant, plan and group; the latter two are empty where nobody told."""

Touchpoint = tuple[int, int]
"""
Milliseconds since 1970, `Touch` and number of the place, as one number that rises with time; and a reference.

The place takes 8 bits, the kind another 8. The reference is that of the contact, or of the survey.
"""

AccountEntry = tuple[int, int, int]
"""
Milliseconds since 1970, `AccountKind` and `Told`, as one number that rises with time; a reference, or 0; hundredths.

What was told takes 4 bits, the kind another 4. The reference is that of the order, or of the plan and group told.
"""


class Touch:
    """What happened in a touchpoint: plain numbers, since an enumeration takes its time with every comparison."""

    CAME: Final = 0
    MESSAGE: Final = 1
    SERVED: Final = 2
    HANDED_OVER: Final = 3
    IS_WITH: Final = 4
    """It was told which queue has it."""
    SOLVED: Final = 5
    ASKED: Final = 6
    FORGOTTEN: Final = 7
    """A contact of which nothing else is kept, since there were too many: what comes after it is still a repeat."""


class AccountKind:
    """What an account entry is. Of one instant the lower ones happened first."""

    JOINED: Final = 0
    BOUGHT: Final = 1
    """A purchase that is forgotten, but that somebody became a customer by it."""
    LEFT: Final = 2
    CHANGED: Final = 3
    PURCHASED: Final = 4
    REFUNDED: Final = 5
    PAID_BEFORE: Final = 6
    OTHER_CURRENCY: Final = 7
    """The amount of an order was in another currency than that of the policy."""


class Told:
    """What joining and changing tell beside: so that one entry is enough for all of it."""

    PLAN: Final = 1
    GROUP: Final = 2
    MONTHLY: Final = 4
    """The amount of the entry is what is paid in a month."""
    REFERRED: Final = 8


def entry_of(at_ms: int, kind: int, reference: int = 0, amount: int = 0, *, told: int = 0) -> AccountEntry:
    """Return an account entry; *reference* and *amount* as its kind has them."""
    return at_ms << 8 | kind << 4 | told, reference, amount


def kind_of(when: int) -> int:
    """Return the kind of an account entry, of its first number."""
    return when >> 4 & 0xF


class CustomerPlace(Struct, frozen=True, array_like=True, gc=False):
    """Where a customer came, and the limits of that time: a later policy must not change what is taken back."""

    queue: str
    channel: str
    """Empty where nobody told."""
    matter: str
    look_back_ms: int
    most_asked: int
    asked_within_ms: int
    tells_topic: bool = False
    """Whether the matter is the topic that was told there, and not the queue."""


class CustomerRow(Struct, array_like=True, gc=False):
    """What is known of one customer. Only the fold that owns it changes it."""

    applied_offset: int = -1
    history: bytes = b""
    """Empty: nothing is known; or all of it was erased, and the row waits for that to be durable."""
    places: tuple[CustomerPlace, ...] = ()
    """The places that touchpoints name; rows with the same share one object."""
    membership: MemberOf = ("", "", "")
    """Without a history it says nothing."""


_ACTIVE_ON: Final = Layout(f"<{len(ACTIVITIES)}H")
_HEAD: Final = Layout(f"<{len(ACTIVITIES)}HB")
_TOUCHPOINT: Final = Layout("<QI")
_NEVER_ACTIVE: Final = [0] * len(ACTIVITIES)

# Most numbers of an account are small, and MessagePack writes these short.
_account_of: Final = msgpack.Decoder(tuple[int, list[AccountEntry]]).decode
_account_bytes: Final = msgpack.Encoder().encode


def with_shared_places(row: CustomerRow) -> CustomerRow:
    """Return a row that was read, with its places, plan and group as one object for all customers with the same."""
    row.places, row.membership = shared(row.places), shared(row.membership)
    return row


class History:
    """A history that was read; to be written again by `pack`."""

    __slots__ = ("_newest", "_read", "account", "active_on", "paid_before", "touchpoints")

    def __init__(self, data: bytes = b"") -> None:
        self.touchpoints: list[Touchpoint] = []
        self.account: list[AccountEntry] = []
        self.active_on: list[int]
        """Of each of `ACTIVITIES`, the last local day on which the customer was, since 1970; 0: never."""
        self.paid_before = 0
        """Revenue of purchases that are forgotten, in hundredths."""
        self._read: bytes = b""
        self._newest: Touchpoint | None = None
        """The touchpoints as they were read, and the newest of them."""
        if not data:
            self.active_on = _NEVER_ACTIVE.copy()
            return
        *self.active_on, touched = _HEAD.unpack_from(data)
        end = _HEAD.size + touched * _TOUCHPOINT.size
        if touched:
            self._read = data[_HEAD.size : end]
            self.touchpoints += _TOUCHPOINT.iter_unpack(self._read)
            self._newest = self.touchpoints[-1]
        if len(data) > end:
            self.paid_before, self.account = _account_of(data[end:])

    def pack(self) -> bytes:
        """Return it as bytes."""
        head = _HEAD.pack(*self.active_on, len(self.touchpoints))
        account = _account_bytes((self.paid_before, self.account)) if self.account or self.paid_before else b""
        return head + self._touchpoint_bytes() + account

    def _touchpoint_bytes(self) -> bytes:
        touchpoints = self.touchpoints
        # Most often there is nothing new but the newest; and none goes but for another one.
        if len(self._read) == (len(touchpoints) - 1) * _TOUCHPOINT.size and (
            self._newest is None or self._newest is touchpoints[-2]
        ):
            return self._read + _TOUCHPOINT.pack(*touchpoints[-1])
        return b"".join(starmap(_TOUCHPOINT.pack, touchpoints))

    def newest_ms(self) -> int:
        """Return when the newest of its events happened, but for visits; 0 if there is none."""
        touched = self.touchpoints[-1][0] >> 16 if self.touchpoints else 0
        entered = self.account[-1][0] >> 8 if self.account else 0
        return max(touched, entered)


def account_in(data: bytes) -> tuple[int, Sequence[AccountEntry]]:
    """Return revenue that is forgotten, and the account, of a history as bytes."""
    end = _HEAD.size + data[_HEAD.size - 1] * _TOUCHPOINT.size
    return _account_of(data[end:]) if len(data) > end else (0, ())


def active_on(data: bytes) -> list[int]:
    """Return when a customer was active last, of a history as bytes: see `History.active_on`."""
    return [*_ACTIVE_ON.unpack_from(data)] if data else _NEVER_ACTIVE.copy()


def with_active_on(data: bytes, what: int, day: int) -> bytes:
    """Return a history as bytes with another last day of one of `ACTIVITIES`; all else stays as it is."""
    if not data:
        return _HEAD.pack(*(day if number == what else 0 for number in range(len(ACTIVITIES))), 0)
    return data[: 2 * what] + day.to_bytes(2, "little") + data[2 * what + 2 :]


def reference_of(name: str) -> int:
    """
    Return 32 bits that stand for a contact, survey or order among those of its customer.

    There are never more than a few, and whoever makes two alike on purpose only harms the figures of that one customer.
    """
    return crc32(name.encode())
