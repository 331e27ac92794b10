"""
What one more event changes about a customer: the history, and what that counts for.

What is forgotten of a history stays counted. So what an event changes is told by what is kept: the difference between
what that counts for without the event and with it.
"""

from bisect import insort
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from stream.families.customers.account import BUYS, TERMS, account_facts, has_joined, purchase_facts
from stream.families.customers.difference import difference_of
from stream.families.customers.history import (
    KEPT_MS,
    MOST_KEPT,
    AccountEntry,
    AccountKind,
    CustomerPlace,
    History,
    Told,
    Touch,
    Touchpoint,
    entry_of,
    kind_of,
)
from stream.families.customers.matters import (
    OF_MEMBERS,
    Contact,
    CustomerFact,
    NextDay,
    asked_facts,
    came_facts,
    contacts_in,
    journey_facts,
    matter_facts,
    matter_of,
)
from stream.families.customers.newest import newest_facts
from stream.families.customers.room import DROPPED, make_room

__all__ = ["Change", "enter", "facts_of_members", "last_telling", "touch"]


class Change(Struct, gc=False):
    """What changed in the figures; the history itself was changed in place."""

    gone: list[CustomerFact] = []
    """What it counted for, and does not any more."""
    new: list[CustomerFact] = []
    """What it counts for from now on."""


def touch(
    history: History, touchpoint: Touchpoint, places: Sequence[CustomerPlace], days: Sequence[NextDay]
) -> Change | None:
    """
    Add a touchpoint to a history, and return what that changes; None where it is known.

    *days* are those of the places, in their order, and at last those of the customer.
    """
    touchpoints = history.touchpoints
    newest = not touchpoints or touchpoint > touchpoints[-1]
    if not newest and touchpoint in touchpoints:
        return None
    if not newest and _lacks_some(touchpoints):
        return Change(new=[(OF_MEMBERS, touchpoint[0] >> 16, DROPPED, 1)])
    horizon_ms = (touchpoint[0] >> 16) - KEPT_MS
    is_full = touchpoints and (len(touchpoints) >= MOST_KEPT or touchpoints[0][0] >> 16 < horizon_ms)
    dropped = make_room(touchpoints, touchpoint, places) if is_full else []
    if touchpoint[0] >> 8 & 0xFF == Touch.ASKED:
        asked = [one for one in touchpoints if one[0] >> 8 & 0xFF == Touch.ASKED]
        was = asked_facts(asked, places)
        insort(asked, touchpoint)
        insort(touchpoints, touchpoint)
        gone, new = difference_of(was, asked_facts(asked, places))
    else:
        gone, new = _come(history, touchpoint, places, days, newest=newest)
    return Change(gone, [*dropped, *new] if dropped else new)


def _lacks_some(touchpoints: Sequence[Touchpoint]) -> bool:
    """Tell whether there were too many: what comes late then may have been counted, and forgotten."""
    return len(touchpoints) >= MOST_KEPT or Touch.FORGOTTEN in [when >> 8 & 0xFF for when, _ in touchpoints]


def _come(
    history: History,
    touchpoint: Touchpoint,
    places: Sequence[CustomerPlace],
    days: Sequence[NextDay],
    *,
    newest: bool,
) -> tuple[list[CustomerFact], list[CustomerFact]]:
    """Add a touchpoint of a contact, and return what that takes back and what it adds."""
    touchpoints, account = history.touchpoints, history.account
    if newest:
        found = newest_facts(touchpoints, touchpoint, account, places, days)
        if found is not None:
            touchpoints.append(touchpoint)
            return found
    before = contacts_in(touchpoints, places)
    insort(touchpoints, touchpoint)
    after = contacts_in(touchpoints, places)
    reference = touchpoint[1]
    told = [contacts[reference] for contacts in (before, after) if reference in contacts]
    # Only contacts of its matter may count otherwise, and of the matter that it seemed to be of.
    matters = {matter_of(contact, places) for contact in told}
    gone, new = _of_matters(before, matters, places, days), _of_matters(after, matters, places, days)
    if account:
        # Of what was bought before and after it, only this one contact counts otherwise.
        for facts, contacts in ((gone, before), (new, after)):
            one = [contacts[reference]] if reference in contacts else []
            facts.extend(came_facts(one, places))
            facts.extend(journey_facts(one, places, account, days[OF_MEMBERS]))
    return difference_of(gone, new)


def _of_matters(
    contacts: dict[int, Contact], matters: set[str], places: Sequence[CustomerPlace], days: Sequence[NextDay]
) -> list[CustomerFact]:
    if len(places) == 1 and matters:
        return matter_facts([*contacts.values()], places, days)
    facts: list[CustomerFact] = []
    for matter in matters:
        facts += matter_facts([one for one in contacts.values() if matter_of(one, places) == matter], places, days)
    return facts


def enter(
    history: History, entries: Sequence[AccountEntry], places: Sequence[CustomerPlace], days: Sequence[NextDay]
) -> Change | None:
    """Add entries to the account of a history, and return what that changes; None where all of them are known."""
    newest = max([entry[0] >> 8 for entry in entries])
    if len(history.account) >= MOST_KEPT:
        known = [*history.account]
        if True not in [_add_entry(known, entry) for entry in entries]:
            return None
        if _is_dropped(entries[0], history.account):
            return Change(new=[(OF_MEMBERS, newest, DROPPED, 1)])
    dropped = _close_old(history, newest)
    account, own = history.account, days[OF_MEMBERS]
    buys = AccountKind.PURCHASED in [kind_of(when) for when, _, _ in (*account, *entries)]
    is_first = not account
    reads = history.touchpoints and (buys or is_first)
    contacts = [*contacts_in(history.touchpoints, places).values()] if reads else []
    if _only_buys(account, entries):
        when, _, amount = entries[0]
        insort(account, entries[0])
        new = [*dropped, *purchase_facts(when >> 8, amount, own), *journey_facts(contacts, places, entries[:1], own)]
        return Change(new=new)
    gone = [*account_facts(account, own), *journey_facts(contacts, places, account, own)] if account else []
    added = [_add_entry(account, entry) for entry in entries]
    if True not in added:
        return None
    new = [*account_facts(account, own), *journey_facts(contacts, places, account, own)]
    gone, new = difference_of(gone, new)
    # From now on the contacts are those of a customer.
    return Change(gone, [*dropped, *new, *(came_facts(contacts, places) if is_first else ())])


