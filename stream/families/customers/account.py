"""
What the account of a customer counts for: being there, what is paid in a month, and what was bought.

All of it follows from the set of entries. Whoever joins while being there already changes nothing by it. Of whom nobody
tells that they joined, they are customers by what they buy.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from stream.families.customers.history import AccountEntry, AccountKind, Told, kind_of
from stream.families.customers.matters import JOURNEY_MS, OF_MEMBERS, CustomerFact, NextDay

__all__ = ["BUYS", "NO_STANDING", "TERMS", "Standing", "account_facts", "has_joined", "purchase_facts", "standing_of"]

_JOINED: Final = ("joined",)
_LEFT: Final = ("left",)
_LOST: Final = ("lost",)
_GAINED: Final = ("gained",)
_NEW: Final = ("first_joined",)
_NEW_REFERRED: Final = ("first_joined", "referred")
_CAME: Final = ("joined", "gained", "first_joined")
_CAME_REFERRED: Final = (*_CAME, "referred")
_MONTHLY_CAME: Final = ("monthly_change", "monthly_gained")
_MONTHLY_CHANGE: Final = ("monthly_change",)
_MONTHLY_LOST: Final = ("monthly_lost",)
_MONTHLY_GAINED: Final = ("monthly_gained",)
_PURCHASE: Final = ("purchases",)
_REVENUE: Final = ("revenue",)
_JOURNEY: Final = ("journeys",)
_OTHER_CURRENCY: Final = ("other_currency",)


BUYS: Final = frozenset({AccountKind.BOUGHT, AccountKind.PURCHASED})

TERMS: Final = frozenset({AccountKind.JOINED, AccountKind.CHANGED})
"""Entries that may tell more: see `Told`."""


class Standing(NamedTuple):
    """How a customer stands now."""

    present: int
    """1 while being a customer, else 0."""
    monthly: int
    """What is paid in a month, in hundredths; 0 of who is no customer."""
    revenue: int
    """What was paid so far, in hundredths; 0 of who is no customer."""


NO_STANDING: Final = Standing(0, 0, 0)


def account_facts(account: Sequence[AccountEntry], next_day: NextDay) -> list[CustomerFact]:
    """Return what the entries count for; *next_day* is that of the customer."""
    changes = _changes(account)
    if len(changes) == 1 and changes[0][1] > 0:
        return _joining_facts(account, *changes[0]) + _paid_facts(account, next_day)
    present = sum([turn for _, turn, _ in changes])
    monthly = sum([change for _, _, change in changes])
    facts: list[CustomerFact] = []
    for at_ms, turn, change in changes:
        if turn:
            facts.append((OF_MEMBERS, at_ms, _JOINED if turn > 0 else _LEFT, 1))
            if present:
                facts.append((OF_MEMBERS, at_ms, _GAINED, turn))
                facts.append((OF_MEMBERS, at_ms, _MONTHLY_GAINED, turn * monthly))
            else:
                facts.append((OF_MEMBERS, at_ms, _LOST, -turn))
        if change:
            facts.append((OF_MEMBERS, at_ms, _MONTHLY_CHANGE, change))
            if not present:
                facts.append((OF_MEMBERS, at_ms, _MONTHLY_LOST, -change))
    if changes:
        facts.append((OF_MEMBERS, changes[0][0], _NEW_REFERRED if _is_referred(account) else _NEW, 1))
    return facts + _paid_facts(account, next_day)


def _joining_facts(account: Sequence[AccountEntry], at_ms: int, turn: int, monthly: int) -> list[CustomerFact]:
    """Return what somebody counts for who came and is there since, paying the same: most customers."""
    facts: list[CustomerFact] = [(OF_MEMBERS, at_ms, _CAME_REFERRED if _is_referred(account) else _CAME, turn)]
    if monthly:
        facts.append((OF_MEMBERS, at_ms, _MONTHLY_CAME, monthly))
    return facts


def _is_referred(account: Iterable[AccountEntry]) -> bool:
    return bool([1 for when, _, _ in account if when & Told.REFERRED and kind_of(when) == AccountKind.JOINED])


def _paid_facts(account: Iterable[AccountEntry], next_day: NextDay) -> list[CustomerFact]:
    facts: list[CustomerFact] = []
    for when, _, amount in account:
        kind = when >> 4 & 0xF
        if kind == AccountKind.PURCHASED:
            facts += purchase_facts(when >> 8, amount, next_day)
        elif kind == AccountKind.REFUNDED:
            facts.append((OF_MEMBERS, when >> 8, _REVENUE, -amount))
        elif kind == AccountKind.OTHER_CURRENCY:
            facts.append((OF_MEMBERS, when >> 8, _OTHER_CURRENCY, 1))
    return facts


def purchase_facts(at_ms: int, amount: int, next_day: NextDay) -> tuple[CustomerFact, ...]:
    """Return what one purchase counts for, but for the contacts before and after it."""
    return (
        (OF_MEMBERS, at_ms, _PURCHASE, 1),
        (OF_MEMBERS, at_ms, _REVENUE, amount),
        (OF_MEMBERS, next_day(at_ms + JOURNEY_MS), _JOURNEY, 1),
    )


def _changes(account: Sequence[AccountEntry]) -> list[tuple[int, int, int]]:
    """
    Return the instants at which the customer came, went, or began to pay something else, in their order.

    With each, 1 for coming, -1 for going or 0, and how much more is paid in a month.
    """
    joined = has_joined(account)
    present, told, paid = False, 0, 0
    changes: list[tuple[int, int, int]] = []
    for when, _, amount in account:
        kind, was = when >> 4 & 0xF, present
        if kind == AccountKind.LEFT:
            present = False
        elif kind == AccountKind.JOINED or (kind in BUYS and not joined):
            present = True
        elif kind != AccountKind.CHANGED:
            continue
        if kind in TERMS and when & Told.MONTHLY:
            told = amount
        pays = told if present else 0
        if present != was or pays != paid:
            changes.append((when >> 8, present - was, pays - paid))
            paid = pays
    return changes


def has_joined(account: Iterable[AccountEntry]) -> bool:
    """Tell whether somebody has told that the customer joined: then purchases make no customer."""
    return AccountKind.JOINED in [when >> 4 & 0xF for when, _, _ in account]


def standing_of(account: Sequence[AccountEntry], paid_before: int) -> Standing:  # a turn for each kind
    """Return how a customer stands; *paid_before* is the revenue of what is forgotten."""
    if not account:
        return NO_STANDING
    joined = has_joined(account)
    present, monthly = False, 0
    for when, _, amount in account:
        kind = when >> 4 & 0xF
        if kind == AccountKind.LEFT:
            present = False
        elif kind == AccountKind.JOINED or (kind in BUYS and not joined):
            present = True
        if kind in TERMS and when & Told.MONTHLY:
            monthly = amount
    return Standing(1, monthly, paid_before + _paid_in(account)) if present else NO_STANDING


def _paid_in(account: Sequence[AccountEntry]) -> int:
    return sum([_PAYS.get(when >> 4 & 0xF, 0) * amount for when, _, amount in account])


_PAYS: Final = {AccountKind.PURCHASED: 1, AccountKind.PAID_BEFORE: 1, AccountKind.REFUNDED: -1}
