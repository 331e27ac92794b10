"""
What was told of one cart, as two whole numbers for each instant: when, and all that was told then.

Reports are a set, kept in order of time: neither the order in which they come nor their repetition matters. An order is
the end: nothing later is kept. Knows neither events nor what a cart counts for. There may be a million carts.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, MutableSequence, Sequence
from struct import Struct as Layout
from typing import Final

from stream.families.customers.payloads import hundredths

__all__ = [
    "CHECKED_OUT",
    "GROUP",
    "MOST_INSTANTS",
    "ORDERED",
    "OTHER_CURRENCY",
    "OWN_CURRENCY",
    "PLAN",
    "CartReports",
    "first_checked_out",
    "first_spell_end",
    "last_report",
    "latest_name",
    "name_numbers",
    "renumbered_names",
    "reports_in",
    "value_told",
    "with_report",
    "worth_at",
]

CartReports = Sequence[int]
"""Reports to be read: at even places when, in ms since 1970, and behind each what was told then."""

MOST_INSTANTS: Final = 50
"""
More instants of one cart are not kept: a runaway producer must not fill the memory.

Of more, the oldest in the middle of a spell is merged into the next one. When the cart was created, left, checked out
and ordered stays exact, and so do all values where events come in their order. Only of an event that comes late, among
instants that are merged, a value may be that of a later one. Where there are more than some twenty spells, the second
and third become one.
"""

# What was told at an instant, from the lowest bit: marks, then four fields in which 0 is "nothing was told".

CHECKED_OUT: Final = 1
ORDERED: Final = 2
_JOINED: Final = 4
"""Something that was merged away has happened between this instant and the one before: there is no gap."""
_MARKS: Final = CHECKED_OUT | ORDERED | _JOINED

OWN_CURRENCY: Final = 1 << 4
"""Money is told in the currency of the policy."""
OTHER_CURRENCY: Final = 2 << 4
_CURRENCY: Final = OWN_CURRENCY | OTHER_CURRENCY

_NAME_BITS: Final = 8
_NAME: Final = (1 << _NAME_BITS) - 1
"""Two names for each instant are fewer than that: none is without a number."""
_GROUP_SHIFT: Final = 8
_PLAN_SHIFT: Final = 16
GROUP: Final = _NAME << _GROUP_SHIFT
PLAN: Final = _NAME << _PLAN_SHIFT

_VALUE_SHIFT: Final = 24
_VALUE: Final = (1 << 38) - 1 << _VALUE_SHIFT
"""Room for a hundredth more than any `Amount`, by which a value of 0 is told from none."""

_FIELDS: Final = (_CURRENCY, GROUP, PLAN, _VALUE)

_LAYOUT: Final = Layout("<qq")
_BYTES: Final = _LAYOUT.size
_FULL: Final = MOST_INSTANTS * _BYTES
_LAYOUTS: Final = tuple(Layout(f"<{2 * many}q") for many in range(MOST_INSTANTS + 1))
"""By the number of instants: reading them so takes a third of the time that an array does."""


def value_told(amount: float) -> int:
    """Return that an amount of money was told, in its main unit."""
    return hundredths(amount) + 1 << _VALUE_SHIFT


def last_report(reports: bytes) -> tuple[int, int]:
    """Return when something was last told, in ms since 1970, and what; there must be a report."""
    at_ms, told = _LAYOUT.unpack_from(reports, len(reports) - _BYTES)
    return at_ms, told


def with_report(reports: bytes, at_ms: int, told: int, idle_ms: int) -> bytes:
    """
    Return reports with one more; the very same object where it tells nothing new.

    Of two of one instant the greater value stands, the greater name, and another currency than that of the policy.
    Spells are parted by gaps that are longer than *idle_ms*.
    """
    if reports:
        last_ms, last_told = last_report(reports)
        if at_ms <= last_ms or len(reports) >= _FULL:
            return reports if at_ms > last_ms and last_told & ORDERED else _inserted(reports, at_ms, told, idle_ms)
        if last_told & ORDERED:
            return reports
    # Nearly always it is later than all others.
    return reports + _LAYOUT.pack(at_ms, told)


def _inserted(reports: bytes, at_ms: int, told: int, idle_ms: int) -> bytes:
    numbers = array("q", reports)
    place = bisect_left(numbers[::2], at_ms) * 2
    if place < len(numbers) and numbers[place] == at_ms:
        both = _both(numbers[place + 1], told)
        if both == numbers[place + 1]:
            return reports
        numbers[place + 1] = both
    else:
        # Within what was one spell all is one spell.
        inherited = numbers[place + 1] & _JOINED if place < len(numbers) else 0
        numbers[place:place] = array("q", (at_ms, told | inherited))
    if told & ORDERED:
        del numbers[place + 2 :]
    while len(numbers) > 2 * MOST_INSTANTS:
        _merge_one(numbers, idle_ms)
    return numbers.tobytes()


def _both(one: int, other: int) -> int:
    """Return what two reports of the same instant tell; the same in either order."""
    return (one | other) & _MARKS | sum(max(one & field, other & field) for field in _FIELDS)


def _merge_one(numbers: MutableSequence[int], idle_ms: int) -> None:
    """Merge the oldest middle instant of a spell into the next one; where there is none, make two spells one."""
    checked_out = first_checked_out(numbers)
    # The first and the last instant of a spell stay: they say how long it was, and what a cart was worth at its end.
    for place in range(2, len(numbers) - 2, 2):
        middle = not (_gap_before(numbers, place, idle_ms) or _gap_before(numbers, place + 2, idle_ms))
        if middle and place != checked_out:
            earlier, later = numbers[place + 1], numbers[place + 3]
            untold = sum(field for field in _FIELDS if not later & field)
            numbers[place + 3] = later | earlier & untold | _JOINED
            del numbers[place : place + 2]
            return
    _, third, *_ = (place for place in range(2, len(numbers), 2) if _gap_before(numbers, place, idle_ms))
    numbers[third + 1] |= _JOINED


def _gap_before(numbers: CartReports, place: int, idle_ms: int) -> bool:
    """Tell whether nothing happened for longer than *idle_ms* before the report at a place."""
    return numbers[place] - numbers[place - 2] > idle_ms and not numbers[place + 1] & _JOINED


# Reading.


def reports_in(reports: bytes) -> CartReports:
    """Return reports to be read."""
    return _LAYOUTS[len(reports) // _BYTES].unpack(reports)


def first_spell_end(numbers: CartReports, idle_ms: int) -> int:
    """Return the place of the last report before the first gap, which is longer than *idle_ms*; else of the last."""
    if numbers[-2] - numbers[0] <= idle_ms:
        return len(numbers) - 2
    for place in range(2, len(numbers), 2):
        # `_gap_before`, without a call for each.
        if numbers[place] - numbers[place - 2] > idle_ms and not numbers[place + 1] & _JOINED:
            return place - 2
    return len(numbers) - 2


def first_checked_out(numbers: CartReports) -> int | None:
    """Return the place of the first report of the till; None where there is none."""
    for number, told in enumerate(numbers[1::2]):
        if told & CHECKED_OUT:
            return 2 * number
    return None


def _latest(numbers: CartReports, place: int, field: int) -> int:
    """Return what a field was last told as, up to the report at a *place*; 0 where it never was."""
    for told in numbers[place + 1 :: -2]:
        if told & field:
            return told & field
    return 0


def worth_at(numbers: CartReports, place: int) -> tuple[int, bool]:
    """
    Return what the cart was worth by the report at a *place*, in hundredths, and whether that is in another currency.

    0 where nobody has told, and in another currency, too.
    """
    told = _latest(numbers, place, _VALUE)
    if not told:
        return 0, False
    if _latest(numbers, place, _CURRENCY) == OTHER_CURRENCY:
        return 0, True
    return (told >> _VALUE_SHIFT) - 1, False


def latest_name(reports: bytes, names: tuple[str, ...], field: int) -> str:
    """Return the PLAN or GROUP that was last told of the cart; empty where none was."""
    numbers = reports_in(reports)
    told = _latest(numbers, len(numbers) - 2, field)
    return names[(told >> (_PLAN_SHIFT if field == PLAN else _GROUP_SHIFT)) - 1] if told else ""


# Names of plans and groups have numbers, from 1 in their order: so the greater number is the greater name.


def name_numbers(names: tuple[str, ...], plan: str | None, group: str | None) -> int | None:
    """Return that a plan and a group were told, each None if it was not; None where *names* lack one of them."""
    try:
        told = 0 if plan is None else names.index(plan) + 1 << _PLAN_SHIFT
        return told if group is None else told | names.index(group) + 1 << _GROUP_SHIFT
    except ValueError:
        return None


def renumbered_names(reports: bytes, names: tuple[str, ...], more: Iterable[str]) -> tuple[bytes, tuple[str, ...]]:
    """Return reports and their names with some *more* names; what no report tells any more is left out."""
    numbers = array("q", reports)
    told = [_names_in(told, names) for told in numbers[1::2]]
    known = {name for pair in told for name in pair if name is not None}
    renumbered = tuple(sorted({*known, *more}))
    for place, pair in enumerate(told):
        others = numbers[2 * place + 1] & ~(PLAN | GROUP)
        numbers[2 * place + 1] = others | (name_numbers(renumbered, *pair) or 0)
    return numbers.tobytes(), renumbered


def _names_in(told: int, names: tuple[str, ...]) -> tuple[str | None, str | None]:
    plan, group = told >> _PLAN_SHIFT & _NAME, told >> _GROUP_SHIFT & _NAME
    return names[plan - 1] if plan else None, names[group - 1] if group else None
