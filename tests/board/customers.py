"""A board of customers: what a simulated quarter leaves of plans, groups and queues."""

from datetime import UTC, datetime, timedelta
from functools import cache

from stream.app.replay import replay
from stream.board.view import panels_of
from stream.core.family import Board
from stream.core.figure import Row
from stream.core.policies import Policies, Rule
from stream.families.registry import FAMILIES
from stream.simulator.customers.quarter import simulated_quarter

__all__ = ["ALL_CUSTOMERS", "EVENING", "a_customer_board", "a_row_of"]

EVENING = datetime(2026, 10, 5, 18, tzinfo=UTC)
"""Contacts after purchases and the look-backs of most contacts are over."""

ALL_CUSTOMERS = "default////"
"""The address of the row of all customers."""

_LIMITS = Rule(changes={"churn_limit": 0.03, "cart_abandonment_limit": 0.6, "fcr_target": 0.8})
"""Some of what there is keeps these, and some does not."""


@cache
def a_customer_board(customers: int = 150) -> Board:
    """Return what there is at `EVENING` of a centre that began with so many customers a quarter before."""
    start = EVENING.replace(hour=0) - timedelta(days=95)
    return replay(simulated_quarter(7, customers, start), at=EVENING, policies=Policies(rules=(_LIMITS,))).board(
        EVENING
    )


def a_row_of(key: str, window: str) -> Row:
    """Return what that board tells of the row with this address in a window."""
    panel = panels_of(a_customer_board(), FAMILIES, window)["customers"]
    return next(row for row in panel.rows if "/".join(row[label] for label in panel.labels) == key)
