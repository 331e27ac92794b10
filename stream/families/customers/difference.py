"""What two lists of facts differ by."""

from collections import Counter
from typing import Final

from stream.families.customers.matters import CustomerFact

__all__ = ["difference_of"]

_FEW: Final = 16
"""So many facts are compared one by one faster than they are counted."""


def difference_of(gone: list[CustomerFact], new: list[CustomerFact]) -> tuple[list[CustomerFact], list[CustomerFact]]:
    """Return both without what is in both; where anything is gone, field by field."""
    if gone:
        gone, new = _without_equal(gone, new)
    if gone:
        gone, new = _without_equal(_apart(gone), _apart(new))
    return gone, new


def _without_equal(gone: list[CustomerFact], new: list[CustomerFact]) -> tuple[list[CustomerFact], list[CustomerFact]]:
    if len(gone) > _FEW:
        return [*(Counter(gone) - Counter(new)).elements()], [*(Counter(new) - Counter(gone)).elements()]
    only_new: list[CustomerFact] = []
    for fact in new:
        if fact in gone:
            gone.remove(fact)
        else:
            only_new.append(fact)
    return gone, only_new


def _apart(facts: list[CustomerFact]) -> list[CustomerFact]:
    """Return facts with one field each."""
    apart: list[CustomerFact] = []
    for place, at_ms, fields, number in facts:
        if len(fields) == 1 or type(fields[1]) is int:
            apart.append((place, at_ms, fields, number))
        else:
            apart += [(place, at_ms, (str(name),), number) for name in fields]
    return apart
