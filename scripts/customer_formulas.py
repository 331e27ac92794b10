"""
The figures of customers over several workers, in PromQL: written once, for recording rules and dashboards.

The customers of a queue or plan are on all workers, so a ratio is that of sums over them, as
`stream.families.customers.columns` has it; a test compares the two. Never are ratios averaged: a worker with two
customers would weigh as much as one with a thousand.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from stream.core.windows import SPANS
from stream.families.customers.columns import ENOUGH_CONTACTS, Z95

__all__ = ["JOURNEYS", "MEMBER_RATIOS", "PERCENTILES", "QUEUE_RATIOS", "Formula", "Sums", "at_start", "changed"]

_LIFETIME: Final = {"window": "30d"}
"""Churn and revenue of a lifetime value are those of a sliding month."""

_JOURNEY: Final = {"window": "90d"}
_JOURNEY_DAYS: Final = 30

_SPELLS: Final = (SPANS[_JOURNEY["window"]].before + 0.5) / _JOURNEY_DAYS
"""So many times 30 days there are in the window of journeys, with about half of the running day."""

_NINE_IN_TEN: Final = 0.9


class Sums(Struct, frozen=True, kw_only=True):
    """How the sums over all workers are asked for."""

    of: Callable[[str, Sequence[str], Mapping[str, str]], str]
    """
    Return the sum of a metric, by these labels beside `by`, with these values of others.

    Of what has windows it is by window too, or in the chosen one, unless the values tell which.
    """
    policy: Callable[[str], str]
    """Return a gauge of the policy, the same on all workers."""
    by: tuple[str, ...]
    """The labels that are left of sums, but for the window."""

    def counted(self, field: str, *labels: str, **equals: str) -> str:
        """Return what was counted in a window; without an answer where no worker ever had any."""
        return self.of(f"contact_customer_window_{field}", labels, equals)

    def if_any(self, field: str, whole: str) -> str:
        """Return the same, and 0 where there never was one but some of the *whole*."""
        return f"({self.counted(field)} or {self.counted(whole)} * 0)"

    def now(self, name: str, **equals: str) -> str:
        """Return what is so now."""
        return self.of(name, (), equals)

    @property
    def joined(self) -> str:
        """How what has no window, or no channel, is joined to what has one."""
        return f"on ({', '.join(self.by)}) group_left ()"


Formula = Callable[[Sums], str]


def _ratio(part: str, whole: str) -> Formula:
    return lambda sums: f"{sums.if_any(part, whole)} / ({sums.counted(whole)} > 0)"


def at_start(sums: Sums, **equals: str) -> str:
    """Return how many customers were there when a window began."""
    left, joined = (sums.counted(field, **equals) for field in ("left", "joined"))
    return f"({left} - {joined} + {sums.joined} {sums.now('contact_customers')})"


def _less_than_now(sums: Sums, field: str) -> str:
    """Return what customers pay in a month now, less what was counted of it in a window."""
    return f"({sums.counted(field)} * -1 + {sums.joined} {sums.now('contact_customers_monthly_revenue')})"


def _churn(sums: Sums) -> str:
    return f"{sums.counted('lost')} / ({at_start(sums)} > 0)"


def _revenue_churn(sums: Sums) -> str:
    return f"{sums.counted('monthly_lost')} / ({_less_than_now(sums, 'monthly_change')} > 0)"


def _net_revenue_retention(sums: Sums) -> str:
    return f"{_less_than_now(sums, 'monthly_gained')} / ({_less_than_now(sums, 'monthly_change')} > 0)"


def _lifetime_value(sums: Sums) -> str:
    revenue, lost = (sums.counted(field, **_LIFETIME) for field in ("revenue", "lost"))
    # Revenue ÷ customers × margin ÷ (lost ÷ customers): the customers cancel out.
    value = f"{revenue} * {sums.joined} {sums.policy('contact_customer_margin_ratio')} / ({lost} > 0)"
    return f"{value}\nand ({at_start(sums, **_LIFETIME)} >= {sums.joined} {sums.policy('contact_customer_minimum')})"


def _value_so_far(sums: Sums) -> str:
    return f"{sums.now('contact_customers_revenue')} / ({sums.now('contact_customers')} > 0)"


def _stickiness(sums: Sums) -> str:
    today, month = (sums.now(f"contact_customers_active_{period}", kind="any") for period in ("daily", "monthly"))
    return f"{today} / ({month} > 0)"


def _cart_abandonment(sums: Sums) -> str:
    abandoned = sums.if_any("carts_abandoned", "carts_completed")
    return f"{abandoned} / ({abandoned} + {sums.if_any('carts_completed', 'carts_abandoned')} > 0)"


def _cart_value_abandonment(sums: Sums) -> str:
    abandoned = sums.counted("carts_abandoned_value")
    return f"{abandoned} / ({abandoned} + {sums.counted('carts_completed_value')} > 0)"


def _per_effort(field: str) -> Formula:
    return _ratio(field, "efforts")


def _percentile(field: str) -> Formula:
    def formula(sums: Sums) -> str:
        # Of no histogram of its own, so no label of one: `le` is what the function reads.
        within = sums.counted(f"{field}_within", "up_to", window="30d")
        buckets = f'sum without (up_to) (label_replace ({within}, "le", "$1", "up_to", "(.+)"))'
        return f"histogram_quantile ({_NINE_IN_TEN}, {buckets})"

    return formula


QUEUE_RATIOS: Final[Mapping[str, Formula]] = {
    "contact_repeat_ratio": _ratio("repeats", "contacts"),
    "contact_fcr_ratio": _ratio("first_resolved", "first_decided"),
    "contact_fcr_provisional_ratio": _ratio("first_not_repeated", "first_served"),
    "contact_effort_mean_seconds": _per_effort("effort_seconds"),
    "contact_effort_contacts": _per_effort("effort_contacts"),
    "contact_effort_handovers": _per_effort("effort_handovers"),
    "contact_effort_solutions": _per_effort("effort_solutions"),
}
"""By the metric that one worker shows, and that is right of one worker only."""

PERCENTILES: Final[Mapping[str, Formula]] = {
    "contact_effort_p90_seconds": _percentile("effort"),
    # Of whole numbers it is one of them: no line goes through a bucket that has only ones.
    "contact_effort_p90_contacts": lambda sums: f"ceil ({_percentile('effort_contacts')(sums)})",
}
"""Likewise, of 30 days: each bucket is a series, and a shorter window would seldom have enough of them."""

MEMBER_RATIOS: Final[Mapping[str, Formula]] = {
    "contact_churn_ratio": _churn,
    "contact_retention_ratio": lambda sums: f"1 - {_churn(sums)}",
    "contact_revenue_churn_ratio": _revenue_churn,
    "contact_net_revenue_retention_ratio": _net_revenue_retention,
    "contact_referral_ratio": _ratio("referred", "first_joined"),
    "contact_customer_lifetime_value": _lifetime_value,
    "contact_customer_value_so_far": _value_so_far,
    "contact_customer_stickiness_ratio": _stickiness,
    "contact_cart_abandonment_ratio": _cart_abandonment,
    "contact_cart_value_abandonment_ratio": _cart_value_abandonment,
    "contact_cart_recovery_ratio": _ratio("carts_recovered", "carts_abandoned"),
}
"""The same of plans and groups."""


def _by_channel(sums: Sums, field: str) -> str:
    return sums.counted(field, "by", **_JOURNEY)


def _purchases(sums: Sums) -> str:
    """Return the purchases whose 30 days after them have ended."""
    return f"({sums.counted('journeys', **_JOURNEY)} > 0)"


def _spells(sums: Sums) -> str:
    """Return how many times 30 days of a customer the contacts of all are spread over; where there are enough."""
    customers = sums.now("contact_customers")
    return f"({_SPELLS:.6g} * {customers} and {customers} >= {sums.joined} {sums.policy('contact_customer_minimum')})"


def _per_purchase(field: str) -> Formula:
    return lambda sums: f"{_by_channel(sums, field)} / {sums.joined} {_purchases(sums)}"


def _usual(sums: Sums) -> str:
    return f"{_by_channel(sums, 'came')} / {sums.joined} {_spells(sums)}"


def _difference(sums: Sums) -> str:
    return f"{_per_purchase('after')(sums)}\n- {_usual(sums)}"


def _contacts_after(sums: Sums) -> str:
    """Return how many contacts after purchases were to be expected, or came where more did."""
    expected = f"{_usual(sums)} * {sums.joined} {_purchases(sums)}"
    return f"({_by_channel(sums, 'after')} > {expected}\nor {expected})"


def _margin(sums: Sums) -> str:
    # Contacts come independently of each other, nearly: so their number has the variance of its mean.
    after = f"{_contacts_after(sums)} / {sums.joined} {_purchases(sums)} ^ 2"
    return f"{Z95:.6g} * sqrt ({after}\n+ {_by_channel(sums, 'came')} / {sums.joined} {_spells(sums)} ^ 2)"


JOURNEYS: Final[Mapping[str, Formula]] = {
    "contact_journey_before": _per_purchase("before"),
    "contact_journey_after": _per_purchase("after"),
    "contact_journey_usual": _usual,
    "contact_journey_difference": _difference,
    "contact_journey_margin": _margin,
}
"""The same by channel, of 90 days."""


def changed(sums: Sums) -> str:
    """Return by channel how many contacts more there are after a purchase, where that is no chance, of enough."""
    is_no_chance = f"abs ({_difference(sums)}) > {_margin(sums)}"
    return f"({_difference(sums)})\nand ({is_no_chance})\nand ({_contacts_after(sums)} >= {ENOUGH_CONTACTS})"
