"""What the policies of customers promise and limit, as figures: alerts and dashboards compare others with them."""

from typing import Final

from stream.core.columns import is_open, is_quiet, of_policy
from stream.core.figure import Figure
from stream.core.metric import Kind, gauge
from stream.families.customers import columns as read
from stream.families.customers.labelled import (
    MEMBER_LABELS,
    QUEUE_LABELS,
    CustomerFigure,
    member_labels,
    of_members,
    of_queue,
)
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = ["POLICY_FIGURES"]


def _promised_labels(one: CustomersSnapshot) -> tuple[str, ...] | None:
    labels = member_labels(one)
    return None if labels is None else (*labels, one.policy.currency, one.policy.team)


POLICY_FIGURES: Final[tuple[CustomerFigure, ...]] = (
    of_queue(
        "customer_policy",
        gauge(
            "contact_fcr_target_ratio",
            "ratio",
            QUEUE_LABELS,
            "The share of matters that should be done with the first contact.",
        ),
        of_policy(lambda policy: policy.fcr_target),
    ),
    of_queue(
        "customer_policy",
        gauge(
            "contact_customer_queue_minimum",
            "contacts",
            QUEUE_LABELS,
            "So many contacts a window must have before a ratio of them is judged, or somebody is alerted of it.",
        ),
        of_policy(lambda policy: policy.customer_minimum),
    ),
    of_members(
        "customer_policy",
        gauge(
            "contact_customer_minimum",
            "customers",
            MEMBER_LABELS,
            "So many customers or carts there must be before a ratio of them is judged, or somebody is alerted of it.",
        ),
        of_policy(lambda policy: policy.customer_minimum),
    ),
    of_members(
        "customer_policy",
        gauge(
            "contact_churn_limit_ratio",
            "ratio",
            MEMBER_LABELS,
            "Somebody is alerted when a larger share of customers was lost in 30 days; no sample: nobody is.",
        ),
        lambda reading, _: [one.policy.churn_limit for one in reading.snapshots],
    ),
    of_members(
        "customer_policy",
        gauge(
            "contact_cart_abandonment_limit_ratio",
            "ratio",
            MEMBER_LABELS,
            "Somebody is alerted when a larger share of today's carts is abandoned; no sample: nobody is.",
        ),
        lambda reading, _: [one.policy.cart_abandonment_limit for one in reading.snapshots],
    ),
    of_members(
        "customer_policy",
        gauge(
            "contact_customer_margin_ratio",
            "ratio",
            MEMBER_LABELS,
            "The share of revenue that is left after costs: that of the lifetime value.",
        ),
        of_policy(lambda policy: policy.margin),
    ),
    of_members(
        "customer_policy",
        gauge(
            "contact_customer_open",
            "bool",
            MEMBER_LABELS,
            "1 in the opening hours of the tenant, 0 outside, when nobody is alerted of customers.",
        ),
        is_open,
    ),
    of_members(
        "customer_policy",
        gauge(
            "contact_customer_quiet",
            "bool",
            MEMBER_LABELS,
            "1 in the quiet hours of the tenant, when nobody is alerted of customers, 0 outside; no sample if none.",
        ),
        is_quiet,
    ),
    Figure(
        metric=gauge(
            "contact_customer_policy_info",
            "info",
            (*MEMBER_LABELS, "currency", "team"),
            "In which money is told, and who is alerted.",
            kind=Kind.INFO,
        ),
        section="customer_policy",
        column=read.for_members(lambda reading, _: [1] * len(reading.snapshots)),
        labels_of=_promised_labels,
    ),
)
"""In the order of the page of metrics."""
