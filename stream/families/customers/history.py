"""
What is known of one customer, as bytes: there may be a million, so a history has few objects.

It is two sets kept in order: of touchpoints (contacts, messages, solutions, invitations) and of account entries (joining,
leaving, paying). Neither the order in which events come nor their repetition matters. What follows from them is told by
`stream.families.customers.matters` and `stream.families.customers.account`.
"""

from functools import lru_cache
from hashlib import blake2b
from struct import Struct as Layout
from typing import Final

from msgspec import Struct

__all__ = [
    "ACTIVITIES",
    "DAY_MS",
    "KEPT_MS",
    "LATE_MS",
    "MOST_KEPT",
    "NEW_CUSTOMER",
    "AccountEntry",
    "AccountKind",
    "CustomerRow",
    "History",
    "Membership",
    "Place",
    "Touch",
    "Touchpoint",
    "active_on",
    "reference_of",
    "with_active_on",
]

DAY_MS: Final = 86_400_000

LATE_MS: Final = 30 * DAY_MS
"""An event that is so much older than the newest of its customer comes too late: what it would change is not kept."""

KEPT_MS: Final = 150 * DAY_MS
"""What is so much older than the newest event of its customer is forgotten: nothing that may still come reaches it."""

MOST_KEPT: Final = 64
"""Touchpoints of one customer, and account entries: a machine that calls all day must not make every event slow."""

ACTIVITIES: Final = ("contact", "purchase", "visit", "answer")
"""How a customer can be active."""

Membership = tuple[str, str]
"""Plan and group; empty where nobody told."""

Touchpoint = tuple[int, int]
"""
Milliseconds since 1970, `Touch` and number of the place, as one number that rises with time; reference of the contact or survey.

The place takes 8 bits, the kind another 8.
"""

AccountEntry = tuple[int, int, int]
"""Milliseconds since 1970 and `AccountKind`, as one number; reference of the order, or 0; amount in hundredths."""


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


class AccountKind:
    """What an account entry is. Of one instant the lower ones happened first."""

    JOINED: Final = 0
    BOUGHT: Final = 1
    """A purchase that is forgotten, but that somebody became a customer by it."""
    LEFT: Final = 2
    MONTHLY: Final = 3
    PURCHASED: Final = 4
    REFUNDED: Final = 5
    REFERRED: Final = 6
    PAID_BEFORE: Final = 7
    PLAN: Final = 8
    GROUP: Final = 9
    OTHER_CURRENCY: Final = 10
    """The amount of an order was in another currency than that of the policy."""


class Place(Struct, frozen=True, array_like=True, gc=False):
    """Where a customer came, and the limits of that time: a later policy must not change what is taken back."""

    queue: str
    channel: str
    """Empty where nobody told."""
    matter: str
    look_back_ms: int
    most_asked: int
    asked_within_ms: int


class CustomerRow(Struct, array_like=True, gc=False):
    """What is known of one customer. Only the fold that owns it changes it."""

    applied_offset: int = -1
    history: bytes = b""
    """Empty: nothing is known; or all of it was erased, and the row waits for that to be durable."""
    places: tuple[Place, ...] = ()
    """The places that touchpoints name; rows with the same share one object."""
    membership: Membership = ("", "")


NEW_CUSTOMER: Final = CustomerRow()
"""Of a customer of whom nothing is known; nobody may change it."""

_first_number: Final = Layout("<Q").unpack

_HEAD: Final = Layout(f"<{len(ACTIVITIES)}HHq")
_NEVER_ACTIVE: Final = [0] * len(ACTIVITIES)


@lru_cache(MOST_KEPT * MOST_KEPT)
def _body(touchpoints: int, entries: int) -> Layout:
    return Layout(f"<{2 * touchpoints}Q{'QQq' * entries}")


class History:
    """A history that was read; to be written again by `pack`."""

    __slots__ = ("account", "active_on", "paid_before", "touchpoints")

    def __init__(self, data: bytes = b"") -> None:
        self.touchpoints: list[Touchpoint]
        self.account: list[AccountEntry]
        self.active_on: list[int]
        """Of each of `ACTIVITIES`, the last local day on which the customer was, since 1970; 0: never."""
        self.paid_before: int
        """Revenue of purchases that are forgotten, in hundredths."""
        if not data:
            self.touchpoints, self.account = [], []
            self.active_on, self.paid_before = _NEVER_ACTIVE.copy(), 0
            return
        *self.active_on, count, self.paid_before = _HEAD.unpack_from(data)
        entries = (len(data) - _HEAD.size - 16 * count) // 24
        numbers = _body(count, entries).unpack_from(data, _HEAD.size)
        end = 2 * count
        self.touchpoints = [*zip(numbers[0:end:2], numbers[1:end:2], strict=True)]
        self.account = (
            [*zip(numbers[end::3], numbers[end + 1 :: 3], numbers[end + 2 :: 3], strict=True)] if entries else []
        )

    def pack(self) -> bytes:
        """Return it as bytes."""
        numbers = [number for one in self.touchpoints for number in one]
        for entry in self.account:
            numbers += entry
        count = len(self.touchpoints)
        head = _HEAD.pack(*self.active_on, count, self.paid_before)
        return head + _body(count, len(self.account)).pack(*numbers)

    @property
    def newest_ms(self) -> int:
        """When the newest of its events happened, but for visits; 0 if there is none."""
        touched = self.touchpoints[-1][0] >> 16 if self.touchpoints else 0
        entered = self.account[-1][0] >> 8 if self.account else 0
        return max(touched, entered)


def active_on(data: bytes) -> list[int]:
    """Return when a customer was active last, of a history as bytes: see `History.active_on`."""
    return list(_HEAD.unpack_from(data)[: len(ACTIVITIES)]) if data else _NEVER_ACTIVE.copy()


def with_active_on(data: bytes, what: int, day: int) -> bytes:
    """Return a history as bytes with another last day of one of `ACTIVITIES`; all else stays as it is."""
    if not data:
        return _HEAD.pack(*(day if number == what else 0 for number in range(len(ACTIVITIES))), 0, 0)
    return data[: 2 * what] + day.to_bytes(2, "little") + data[2 * what + 2 :]


def reference_of(name: str) -> int:
    """Return 64 bits that stand for a contact, survey or order among those of its customer."""
    return _first_number(blake2b(name.encode(), digest_size=8).digest())[0]  # type: ignore[no-any-return]
