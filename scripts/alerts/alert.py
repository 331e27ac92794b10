"""What an alert is, and what a recording rule is, whoever evaluates them: Prometheus or Grafana."""

from datetime import timedelta
from typing import Literal

from msgspec import Struct

__all__ = ["Alert", "Concerns", "Reading", "Recording", "Severity"]

Severity = Literal["critical", "warning", "info", "none"]
"""`critical`: somebody must act now, also in quiet hours. `warning`: soon. `info`: look at it today."""

Concerns = Literal["queue", "customers", "feed", "watchdog"]
"""Whom to tell: who leads the queue or keeps customers, who runs the feed, or what watches that alerts arrive."""

Reading = Literal["ratio", "seconds", "count"]
"""How a value is put into words."""


class Recording(Struct, frozen=True, kw_only=True):
    """A figure that several alerts need, computed once."""

    name: str
    expr: str


class Alert(Struct, frozen=True, kw_only=True):
    """
    One alerting rule.

    Texts name `{value}`, `{limit}`, `{where}` (the queue, or plan and group), and labels that the expression leaves,
    such as `{partition}`; each writer puts its own template in their place.
    """

    name: str
    expr: str
    severity: Severity
    concerns: Concerns = "queue"
    dashboard: Literal["queue-detail", "cases", "satisfaction", "customers"] = "queue-detail"
    """Which dashboard shows more of a queue, or of customers."""
    summary: str
    """One line: what is wrong, where, how bad."""
    description: str
    """What it is compared with, since when or over what, and in the last sentence what to do first."""
    value: Reading = "count"
    limit: str = ""
    """The gauge of the policy that the value is compared with, if there is one; read like the value."""
    pending: timedelta = timedelta(0)
    """For how long it must hold before it fires."""
    lingers: timedelta = timedelta(0)
    """For how long it goes on firing when it does not hold any more: what flickers is told once."""
