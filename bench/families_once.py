"""
Decodes and folds events of each family in turns, and tells what each costs beside the others.

`python -m bench.families_once`: in processor time, the best of seven turns. Machines have slow and fast hours, in which
the ratios stay.
"""

import gc
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from bench import cases_once, customers_once, surveys_once
from bench.fold_once import folded
from bench.material import material
from stream.core.cloudevents import encode
from stream.core.family import Fold
from stream.families.cases.events import CaseEvent
from stream.families.cases.fold import CasesFold
from stream.families.contacts.fold import ContactsFold
from stream.families.customers.fold import CustomersFold
from stream.families.registry import DECODER
from stream.families.surveys.fold import SurveysFold
from stream.simulator import demo_centre, simulate

TURNS = 7
EVENTS = 30_000
CUSTOMERS = 2000

Shares = Sequence[Sequence[bytes]]


def seconds(new_fold: Callable[[], Fold[Any]], shares: Shares) -> tuple[float, float]:
    """Return how long it takes to decode, and to fold, what is on some partitions."""
    begin = time.process_time()
    told = [[DECODER.decode(record) for record in share] for share in shares]
    middle = time.process_time()
    for events in told:
        folded(new_fold(), events)
    return middle - begin, time.process_time() - middle


def main() -> None:
    """Take turns, and say what came of it."""
    first = cases_once.FIRST
    desk = simulate(demo_centre(), start=first, end=first + timedelta(days=4), seed=1)
    day: dict[str, tuple[Callable[[], Fold[Any]], Shares]] = {
        "contacts": (
            ContactsFold,
            [[sent.value for sent in share] for share in material(EVENTS, 200, 16).by_partition],
        ),
        "cases": (CasesFold, [[encode(event) for event in desk if isinstance(event, CaseEvent)]]),
        "surveys": (SurveysFold, [[encode(event) for event in surveys_once.told(EVENTS * 3 // 4, 0.001, 50)]]),
        "customers": (CustomersFold, [[encode(event) for event in customers_once.told(CUSTOMERS)]]),
    }
    gc.disable()
    turns = [{name: seconds(*given) for name, given in day.items()} for _ in range(TURNS)]
    numbers = {name: sum(map(len, shares)) for name, (_, shares) in day.items()}
    best = {name: min(sum(turn[name]) for turn in turns) / number for name, number in numbers.items()}
    for name, cost in best.items():
        print(f"{name}: {cost * 1e6:.1f} us, {1 / cost:,.0f} events/s, {cost / best['contacts']:.1f} : contacts")


if __name__ == "__main__":
    main()
