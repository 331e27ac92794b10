"""
The figures of customers: metrics, and what a board shows of each queue, plan and group.

The customers of one plan are on many partitions. So what workers tell are parts: counts add up, a ratio or mean of
several workers is that of the sums (`grafana/prometheus/rules`), as the board computes it.
"""

from typing import Final

from stream.core.figure import Figure
from stream.families.customers import columns as read
from stream.families.customers.labelled import CustomerFigure
from stream.families.customers.member_figures import MEMBER_FIGURES
from stream.families.customers.policy_figures import POLICY_FIGURES
from stream.families.customers.queue_figures import QUEUE_FIGURES
from stream.families.customers.shown import CHURN_OF_30_DAYS

__all__ = ["FIGURES"]

_ONLY_SHOWN: Final = (
    Figure(column=read.for_members(lambda reading, _: read.churn(reading, "30d")), show=CHURN_OF_30_DAYS),
)

FIGURES: Final[tuple[CustomerFigure, ...]] = (*QUEUE_FIGURES, *MEMBER_FIGURES, *POLICY_FIGURES, *_ONLY_SHOWN)
"""Every figure, in the order of the page of metrics."""
