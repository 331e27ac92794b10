"""What is told of customers by plan and group: who is there, what they are worth, their carts, and their journeys."""

from typing import Final

from stream.core.metric import counter, gauge
from stream.core.windows import MONTH, QUARTER, TODAY
from stream.families.customers import columns as read
from stream.families.customers.additive import contacts_by_channel
from stream.families.customers.history import ACTIVITIES
from stream.families.customers.labelled import MEMBER_LABELS, CustomerFigure, by_name, of_members

__all__ = ["MEMBER_COUNTS", "MEMBER_FIGURES", "MEMBER_MONEY"]

_MAIN: Final = (TODAY, "7d", "30d")
_PERIODS: Final = ("30d", MONTH, QUARTER)
_JOURNEY: Final = ("90d",)

_PERIOD: Final = (*MEMBER_LABELS, "window")

_THERE: Final = (
    of_members(
        "customers",
        gauge("contact_customers", "customers", MEMBER_LABELS, "Customers who are there now."),
        read.present,
    ),
    of_members(
        "customers",
        gauge("contact_customers_monthly_revenue", "currency", MEMBER_LABELS, "What they pay in a month."),
        read.money_now("monthly"),
    ),
    of_members(
        "customers",
        gauge("contact_customers_revenue", "currency", MEMBER_LABELS, "What they have paid so far."),
        read.money_now("revenue"),
    ),
    *(
        by_name(
            "customers",
            gauge(
                f"contact_customers_active_{name}",
                "customers",
                (*MEMBER_LABELS, "kind"),
                f"Who was active {text}, customer or not, by kind.",
            ),
            {kind: read.active(number, period) for number, kind in enumerate((*ACTIVITIES, "any"))},
        )
        for period, (name, text) in enumerate(
            (("daily", "today"), ("weekly", "in 7 days with today"), ("monthly", "in 30 days with today"))
        )
    ),
    of_members(
        "customers",
        gauge(
            "contact_customer_stickiness_ratio",
            "ratio",
            MEMBER_LABELS,
            "Of all who were active in 30 days, customers or not, the share that was active today.",
            "daily ÷ monthly active",
        ),
        read.stickiness,
    ),
    of_members(
        "customers",
        gauge(
            "contact_customer_value_so_far",
            "currency",
            MEMBER_LABELS,
            "Lifetime value so far: what a customer who is there has paid, in the mean.",
            "revenue ÷ customers",
        ),
        read.value_so_far,
    ),
    of_members(
        "customers",
        gauge(
            "contact_customer_lifetime_value",
            "currency",
            MEMBER_LABELS,
            "What may be expected of a customer in all; no sample where nobody was lost in 30 days, or of too few.",
            "mean revenue of 30 days × margin ÷ churn of 30 days",
        ),
        read.lifetime_value,
    ),
)

_KEPT: Final = tuple(
    of_members("customer_periods", gauge(name, "ratio", _PERIOD, meaning, formula), column, _PERIODS)
    for name, meaning, formula, column in (
        (
            "contact_churn_ratio",
            "Of the customers who were there when the window began, the share that is gone.",
            "lost ÷ customers at its start",
            read.churn,
        ),
        (
            "contact_retention_ratio",
            "Of the customers who were there when the window began, the share that is there now.",
            "1 - churn",
            read.retention,
        ),
        (
            "contact_revenue_churn_ratio",
            "Of what was paid in a month when the window began, the share that customers paid who are gone.",
            "monthly revenue of the lost ÷ monthly revenue at its start",
            read.revenue_churn,
        ),
        (
            "contact_net_revenue_retention_ratio",
            "What customers who were there when the window began pay in a month now, by what they paid then.",
            "(monthly revenue - that of the gained) ÷ monthly revenue at its start",
            read.net_revenue_retention,
        ),
        (
            "contact_referral_ratio",
            "Of the customers who began in the window, the share that another customer has sent.",
            "referred ÷ first joined",
            read.CUSTOMERS_COUNTED.of_ratio(read.REFERRAL),
        ),
    )
)

_CARTS: Final = tuple(
    of_members("carts", gauge(name, "ratio", _PERIOD, meaning, formula), column, _MAIN)
    for name, meaning, formula, column in (
        (
            "contact_cart_abandonment_ratio",
            "Of the carts that were ordered or abandoned in the window, the share that was abandoned.",
            "abandoned ÷ (abandoned + completed)",
            read.CUSTOMERS_COUNTED.of_ratio(read.CART_ABANDONMENT),
        ),
        (
            "contact_cart_value_abandonment_ratio",
            "The same by what was in them.",
            "value abandoned ÷ (value abandoned + value completed)",
            read.CUSTOMERS_COUNTED.of_ratio(read.CART_VALUE_ABANDONMENT),
        ),
        (
            "contact_cart_recovery_ratio",
            "Carts ordered after they had been abandoned, by those abandoned in the window.",
            "recovered ÷ abandoned",
            read.CUSTOMERS_COUNTED.of_ratio(read.RECOVERY),
        ),
    )
)

