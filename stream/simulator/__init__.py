"""A simulated contact centre: arrivals, patience, agents, cases, customers; told as events, seeded, at any speed."""

from stream.simulator.centre import Centre
from stream.simulator.continuation import going_on, newest_event
from stream.simulator.engine import simulate
from stream.simulator.pacing import CASES_BEFORE, CUSTOMERS_BEFORE, live, paced
from stream.simulator.presets import busy_centre, demo_centre, office_centre
from stream.simulator.queue_log_out import to_queue_log
from stream.simulator.surveys import with_surveys

__all__ = [
    "CASES_BEFORE",
    "CUSTOMERS_BEFORE",
    "Centre",
    "busy_centre",
    "demo_centre",
    "going_on",
    "live",
    "newest_event",
    "office_centre",
    "paced",
    "simulate",
    "to_queue_log",
    "with_surveys",
]