def _only_buys(account: Sequence[AccountEntry], entries: Sequence[AccountEntry]) -> bool:
    """Tell whether entries are just one more purchase of a customer: nothing else counts otherwise by it."""
    bought = entries[0]
    if kind_of(bought[0]) != AccountKind.PURCHASED or len(entries) > 1:
        return False
    is_customer, may_have_left = has_joined(account), False
    for when, reference, _ in account:
        kind = when >> 4 & 0xF
        if reference == bought[1]:
            return False
        if kind in BUYS and when <= bought[0]:
            is_customer = True
        may_have_left = may_have_left or kind == AccountKind.LEFT
    return is_customer and (not may_have_left or has_joined(account))


_ONCE: Final = frozenset({AccountKind.PURCHASED, AccountKind.OTHER_CURRENCY})
"""Told several times, such as of one order: the first stands."""

_LATEST: Final = frozenset({AccountKind.PAID_BEFORE})
"""Of these the last stands."""


def _add_entry(account: list[AccountEntry], entry: AccountEntry) -> bool:
    """Add one entry; False if nothing is new by it."""
    kind = kind_of(entry[0])
    if entry in account:
        return False
    if kind in _ONCE or kind in _LATEST:
        for known in account:
            if kind_of(known[0]) == kind and (known[1] == entry[1] or kind in _LATEST):
                if (known < entry) == (kind in _ONCE):
                    return False
                account.remove(known)
                break
    insort(account, entry)
    return True


_TURNS: Final = frozenset({AccountKind.JOINED, AccountKind.LEFT})
_PAID: Final = {AccountKind.PURCHASED: 1, AccountKind.REFUNDED: -1}


def _close_old(history: History, newest_ms: int) -> list[CustomerFact]:
    """Forget the entries that no window reaches, and what is too much; but not how the customer stood, and has paid."""
    account, horizon = history.account, max(newest_ms, history.newest_ms()) - KEPT_MS
    if account and account[0][0] >> 8 < horizon:
        old = [entry for entry in account if entry[0] >> 8 < horizon]
        account[: len(old)] = _standing_entries(old, joined=has_joined(account))
        history.paid_before += sum([_PAID.get(kind_of(entry[0]), 0) * entry[2] for entry in old])
    if len(account) < MOST_KEPT:
        return []
    paid = _next_to_go(account)
    history.paid_before += _PAID.get(kind_of(paid[0]), 0) * paid[2]
    account.remove(paid)
    return [(OF_MEMBERS, newest_ms, DROPPED, 1)]


def _next_to_go(account: Sequence[AccountEntry]) -> AccountEntry:
    """Return the entry that goes where there are too many; never the first, which tells since when one is known."""
    return next((entry for entry in account[1:] if kind_of(entry[0]) in _PAID), account[1])


def _is_dropped(entry: AccountEntry, account: Sequence[AccountEntry]) -> bool:
    """Tell whether an entry would be the next to go, or is told again and has gone already."""
    next_to_go = _next_to_go(account)
    return entry < next_to_go and (kind_of(entry[0]) in _PAID or kind_of(next_to_go[0]) not in _PAID)


def _standing_entries(old: Sequence[AccountEntry], *, joined: bool) -> list[AccountEntry]:
    """Return those of old entries that tell how the customer stood at last, and when it began."""
    turns = [entry for entry in old if kind_of(entry[0]) in _TURNS]
    if not joined:
        bought = [entry_of(when >> 8, AccountKind.BOUGHT) for when, _, _ in old if kind_of(when) in BUYS]
        turns = sorted([*turns, *bought])
    came = [entry for entry in turns if kind_of(entry[0]) != AccountKind.LEFT]
    paid_before = [entry for entry in old if kind_of(entry[0]) == AccountKind.PAID_BEFORE]
    referred = [entry for entry in old if kind_of(entry[0]) == AccountKind.JOINED and entry[0] & Told.REFERRED]
    last = [last_telling(old, what) for what in (Told.PLAN, Told.GROUP, Told.MONTHLY)]
    kept = {*came[:1], *turns[-1:], *paid_before, *referred[:1], *[entry for entry in last if entry is not None]}
    # Something stays in any case, by which it is known that this is, or was, a customer.
    return sorted(kept) or [entry_of(old[-1][0] >> 8, AccountKind.CHANGED)]


def last_telling(account: Sequence[AccountEntry], what: int) -> AccountEntry | None:
    """Return the last entry that tells one of `Told`; None if none does."""
    for entry in reversed(account):
        if entry[0] & what and kind_of(entry[0]) in TERMS:
            return entry
    return None


def facts_of_members(history: History, places: Sequence[CustomerPlace], days: Sequence[NextDay]) -> list[CustomerFact]:
    """Return what a history counts for in figures of plans and groups."""
    if not history.account:
        return []
    contacts = [*contacts_in(history.touchpoints, places).values()]
    facts = account_facts(history.account, days[OF_MEMBERS]) + came_facts(contacts, places)
    return facts + journey_facts(contacts, places, history.account, days[OF_MEMBERS])
