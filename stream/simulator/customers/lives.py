"""How customers come and go: they join, change their plan, leave, come back, and ask to be forgotten."""

from random import Random
from typing import Final

from stream.families.customers.events import CustomerChanged, CustomerForgotten, CustomerJoined, CustomerLeft
from stream.families.customers.payloads import ChangedData, CustomerData, JoinedData
from stream.simulator.arrivals import DAY_MS
from stream.simulator.customers.agenda import Agenda
from stream.simulator.customers.moments import Moments
from stream.simulator.customers.plan import SUBSCRIPTIONS
from stream.simulator.customers.population import Population, customer_id

__all__ = ["CHANGES", "DAYS_TO_MEET", "FORGOTTEN", "JOINS", "REFERRED", "RETURNS", "Lives"]

DAYS_TO_MEET: Final = 5
"""So many days it takes at the beginning until all who were customers already have been told of."""

_MONTH_DAYS: Final = 30

JOINS: Final = 0.04 / _MONTH_DAYS
"""How many join on a day, for each customer there is."""

CHANGES: Final = 0.02 / _MONTH_DAYS
"""The share of customers who change their plan on a day."""

REFERRED: Final = 0.15
"""The share of new customers whom another customer has sent."""

RETURNS: Final = 0.2
"""The share of those who left that come back."""

FORGOTTEN: Final = 0.05
"""Of the others, the share that asks to be forgotten."""

_HIGHEST_CHURN: Final = max(subscription.churn for subscription in SUBSCRIPTIONS)
_AWAY_DAYS: Final = (3, 40)
_LONGEST_BEFORE_MONTHS: Final = 36
"""Whoever was a customer already at the beginning has been one for so long at most."""


class Lives:
    """Draws the joins and leaves of one tenant, a day after another."""

    def __init__(self, number: int, rng: Random, agenda: Agenda, moments: Moments, population: Population) -> None:
        """*number*: how many are customers already at the beginning."""
        self._number = number
        self._rng = rng
        self._agenda = agenda
        self._moments = moments
        self._population = population

    def plan_day(self, day: int) -> None:
        """Put down who comes and goes on a *day*; to be called after everything else of that day was drawn."""
        there = len(self._population)
        self._meet(day)
        for at in self._moments.of_day(day, there * JOINS):
            self._join(at, self._population.new(), referred=self._rng.random() < REFERRED)
        for at in self._moments.of_day(day, there * CHANGES):
            self._change(at, self._population.anybody())
        # As often as if all were on the plan with the highest churn; those of other plans often stay.
        for at in self._moments.of_day(day, there * _HIGHEST_CHURN / _MONTH_DAYS):
            self._leave(at)

    def _meet(self, day: int) -> None:
        """Tell of some who were customers before anything was told."""
        if day >= DAYS_TO_MEET:
            return
        so_far = self._number * day // DAYS_TO_MEET
        for _ in range(self._number * (day + 1) // DAYS_TO_MEET - so_far):
            who = self._population.new()
            months = int(self._rng.random() * _LONGEST_BEFORE_MONTHS)
            paid = round(self._population.subscription_of(who).monthly * months, 2)
            self._join(self._moments.one_of_day(day), who, paid=paid)

    def _join(self, at: int, who: int, *, referred: bool = False, paid: float = 0) -> None:
        subscription = self._population.subscription_of(who)
        data = JoinedData(
            plan=subscription.name,
            group=self._population.group_of(who),
            monthly=subscription.monthly,
            referred=referred,
            revenue_before=paid,
        )
        self._agenda.put(at, who, CustomerJoined, customer_id(who), data)

    def _change(self, at: int, who: int) -> None:
        self._population.change_plan(who)
        subscription = self._population.subscription_of(who)
        data = ChangedData(plan=subscription.name, monthly=subscription.monthly)
        self._agenda.put(at, who, CustomerChanged, customer_id(who), data)

    def _leave(self, at: int) -> None:
        rng, who = self._rng, self._population.choose_to_leave()
        if rng.random() * _HIGHEST_CHURN >= self._population.subscription_of(who).churn:
            self._population.stay(who)
            return
        self._agenda.put(at, who, CustomerLeft, customer_id(who), CustomerData())
        later = at + round(rng.uniform(*_AWAY_DAYS) * DAY_MS)
        if rng.random() < RETURNS:
            self._join(later, who)
        elif rng.random() < FORGOTTEN:
            self._agenda.put(later, who, CustomerForgotten, customer_id(who), CustomerData())
