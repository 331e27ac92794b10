"""
What the account of a customer counts for: being there, what is paid in a month, and what was bought.

All of it follows from the set of entries. Whoever joins while being there already changes nothing by it.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from stream.families.customers.history import AccountEntry, AccountKind
from stream.families.customers.matters import OF_MEMBERS, Fact

__all__ = ["NO_STANDING", "Standing", "account_facts", "standing_of"]

_TRANSITIONS: Final = frozenset({AccountKind.JOINED, AccountKind.BOUGHT_FIRST, AccountKind.LEFT})


class Standing(NamedTuple):
    """How a customer stands now."""

    present: int
    """1 while being a customer, else 0."""
    monthly: int
    """What is paid in a month, in hundredths; 0 of who is no customer."""
    revenue: int
    """What was paid so far, in hundredths; 0 of who is no customer."""


NO_STANDING: Final = Standing(0, 0, 0)


class _Change(NamedTuple):
    """An instant at which a customer came, went, or began to pay something else."""

    at_ms: int
    turn: int
    """1: came; -1: went; 0: neither."""
    monthly: int
    """How much more is paid in a month."""


def account_facts(account: Sequence[AccountEntry]) -> Iterator[Fact]:
    """Yield what the entries count for."""
    changes = [*_changes(account)]
    present = sum(change.turn for change in changes)
    monthly = sum(change.monthly for change in changes)
    for at_ms, turn, change in changes:
        if turn:
            yield OF_MEMBERS, at_ms, "joined" if turn > 0 else "left", 1
            if present:
                yield OF_MEMBERS, at_ms, "gained", turn
                yield OF_MEMBERS, at_ms, "monthly_gained", turn * monthly
            else:
                yield OF_MEMBERS, at_ms, "lost", -turn
        if change:
            yield OF_MEMBERS, at_ms, "monthly_change", change
            if not present:
                yield OF_MEMBERS, at_ms, "monthly_lost", -change
    if changes:
        yield OF_MEMBERS, changes[0].at_ms, "first_joined", 1
        if any(when & 0xFF == AccountKind.REFERRED for when, _, _ in account):
            yield OF_MEMBERS, changes[0].at_ms, "referred", 1
    yield from _paid(account)


def _paid(account: Sequence[AccountEntry]) -> Iterator[Fact]:
    for when, _, amount in account:
        kind = when & 0xFF
        if kind == AccountKind.PURCHASED:
            yield OF_MEMBERS, when >> 8, "purchases", 1
            yield OF_MEMBERS, when >> 8, "revenue", amount
        elif kind == AccountKind.REFUNDED:
            yield OF_MEMBERS, when >> 8, "revenue", -amount
        elif kind == AccountKind.OTHER_CURRENCY:
            yield OF_MEMBERS, when >> 8, "other_currency", 1


def _changes(account: Sequence[AccountEntry]) -> Iterator[_Change]:
    """Yield the instants at which anything changed, in their order."""
    joined = any(when & 0xFF == AccountKind.JOINED for when, _, _ in account)
    present, told, paid = False, 0, 0
    pending: _Change | None = None
    for when, _, amount in account:
        kind, at_ms, was = when & 0xFF, when >> 8, present
        if kind == AccountKind.MONTHLY:
            told = amount
        elif kind in _TRANSITIONS:
            # Who is told to have joined is there since then, and not since a purchase.
            if kind != AccountKind.BOUGHT_FIRST or not joined:
                present = kind != AccountKind.LEFT
        else:
            continue
        pays = told if present else 0
        if present != was or pays != paid:
            yield _Change(at_ms, present - was, pays - paid)
            paid = pays


def standing_of(account: Sequence[AccountEntry], paid_before: int) -> Standing:
    """Return how a customer stands; *paid_before* is the revenue of what is forgotten."""
    if not account:
        return NO_STANDING
    changes = [*_changes(account)]
    if not sum(change.turn for change in changes):
        return NO_STANDING
    return Standing(1, sum(change.monthly for change in changes), paid_before + sum(map(_revenue, account)))


_REVENUE: Final = {AccountKind.PURCHASED: 1, AccountKind.REFUNDED: -1, AccountKind.PAID_BEFORE: 1}


def _revenue(entry: AccountEntry) -> int:
    return _REVENUE.get(entry[0] & 0xFF, 0) * entry[2]  # type: ignore[call-overload]  # an IntEnum is an int
