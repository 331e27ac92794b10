"""How customers are judged: what counts as coming back, when a cart is abandoned, what a customer is worth."""

import re
from datetime import timedelta
from typing import Final

from stream.core import policy_values as read
from stream.core.policies import PolicyKey, Rules
from stream.core.served import Served
from stream.families.customers.history import MOST_KEPT

__all__ = ["MAX_ASKED_WITHIN", "MAX_LOOK_BACK", "RULES", "CustomerPolicy"]

MAX_LOOK_BACK: Final = timedelta(days=30)
"""Contacts of a customer are kept long enough for that."""

MAX_ASKED_WITHIN: Final = timedelta(days=90)
"""So are invitations for this."""

_MOST_INVITATIONS: Final = MOST_KEPT - 1
"""More of one customer are not kept, together with the next one."""

_MAX_CART_IDLE: Final = timedelta(days=7)


class CustomerPolicy(Served, frozen=True, kw_only=True):
    """How the customers of one queue and channel, or of a tenant as a whole, are judged."""

    matter: str = ""
    """Contacts of queues with the same one are about the same thing; empty: each queue is a matter of its own."""
    matter_by_topic: bool = False
    """Whether the topic decides what a contact is about, where an event tells one."""
    repeat_within: timedelta = timedelta(days=7)
    """The look-back: who comes in the same matter within it comes again."""
    solved_dispositions: frozenset[str] = frozenset()
    """A contact that ends with one of these is solved by it."""
    fcr_target: float = 0.70
    """The share of matters that should be done with the first contact."""
    currency: str = "EUR"
    """In which money is told; what is in another one is counted apart."""
    margin: float = 1.0
    """The share of revenue that is left after costs, for the lifetime value; 1: it is told as revenue."""
    churn_limit: float | None = None
    """Somebody is alerted when a larger share of customers was lost in 30 days; None: nobody is."""
    cart_idle: timedelta = timedelta(hours=1)
    """With a cart of which nothing was heard for so long, its customer has gone."""
    cart_abandonment_limit: float | None = None
    """Somebody is alerted when a larger share of today's carts is abandoned; None: nobody is."""
    customer_minimum: int = 30
    """With fewer customers, contacts or carts nothing is judged: too few to tell."""
    most_invitations: int = 3
    """More often no customer should be asked within `asked_within`, by whatever queue."""
    asked_within: timedelta = timedelta(days=30)


def _look_back(value: object) -> timedelta:
    return _days(value, MAX_LOOK_BACK)


def _asked_within(value: object) -> timedelta:
    return _days(value, MAX_ASKED_WITHIN)


def _days(value: object, most: timedelta) -> timedelta:
    return timedelta(days=read.whole(value, most.days, "a number of days"))


def _matter(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 128:
        raise ValueError("must be a name of at most 128 characters")
    return value


def _currency(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise ValueError('must be a currency of three capital letters, such as "EUR" (ISO 4217)')
    return value


def _idle(value: object) -> timedelta:
    return timedelta(minutes=read.whole(value, _MAX_CART_IDLE // timedelta(minutes=1), "whole minutes"))


def _minimum(value: object) -> int:
    return read.whole(value, 100_000)


def _invitations(value: object) -> int:
    return read.whole(value, _MOST_INVITATIONS)


RULES: Final[Rules[CustomerPolicy]] = Rules(
    policy=CustomerPolicy,
    keys={
        "matter": PolicyKey("matter", _matter),
        "matter_by_topic": PolicyKey("matter_by_topic", read.switch),
        "solved_dispositions": PolicyKey("solved_dispositions", read.dispositions),
        "repeat_within_days": PolicyKey("repeat_within", _look_back),
        "fcr_target": PolicyKey("fcr_target", read.ratio),
        "currency": PolicyKey("currency", _currency),
        "margin": PolicyKey("margin", read.ratio),
        "churn_limit": PolicyKey("churn_limit", read.ratio),
        "cart_idle_minutes": PolicyKey("cart_idle", _idle),
        "cart_abandonment_limit": PolicyKey("cart_abandonment_limit", read.ratio),
        "customer_minimum": PolicyKey("customer_minimum", _minimum),
        "survey_most_invitations": PolicyKey("most_invitations", _invitations),
        "survey_within_days": PolicyKey("asked_within", _asked_within),
    },
)
"""The keys of the policy file that this family reads."""
