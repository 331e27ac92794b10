"""
Columns of what workers add up where no ratio of theirs can be: contacts by channel, and solutions by what they took.

A mean or percentile of several workers is made of these (`grafana/prometheus/rules`).
"""

from collections.abc import Sequence
from typing import Final

from stream.families.customers.columns import CUSTOMERS_COUNTED, CustomerColumn, CustomerReading
from stream.families.customers.counts import CHANNELS

__all__ = ["contacts_by_channel", "solutions_within"]

_ABOVE: Final = "+Inf"
"""As Prometheus calls the bound of the last bucket, which has all."""


def contacts_by_channel(field: str) -> dict[str, CustomerColumn]:
    """Return by channel a column of a list of counts; no sample by a channel through which nobody ever came."""

    def of(number: int) -> CustomerColumn:
        def column(reading: CustomerReading, window: str) -> Sequence[int | None]:
            ever = CUSTOMERS_COUNTED.ever(reading).came_by[number]
            counts = getattr(CUSTOMERS_COUNTED.counted(reading, window), field)[number]
            return [many if once else None for many, once in zip(counts, ever, strict=True)]

        return column

    return {channel: of(number) for number, channel in enumerate(CHANNELS)}


def solutions_within(field: str, bounds: Sequence[int]) -> dict[str, CustomerColumn]:
    """Return by upper bound a column of how many solutions took no more; no sample where there never was one."""

    def of(number: int) -> CustomerColumn:
        def column(reading: CustomerReading, window: str) -> Sequence[int | None]:
            buckets = getattr(CUSTOMERS_COUNTED.counted(reading, window), field)[: number + 1]
            ever = CUSTOMERS_COUNTED.ever(reading).efforts
            return [sum(many) if once else None for *many, once in zip(*buckets, ever, strict=True)]

        return column

    return {str(bound): of(number) for number, bound in enumerate((*bounds, _ABOVE))}
