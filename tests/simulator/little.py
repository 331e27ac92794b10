"""
The help desk against Little's law: as many are there in the mean as come in a time, times how long they stay.

L = λW holds of whatever comes and goes (Little, A Proof for the Queuing Formula: L = λW, 1961). L is read off by
looking every five minutes how many are there; λ and W are of those who come. The two agree if their difference lies
within the 99.9 % confidence interval that the weeks of the run give, as in `check`.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import fmean, stdev

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.families.cases import events as e
from tests.simulator.check import BATCHES, STUDENT_T, Finding

__all__ = ["WEEKS", "Life", "agreement", "lives_of"]

WEEK = timedelta(days=7)
"""A batch: arrivals and shifts repeat themselves each week."""
LOOK = timedelta(minutes=5)
COME_TO_REST = 4
"""Weeks before the first batch, in which the help desk fills, and after the last, in which all that came goes."""
WEEKS = COME_TO_REST + BATCHES + COME_TO_REST

Stay = tuple[datetime, datetime]


class Life(Struct):
    """When a case was open, and when its customer waited for an answer; what goes on at the end is in neither."""

    open: list[Stay]
    waits: list[Stay]


def lives_of(events: Iterable[Event]) -> list[Life]:
    """Return the life of each case, from its events alone."""
    cases = defaultdict(list)
    for event in events:
        if isinstance(event, e.CaseEvent):
            cases[event.subject].append(event)
    return [_life(case) for case in cases.values()]


def _life(case: list[e.CaseEvent]) -> Life:
    life = Life([], [])
    opened: datetime | None = None
    asked: datetime | None = None
    for event in case:
        match event:
            case e.CaseOpened() | e.CaseReopened():
                opened = event.time
                # An agent who opens a case waits for the customer, not the other way round.
                asked = event.time if isinstance(event, e.CaseReopened) or event.data.opened_by == "customer" else None
            case e.MessageReceived() if opened is not None and not event.data.automatic:
                asked = asked or event.time
            case e.MessageSent() if asked and event.data.public and not event.data.automatic:
                if event.data.author == "agent":
                    life.waits.append((asked, event.time))
                    asked = None
            case e.CaseResolved() | e.CaseMerged() | e.CaseDeleted() if opened is not None:
                life.open.append((opened, event.time))
                if asked is not None:
                    life.waits.append((asked, event.time))
                opened = asked = None
            case _:
                pass
    return life


def agreement(figure: str, comers: Sequence[Sequence[Stay]], *, start: datetime) -> Finding:
    """
    Return how many were there in the mean, beside what the law says of *comers*: each with its stays, one or several.

    The run must have lasted for `WEEKS`.
    """
    begins = sorted(begin for comer in comers for begin, _ in comer)
    ends = sorted(end for comer in comers for _, end in comer)
    came = sorted((comer[0][0], sum((end - begin for begin, end in comer), timedelta(0))) for comer in comers)
    there, law = [], []
    for number in range(COME_TO_REST, COME_TO_REST + BATCHES):
        first, last = start + number * WEEK, start + (number + 1) * WEEK
        looks = (first + look * LOOK for look in range(WEEK // LOOK))
        there.append(fmean(bisect_right(begins, at) - bisect_right(ends, at) for at in looks))
        lengths = [length for at, length in came if first <= at < last]
        rate, stay = len(lengths) / (WEEK / timedelta(hours=1)), fmean(one / timedelta(hours=1) for one in lengths)
        law.append(rate * stay)
    differences = [one - other for one, other in zip(there, law, strict=True)]
    return Finding(
        model="Little's law",
        figure=figure,
        measured=fmean(there),
        error=STUDENT_T * stdev(differences) / BATCHES**0.5,
        expected=fmean(law),
    )