_JOURNEYS: Final = tuple(
    by_name(
        "customer_journeys",
        gauge(f"contact_journey_{name}", "contacts", (*_PERIOD, "by"), f"{text}, by channel."),
        read.by_channel(field),
        _JOURNEY,
    )
    for name, field, text in (
        ("before", "before", "Contacts of a customer in the 30 days before a purchase, in the mean"),
        ("after", "after", "Contacts of a customer in the 30 days after a purchase, in the mean"),
        ("usual", "usual", "Contacts of any customer of the plan or group in 30 days, in the mean"),
        ("difference", "difference", "Contacts after a purchase more than usual; negative: fewer"),
        ("margin", "margin", "Margin of error of that difference: with 95 % confidence it is no further off"),
    )
)

_JOURNEY_PARTS: Final = tuple(
    by_name(
        "customer_journeys",
        gauge(f"contact_customer_window_{name}", "contacts", (*_PERIOD, "by"), f"{text}, by channel; in the window."),
        contacts_by_channel(field),
        _JOURNEY,
    )
    for name, field, text in (
        ("came", "came_by", "Contacts of customers, by when they came"),
        ("before", "before_by", "Contacts of customers in the 30 days before a purchase, by when those after it ended"),
        ("after", "after_by", "Contacts of customers in the 30 days after a purchase, by when these ended"),
    )
)

MEMBER_COUNTS: Final = {
    "joined": ("customers", "Customers who began or came back", _PERIODS),
    "left": ("customers", "Customers who left", _PERIODS),
    "lost": ("customers", "Customers who were there when the window began, and are gone", _PERIODS),
    "gained": ("customers", "Customers who are there, and were not when the window began", _PERIODS),
    "first_joined": ("customers", "Customers who began and had never been there before", _PERIODS),
    "referred": ("customers", "Of these, those whom another customer has sent", _PERIODS),
    "purchases": ("purchases", "Purchases", _MAIN),
    "journeys": ("purchases", "Purchases whose 30 days after them have ended", _JOURNEY),
    "carts_created": ("carts", "Carts that were created", _MAIN),
    "carts_checked_out": ("carts", "Carts that went to the till", _MAIN),
    "carts_abandoned": ("carts", "Carts with which nothing happened for too long", _MAIN),
    "carts_completed": ("carts", "Carts that were ordered and had never been abandoned", _MAIN),
    "carts_recovered": ("carts", "Carts that were ordered after they had been abandoned", _MAIN),
    "other_currency": ("amounts", "Amounts in another currency than that of the policy: no sum has them", _MAIN),
    "dropped": ("events", "Events of which one customer had too many: figures are a lower bound", _MAIN),
    "unknown": ("events", "Events of customers and carts beyond the limit: figures are a lower bound", _MAIN),
}

MEMBER_MONEY: Final = {
    "monthly_change": ("What customers pay in a month: by how much it has changed", _PERIODS),
    "monthly_lost": ("What customers paid in a month when the window began who are gone", _PERIODS),
    "monthly_gained": ("What customers pay in a month who were not there when the window began", _PERIODS),
    "revenue": ("What was paid for purchases, less what was paid back", (TODAY, "7d", *_PERIODS)),
    "carts_abandoned_value": ("What abandoned carts were worth", _MAIN),
    "carts_completed_value": ("What completed carts were worth", _MAIN),
    "carts_recovered_value": ("What recovered carts were worth", _MAIN),
}

_TURNS: Final = frozenset({"joined", "left", "lost", "gained"})
"""A ratio of several workers needs all of them: of the lost and gained nothing is left once they are long ago."""

_MEMBER_PARTS: Final = (
    *(
        of_members(
            "customer_periods",
            gauge(f"contact_customer_window_{name}", unit, _PERIOD, f"{text}; in the window."),
            (read.CUSTOMERS_COUNTED.of_counts if name in _TURNS else read.CUSTOMERS_COUNTED.count_if_ever)(name),
            windows,
        )
        for name, (unit, text, windows) in MEMBER_COUNTS.items()
    ),
    *(
        of_members(
            "customer_periods",
            gauge(f"contact_customer_window_{name}", "currency", _PERIOD, f"{text}; in the window."),
            read.money_counted(name),
            windows,
        )
        for name, (text, windows) in MEMBER_MONEY.items()
    ),
    *(
        of_members(
            "customer_totals",
            counter(f"contact_customer_{name}_total", unit, MEMBER_LABELS, f"{text}."),
            read.CUSTOMERS_COUNTED.total_if_any(name),
        )
        for name, (unit, text, _) in MEMBER_COUNTS.items()
        if name
        in {"joined", "left", "purchases", "carts_created", "carts_completed", "carts_recovered", "dropped", "unknown"}
    ),
)

MEMBER_FIGURES: Final[tuple[CustomerFigure, ...]] = (
    *_THERE,
    *_KEPT,
    *_CARTS,
    *_JOURNEYS,
    *_JOURNEY_PARTS,
    *_MEMBER_PARTS,
)
"""In the order of the page of metrics."""
