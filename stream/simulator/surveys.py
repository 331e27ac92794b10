"""What customers of a simulated centre are asked afterwards, and what reviews find: told beside what happens in it.

Chance is seeded by the contact: who is asked, and what they say, is the same whatever else happens that day.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final

from stream.core.cloudevents import Event
from stream.families.contacts.events import ContactEnded
from stream.families.surveys.events import QualityReviewed, SurveyAnswered, SurveyChanged, SurveyInvited
from stream.families.surveys.payloads import InvitationData, ReviewCategory, ReviewData, SurveyAnswerData
from stream.families.surveys.scales import SurveyKind

__all__ = ["with_surveys"]

_ASKED: Final = 0.5
"""Share of conversations after which the customer is asked."""

_ANSWERING: Final = 0.35
"""Of those, the share that answers."""

_CHANGING: Final = 0.05
_COMMENTING: Final = 0.3
_REVIEWED: Final = 0.05

_KINDS: Final[dict[SurveyKind, float]] = {"csat": 0.6, "nps": 0.25, "ces": 0.15}
_GROUPS: Final = (None, None, "new", "loyal")
_CUSTOMERS: Final = 400
"""Of each queue: some are asked more often than they like."""


def with_surveys(events: Iterable[Event]) -> Iterator[Event]:
    """Yield events in their order, and between them what is asked, answered and reviewed after each conversation."""
    coming: list[tuple[datetime, int, Event]] = []
    number = count()
    for event in events:
        while coming and coming[0][0] <= event.time:
            yield heappop(coming)[2]
        yield event
        if isinstance(event, ContactEnded):
            for one in _after(event):
                heappush(coming, (one.time, next(number), one))


def _after(ended: ContactEnded) -> Iterator[Event]:
    chance = Random(f"{ended.source}/{ended.tenantid}/{ended.subject}/{ended.data.enqueue_seq}")
    if chance.random() < _ASKED:
        yield from _survey(ended, chance)
    if chance.random() < _REVIEWED:
        yield _review(ended, chance)


def _survey(ended: ContactEnded, chance: Random) -> Iterator[Event]:
    kind = chance.choices([*_KINDS], [*_KINDS.values()])[0]
    place = _place(ended, chance)
    at = ended.time + timedelta(minutes=1)
    # Drawn always, so that the answers are the same: whom a call does not know, those who ask know by an address.
    drawn = f"c-{chance.randrange(_CUSTOMERS)}"
    customer = ended.data.customer or drawn
    yield SurveyInvited(**_envelope(ended, "invited", at), data=InvitationData(kind=kind, customer=customer, **place))
    if chance.random() < _ANSWERING:
        at += timedelta(seconds=round(min(chance.expovariate(1 / 900), 86_400)))
        yield SurveyAnswered(**_envelope(ended, "answered", at), data=_answer(kind, place, chance))
        if chance.random() < _CHANGING:
            at += timedelta(minutes=chance.randint(5, 60))
            yield SurveyChanged(**_envelope(ended, "changed", at), data=_answer(kind, place, chance))


def _answer(kind: SurveyKind, place: dict[str, Any], chance: Random) -> SurveyAnswerData:
    # How satisfied the customers of a queue are is a matter of the queue.
    mood = Random(f"mood/{place['queue']}").uniform(0.7, 0.92)
    pleased = chance.random() < mood
    good, bad = {"csat": ((4, 5), (1, 3)), "nps": ((8, 10), (0, 8)), "ces": ((7, 10), (1, 6))}[kind]
    score = chance.randint(*(good if pleased else bad))
    return SurveyAnswerData(kind=kind, score=score, comment=chance.random() < _COMMENTING, **place)


def _review(ended: ContactEnded, chance: Random) -> QualityReviewed:
    at = ended.time + timedelta(minutes=chance.randint(20, 50))
    categories = (
        ReviewCategory(name="tone", score=chance.choices((2, 3, 4, 5), (1, 3, 8, 12))[0], min=1, max=5, weight=30),
        ReviewCategory(
            name="solution", score=chance.choices((0, 1, 2), (1, 6, 20))[0], max=2, weight=50, critical=True
        ),
        ReviewCategory(name="follow-up", score=chance.choice((None, 0, 1, 1, 1)), max=1, weight=20),
    )
    data = ReviewData(categories=categories, **{**_place(ended, chance), "group": None})
    return QualityReviewed(**_envelope(ended, "reviewed", at), data=data)


def _place(ended: ContactEnded, chance: Random) -> dict[str, Any]:
    data = ended.data
    return {
        "queue": data.queue,
        "channel": data.channel,
        "group": chance.choice(_GROUPS),
        "agent": data.agent,
    }


def _envelope(ended: ContactEnded, what: str, at: datetime) -> dict[str, Any]:
    # Ids follow from the id of what they follow from: told again, it is the same survey.
    return {
        "id": f"{ended.id}/{what}",
        "source": ended.source,
        "time": at,
        "subject": f"{'review' if what == 'reviewed' else 'survey'}-{ended.subject}-{ended.data.enqueue_seq}",
        "specversion": "1.0",
        "tenantid": ended.tenantid,
    }
