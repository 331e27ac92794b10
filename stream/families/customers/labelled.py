"""How the figures of customers are labelled: some by queue and channel, the others by plan and group of customers."""

from collections.abc import Mapping
from typing import Final

from stream.core.figure import Column, Figure
from stream.core.metric import Metric
from stream.families.customers import columns as read
from stream.families.customers.shown import CUSTOMER_SAMPLES, CUSTOMERS_SHOWN
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = [
    "MEMBER_LABELS",
    "QUEUE_LABELS",
    "CustomerFigure",
    "by_name",
    "member_labels",
    "of_members",
    "of_queue",
    "queue_by_name",
]

QUEUE_LABELS: Final = ("tenant", "queue", "channel")
MEMBER_LABELS: Final = ("tenant", "plan", "group")

CustomerFigure = Figure[CustomersSnapshot]

WrittenIn = tuple[str, ...]


def _queue_labels(one: CustomersSnapshot) -> tuple[str, ...] | None:
    return one.key[:3] if one.queue else None


def member_labels(one: CustomersSnapshot) -> tuple[str, ...] | None:
    """Return the labels of a plan, a group or all customers; None of a queue."""
    return None if one.queue else (one.tenant, one.plan, one.group)


def _sampled(metric: Metric, column: Column[CustomersSnapshot]) -> Column[CustomersSnapshot]:
    """Return the column of a figure; what is judged knows of how many it was made."""
    number = CUSTOMER_SAMPLES.get(metric.name)
    return column if number is None else read.sampled(column, number)


def of_queue(
    section: str, metric: Metric, column: Column[CustomersSnapshot], written_in: WrittenIn | None = None
) -> CustomerFigure:
    """Return a figure that queues have, and plans and groups have not."""
    return Figure(
        metric=metric,
        section=section,
        column=_sampled(metric, read.for_queues(column)),
        labels_of=_queue_labels,
        show=CUSTOMERS_SHOWN.get(metric.name),
        written_in=written_in,
    )


def queue_by_name(
    section: str,
    metric: Metric,
    columns: Mapping[str, Column[CustomersSnapshot]],
    written_in: WrittenIn | None = None,
) -> CustomerFigure:
    """Return the same with a column for each value of its last label."""
    return Figure(metric=metric, section=section, by=columns, labels_of=_queue_labels, written_in=written_in)


def of_members(
    section: str, metric: Metric, column: Column[CustomersSnapshot], written_in: WrittenIn | None = None
) -> CustomerFigure:
    """Return a figure that plans, groups and all customers together have, and queues have not."""
    return Figure(
        metric=metric,
        section=section,
        column=_sampled(metric, read.for_members(column)),
        labels_of=member_labels,
        show=CUSTOMERS_SHOWN.get(metric.name),
        written_in=written_in,
    )


def by_name(
    section: str,
    metric: Metric,
    columns: Mapping[str, Column[CustomersSnapshot]],
    written_in: WrittenIn | None = None,
) -> CustomerFigure:
    """Return the same with a column for each value of its last label."""
    return Figure(
        metric=metric,
        section=section,
        by={name: read.for_members(column) for name, column in columns.items()},
        labels_of=member_labels,
        written_in=written_in,
    )
