"""What customers come to us with: contacts, to whom they are handed, whether it was solved, and who comes again."""

from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate
from random import Random
from typing import Final

from stream.families.customers.events import CustomerAsked, CustomerContacted, CustomerHandedOver, CustomerSolved
from stream.families.customers.payloads import AskedData, ContactedData, HandedOverData, SolvedData
from stream.simulator.arrivals import DAY_MS, HOUR_MS
from stream.simulator.customers.agenda import Agenda
from stream.simulator.customers.plan import TOPIC_KNOWN, TOPICS, ContactWay
from stream.simulator.customers.population import customer_id

__all__ = ["ANSWERING", "HANDED_OVER", "INVITED", "SERVED", "SOLVED", "HandedOn", "Matters"]

SERVED: Final = 0.85
"""The share of contacts that somebody of us answers."""

SOLVED: Final = 0.85
"""Of these, the share that is solved."""

HANDED_OVER: Final = 0.12
"""Of these, the share that goes on to another queue before."""

INVITED: Final = 0.3
"""Of these, the share that is invited to a survey."""

ANSWERING: Final = 0.35
"""Of the invited, the share that answers."""

_WRITES_ON: Final = 0.4
"""The share of written contacts in which the customer sends one more message."""

_WRITTEN: Final = frozenset({"chat", "sms", "messaging", "email", "social"})

_AGAIN_SERVED: Final = 0.1
_AGAIN_UNSERVED: Final = 0.4
"""
The shares of contacts after which the customer comes again in the same matter.

With those who come again by chance, about a fifth of all contacts are repeats.
"""

_AGAIN_DAYS: Final = (0.05, 6.5)
"""After how long: within the seven days that count as the same matter."""

_MINUTE_MS: Final = 60_000


HandedOn = Callable[[int, int, ContactWay, str | None], bool]
"""
Is told when who comes in which way, and what about; returns whether the contact is told of elsewhere.

Elsewhere it is also decided what becomes of it.
"""


class Matters:
    """Draws contacts of the customers of one tenant, each with all that follows."""

    def __init__(
        self, ways: Sequence[ContactWay], rng: Random, agenda: Agenda, *, run: str, handed_on: HandedOn | None
    ) -> None:
        """Contacts get ids that begin with *run*; None: no contact is *handed_on*."""
        self._ways = ways
        self._rng = rng
        self._agenda = agenda
        self._run = run
        self._handed_on = handed_on
        self._usually = _cumulated([way.usually for way in ways])
        self._after_purchase = _cumulated([way.after_purchase for way in ways])

    def begin(self, at: int, who: int, *, purchase: bool = False) -> None:
        """A customer comes in a new matter, perhaps because of a *purchase*."""
        rng = self._rng
        way = self._ways[bisect(self._after_purchase if purchase else self._usually, rng.random())]
        topic = TOPICS[int(rng.random() * len(TOPICS))] if rng.random() < TOPIC_KNOWN else None
        self._contact(at, who, way, topic)

    def _contact(self, at: int, who: int, way: ContactWay, topic: str | None) -> None:
        if self._handed_on is not None and self._handed_on(at, who, way, topic):
            return
        rng, customer = self._rng, customer_id(who)
        contact = f"{self._run}-contact-{self._agenda.next_mark()}"
        served = rng.random() < SERVED
        data = ContactedData(contact=contact, queue=way.queue, channel=way.channel, topic=topic, served=served)
        self._agenda.put(at, who, CustomerContacted, customer, data)
        if served:
            self._serve(at, who, way, data)
        if rng.random() < (_AGAIN_SERVED if served else _AGAIN_UNSERVED):
            self._contact(at + round(rng.uniform(*_AGAIN_DAYS) * DAY_MS), who, way, topic)

    def _serve(self, at: int, who: int, way: ContactWay, came: ContactedData) -> None:
        rng, agenda, customer = self._rng, self._agenda, customer_id(who)
        at += 1 + int(rng.random() * 5 * _MINUTE_MS)
        if way.channel in _WRITTEN and rng.random() < _WRITES_ON:
            agenda.put(at, who, CustomerContacted, customer, _further(came))
        queue = came.queue
        if rng.random() < HANDED_OVER:
            at += 1 + int(rng.random() * 3 * _MINUTE_MS)
            other = self._ways[int(rng.random() * len(self._ways))]
            queue = other.queue
            handed = HandedOverData(contact=came.contact, queue=queue)
            agenda.put(at, who, CustomerHandedOver, customer, handed)
        at += 1 + int(rng.random() * 20 * _MINUTE_MS)
        if rng.random() < SOLVED:
            solved = SolvedData(contact=came.contact, queue=queue, channel=came.channel, topic=came.topic)
            agenda.put(at, who, CustomerSolved, customer, solved)
        if rng.random() < INVITED:
            self._ask(at + _MINUTE_MS, who, came)

    def _ask(self, at: int, who: int, about: ContactedData) -> None:
        rng, customer = self._rng, customer_id(who)
        survey = f"{about.contact}-survey"
        asked = AskedData(survey=survey, queue=about.queue, channel=about.channel)
        self._agenda.put(at, who, CustomerAsked, customer, asked)
        if rng.random() < ANSWERING:
            at += 1 + int(rng.expovariate(1.0) * HOUR_MS)
            answer = AskedData(survey=survey, queue=about.queue, channel=about.channel, what="answered")
            self._agenda.put(at, who, CustomerAsked, customer, answer)


def _further(came: ContactedData) -> ContactedData:
    return ContactedData(
        contact=came.contact, queue=came.queue, channel=came.channel, topic=came.topic, served=True, message=True
    )


def _cumulated(weights: Sequence[float]) -> list[float]:
    """Return where the part of each begins that is not the first, so that a random number between 0 and 1 finds it."""
    return [upto / sum(weights) for upto in accumulate(weights)][:-1]
