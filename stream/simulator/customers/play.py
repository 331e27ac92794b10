"""
The days of the customers of one tenant: what they do by themselves, and what follows, as events in the order of time.

It knows no call: who calls a simulated queue is drawn beside it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

from stream.core.cloudevents import Event
from stream.families.customers.events import CustomerActive, CustomerForgotten, CustomerJoined, CustomerLeft
from stream.families.customers.payloads import ActiveData
from stream.simulator.customers.agenda import Agenda, Entry
from stream.simulator.customers.lives import Lives
from stream.simulator.customers.matters import HandedOn, Matters
from stream.simulator.customers.moments import Moments
from stream.simulator.customers.plan import CustomerBase
from stream.simulator.customers.population import Population, customer_id
from stream.simulator.customers.shop import Shop

__all__ = ["CARTS", "MATTERS", "PURCHASES", "VISITS", "CustomerPlay"]

# How often a customer does it, in a day. Made up, but so that a quarter has no more events than real ones have.
VISITS: Final = 0.08
PURCHASES: Final = 0.004
"""Without those of carts."""
CARTS: Final = 0.015
MATTERS: Final = 0.018
"""Without those that a purchase brings with it."""

_SEEN: Final = ActiveData()


class CustomerPlay:
    """Plays the customers of one tenant, day by day."""

    def __init__(
        self,
        base: CustomerBase,
        *,
        start: datetime,
        seed: str,
        run: str,
        source: str,
        handed_on: HandedOn | None = None,
    ) -> None:
        """
        Begin at *start*, in UTC; days are those that begin then, and ids begin with *run*.

        Contacts that are *handed_on* are not told of; None: all are.
        """
        rng = Random(f"{seed}/customers/{base.tenant}")
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        self._base, self._start, self._run, self._source = base, start, run, source
        self._agenda = Agenda()
        self._moments = Moments(rng, clock_ms=(start - midnight) // timedelta(milliseconds=1))
        self._population = Population(rng)
        self._matters = Matters(base.ways, rng, self._agenda, run=run, handed_on=handed_on)
        self._shop = Shop(rng, self._agenda, self._population, self._matters, run=run)
        self._lives = Lives(base.number, rng, self._agenda, self._moments, self._population)

    def events(self, end: datetime) -> Iterator[Event]:
        """Yield what happens until before *end*, lazily. To be called once."""
        day, tenant, source, start = 0, self._base.tenant, self._source, self._start
        while start + timedelta(day) < end:
            self._plan_day(day)
            for at, mark, _, kind, subject, data in self._happening(day):
                # Positional, as milliseconds: the keyword costs as much as the rest of the line.
                time = start + timedelta(0, 0, 0, at)
                if time >= end:
                    return
                yield kind(
                    id=f"{self._run}-u{mark}",
                    source=source,
                    time=time,
                    subject=subject,
                    specversion="1.0",
                    tenantid=tenant,
                    data=data,
                )
            day += 1

    def _plan_day(self, day: int) -> None:
        moments, population = self._moments, self._population
        there = len(population)
        for at in moments.of_day(day, there * VISITS):
            who = population.anybody()
            self._agenda.put(at, who, CustomerActive, customer_id(who), _SEEN)
        for at in moments.of_day(day, there * MATTERS):
            self._matters.begin(at, population.anybody())
        for at in moments.of_day(day, there * PURCHASES):
            self._shop.purchase(at, population.anybody())
        for at in moments.of_day(day, there * CARTS):
            self._shop.fill_cart(at, population.anybody())
        self._lives.plan_day(day)

    def _happening(self, day: int) -> Iterator[Entry]:
        """Yield what is put down for a day, but for what those would have done who have left meanwhile."""
        population = self._population
        for entry in self._agenda.day(day):
            who, kind = entry.who, entry.kind
            if kind is CustomerJoined:
                population.join(who)
            elif kind is CustomerLeft:
                population.leave(who)
            elif kind is not CustomerForgotten and population.has_left(who):
                continue
            yield entry
