"""What customers buy: purchases, carts that are ordered or left behind, refunds, and the questions that follow."""

import math
from random import Random
from typing import Final

from stream.families.customers.events import (
    CartChanged,
    CartCheckedOut,
    CartCreated,
    CartOrdered,
    CustomerPurchased,
    CustomerRefunded,
)
from stream.families.customers.payloads import CartData, OrderedData, PurchasedData, RefundedData
from stream.simulator.arrivals import DAY_MS, HOUR_MS
from stream.simulator.customers.agenda import Agenda
from stream.simulator.customers.matters import Matters
from stream.simulator.customers.population import Population, customer_id

__all__ = ["ORDERED_AT_ONCE", "RECOVERED", "REFUNDED", "Shop"]

ORDERED_AT_ONCE: Final = 0.31
"""The share of carts that are ordered before anybody can think that they were left behind."""

RECOVERED: Final = 0.06
"""The share that is ordered after that: the customer came back. So 63 % are never ordered."""

_LEFT_AT_THE_TILL: Final = 0.12
"""The share that is checked out and not ordered all the same."""

REFUNDED: Final = 0.06
"""The share of orders of which money is paid back."""

_PAID_BACK_WHOLLY: Final = 0.7

_KNOWN: Final = 0.7
"""The share of carts whose customer is logged in from the beginning; the others say who they are when they order."""

_MOST_CHANGES: Final = 4

_PAUSE_MS: Final = 4 * 60_000
_LONGEST_PAUSE_MS: Final = 40 * 60_000
"""Between two changes: shorter than the hour after which a cart is taken for abandoned."""

_BACK_AFTER_HOURS: Final = (1.5, 48)

_REFUND_DAYS: Final = (1, 14)

_TROUBLE: Final = 0.6
"""How many matters an order brings with it."""

_TROUBLE_MS: Final = 30 * DAY_MS
"""Within so long after it."""

_MEDIAN_AMOUNT: Final = math.log(36.0)
_AMOUNT_SIGMA: Final = 0.7


class Shop:
    """Draws purchases and carts of one tenant, each with all that follows."""

    def __init__(self, rng: Random, agenda: Agenda, population: Population, matters: Matters, *, run: str) -> None:
        """Carts and orders get ids that begin with *run*."""
        self._rng = rng
        self._agenda = agenda
        self._population = population
        self._matters = matters
        self._run = run

    def purchase(self, at: int, who: int) -> None:
        """A customer buys something without a cart that anybody was told of."""
        order, amount = self._order(), self._amount()
        data = PurchasedData(order=order, amount=amount)
        self._agenda.put(at, who, CustomerPurchased, customer_id(who), data)
        self._after(at, who, order, amount)

    def fill_cart(self, at: int, who: int) -> None:
        """A customer begins to fill a cart, and orders it or does not."""
        rng, agenda = self._rng, self._agenda
        cart = f"{self._run}-cart-{agenda.next_mark()}"
        value = self._amount()
        agenda.put(at, who, CartCreated, cart, self._first(who, value))
        for _ in range(int(rng.random() * (_MOST_CHANGES + 1))):
            at, value = self._later(at), self._amount()
            agenda.put(at, who, CartChanged, cart, CartData(value=value))
        how = rng.random()
        if how < RECOVERED:
            at += round(rng.uniform(*_BACK_AFTER_HOURS) * HOUR_MS)
        if how < RECOVERED + ORDERED_AT_ONCE + _LEFT_AT_THE_TILL:
            at = self._later(at)
            agenda.put(at, who, CartCheckedOut, cart, CartData())
        if how < RECOVERED + ORDERED_AT_ONCE:
            at, order = self._later(at), self._order()
            data = OrderedData(value=value, customer=customer_id(who), order=order)
            agenda.put(at, who, CartOrdered, cart, data)
            self._after(at, who, order, value)

    def _first(self, who: int, value: float) -> CartData:
        if self._rng.random() >= _KNOWN:
            return CartData(value=value)
        population = self._population
        plan, group = population.subscription_of(who).name, population.group_of(who)
        return CartData(value=value, customer=customer_id(who), plan=plan, group=group)

    def _after(self, at: int, who: int, order: str, amount: float) -> None:
        rng = self._rng
        passed = rng.expovariate(_TROUBLE)
        while passed < 1.0:
            self._matters.begin(at + round(passed * _TROUBLE_MS), who, purchase=True)
            passed += rng.expovariate(_TROUBLE)
        if rng.random() < REFUNDED:
            back = amount if rng.random() < _PAID_BACK_WHOLLY else round(amount / 2, 2)
            refund = RefundedData(order=order, amount=back)
            later = at + round(rng.uniform(*_REFUND_DAYS) * DAY_MS)
            self._agenda.put(later, who, CustomerRefunded, customer_id(who), refund)

    def _later(self, at: int) -> int:
        return at + 1 + min(int(self._rng.expovariate(1.0) * _PAUSE_MS), _LONGEST_PAUSE_MS)

    def _order(self) -> str:
        return f"{self._run}-order-{self._agenda.next_mark()}"

    def _amount(self) -> float:
        return round(math.exp(self._rng.gauss(_MEDIAN_AMOUNT, _AMOUNT_SIGMA)), 2)
