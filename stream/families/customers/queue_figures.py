"""What is told of customers by queue and channel: who comes again, and what a solution takes."""

from typing import Final

from stream.core.metric import counter, gauge
from stream.core.windows import TODAY
from stream.families.customers import columns as read
from stream.families.customers.additive import solutions_within
from stream.families.customers.counts import EFFORT_BOUNDS_SECONDS, EFFORT_CONTACTS_BOUNDS
from stream.families.customers.labelled import QUEUE_LABELS, CustomerFigure, of_queue, queue_by_name

__all__ = ["QUEUE_COUNTS", "QUEUE_FIGURES"]

_MAIN: Final = (TODAY, "7d", "30d")

_WINDOW: Final = (*QUEUE_LABELS, "window")

_COMING_AGAIN: Final = (
    of_queue(
        "customer_queues",
        gauge(
            "contact_repeat_ratio",
            "ratio",
            _WINDOW,
            "Share of the contacts whose customer had come in the same matter within the look-back.",
            "repeats ÷ contacts of known customers",
        ),
        read.CUSTOMERS_COUNTED.of_ratio(read.REPEAT),
        _MAIN,
    ),
    of_queue(
        "customer_queues",
        gauge(
            "contact_fcr_ratio",
            "ratio",
            _WINDOW,
            "First-contact resolution: of the first contacts whose look-back has ended in the window, the share after "
            "which the customer did not come again.",
            "first resolved ÷ first decided",
        ),
        read.CUSTOMERS_COUNTED.of_ratio(read.FCR),
        _MAIN,
    ),
    of_queue(
        "customer_queues",
        gauge(
            "contact_fcr_provisional_ratio",
            "ratio",
            _WINDOW,
            "First-contact resolution so far: of the first contacts in the window, the share after which the customer "
            "has not come again by now. It can only fall.",
            "first not repeated ÷ first served",
        ),
        read.CUSTOMERS_COUNTED.of_ratio(read.FCR_SO_FAR),
        _MAIN,
    ),
)

_EFFORT_METRICS: Final = {
    "effort_seconds": (
        "contact_effort_mean_seconds",
        "seconds",
        "Time from the first contact to the solution, in the mean.",
    ),
    "effort_p90_seconds": (
        "contact_effort_p90_seconds",
        "seconds",
        "Time from the first contact to the solution that nine in ten did not exceed.",
    ),
    "effort_contacts": ("contact_effort_contacts", "contacts", "Contacts that a solution took, in the mean."),
    "effort_p90_contacts": (
        "contact_effort_p90_contacts",
        "contacts",
        "Contacts that a solution took and that nine in ten did not exceed: a whole number.",
    ),
    "effort_handovers": ("contact_effort_handovers", "handovers", "Hand-overs that a solution took, in the mean."),
    "effort_solutions": ("contact_effort_solutions", "solutions", "Solutions offered until one held, in the mean."),
}

_EFFORT: Final = tuple(
    of_queue("customer_queues", gauge(metric, unit, _WINDOW, meaning), read.EFFORT_COLUMNS[name], _MAIN)
    for name, (metric, unit, meaning) in _EFFORT_METRICS.items()
)

QUEUE_COUNTS: Final = {
    "contacts": ("contacts", "Contacts of known customers, by when they came"),
    "repeats": ("contacts", "Contacts whose customer had come in the same matter within the look-back"),
    "first_served": ("contacts", "Contacts that were served and are no repeats, by when they came"),
    "first_not_repeated": ("contacts", "Of these, those after which the customer has not come again by now"),
    "first_decided": ("contacts", "Contacts that were served and are no repeats, by when their look-back ended"),
    "first_resolved": ("contacts", "Of these, those after which the customer did not come again"),
    "efforts": ("matters", "Matters that are solved by now, by time of their last solution"),
    "effort_contacts": ("contacts", "Contacts that these took"),
    "effort_handovers": ("handovers", "Hand-overs that these took"),
    "effort_solutions": ("solutions", "Solutions that were offered for these"),
    "asked": ("invitations", "Invitations to surveys of known customers"),
    "asked_too_often": ("invitations", "Invitations to customers who had been asked as often as the policy allows"),
}
"""Fields of `CustomerCounts` that count by queue: unit and meaning."""

_PROVISIONAL: Final = frozenset({"first_not_repeated", "first_decided", "first_resolved"})
"""A counter would be wrong: the first can only fall, the others count when a day comes that was known before."""

_EFFORT_PARTS: Final = tuple(
    queue_by_name(
        "customer_queues",
        gauge(
            f"contact_customer_window_{name}_within",
            "matters",
            (*_WINDOW, "up_to"),
            f"Matters that are solved by now and took at most so many {unit}, of which workers together have a "
            "percentile; in the window.",
        ),
        solutions_within(field, bounds),
        ("30d",),
    )
    for name, unit, field, bounds in (
        ("effort", "seconds", "effort_in", EFFORT_BOUNDS_SECONDS),
        ("effort_contacts", "contacts", "effort_contacts_in", EFFORT_CONTACTS_BOUNDS),
    )
)

_QUEUE_PARTS: Final = (
    *(
        of_queue(
            "customer_queues",
            gauge(f"contact_customer_window_{name}", unit, _WINDOW, f"{text}; in the window."),
            read.CUSTOMERS_COUNTED.count_if_ever(name),
            _MAIN,
        )
        for name, (unit, text) in QUEUE_COUNTS.items()
    ),
    of_queue(
        "customer_queues",
        gauge(
            "contact_customer_window_effort_seconds",
            "seconds",
            _WINDOW,
            "Times from the first contact to the solution, summed up; in the window.",
        ),
        read.CUSTOMERS_COUNTED.seconds("effort_ms"),
        _MAIN,
    ),
    *(
        of_queue(
            "customer_totals",
            counter(f"contact_customer_{name}_total", unit, QUEUE_LABELS, f"{text}."),
            read.CUSTOMERS_COUNTED.total_if_any(name),
        )
        for name, (unit, text) in QUEUE_COUNTS.items()
        if name not in _PROVISIONAL
    ),
    of_queue(
        "customer_totals",
        counter(
            "contact_customer_corrections_total",
            "facts",
            QUEUE_LABELS,
            "What counters of customers have counted of a queue and a later event took back.",
        ),
        read.CUSTOMERS_COUNTED.correction(
            "contacts", "repeats", "first_served", "first_not_repeated", "efforts", "asked"
        ),
    ),
)

QUEUE_FIGURES: Final[tuple[CustomerFigure, ...]] = (*_COMING_AGAIN, *_EFFORT, *_QUEUE_PARTS, *_EFFORT_PARTS)
"""In the order of the page of metrics."""
