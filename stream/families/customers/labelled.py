"""How the figures of customers are labelled: some by queue and channel, the others by plan and group of customers."""

from collections.abc import Mapping
from typing import Final

from stream.core.figure import Figure
from stream.core.metric import Metric
from stream.families.customers import columns as read
from stream.families.customers.columns import CustomerColumn
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


def _figure(section: str, metric: Metric, column: CustomerColumn, written_in: WrittenIn | None) -> CustomerFigure:
    # What is judged knows of how many it was made.
    number = CUSTOMER_SAMPLES.get(metric.name)
    return Figure(
        metric=metric,
        section=section,
        column=column if number is None else read.sampled(column, number),
        labels_of=_queue_labels if metric.labels[: len(QUEUE_LABELS)] == QUEUE_LABELS else member_labels,
        show=CUSTOMERS_SHOWN.get(metric.name),
        written_in=written_in,
    )


def of_queue(
    section: str, metric: Metric, column: CustomerColumn, written_in: WrittenIn | None = None
) -> CustomerFigure:
    """Return a figure that queues have, and plans and groups have not."""
    return _figure(section, metric, read.for_queues(column), written_in)


def of_members(
    section: str, metric: Metric, column: CustomerColumn, written_in: WrittenIn | None = None
) -> CustomerFigure:
    """Return a figure that plans, groups and all customers together have, and queues have not."""
    return _figure(section, metric, read.for_members(column), written_in)


def queue_by_name(
    section: str, metric: Metric, columns: Mapping[str, CustomerColumn], written_in: WrittenIn | None = None
) -> CustomerFigure:
    """Return a figure of queues with a column for each value of its last label."""
    return Figure(metric=metric, section=section, by=columns, labels_of=_queue_labels, written_in=written_in)


def by_name(
    section: str, metric: Metric, columns: Mapping[str, CustomerColumn], written_in: WrittenIn | None = None
) -> CustomerFigure:
    """Return the same of plans, groups and all customers together."""
    by = {name: read.for_members(column) for name, column in columns.items()}
    return Figure(metric=metric, section=section, by=by, labels_of=member_labels, written_in=written_in)
