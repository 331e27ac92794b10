"""A simulated contact centre: arrivals, patience, agents and lines, told as domain events; seeded, at any speed."""

from stream.simulator.centre import Centre
from stream.simulator.check import Finding, check
from stream.simulator.continuation import going_on, newest_event
from stream.simulator.engine import simulate
from stream.simulator.erlang import erlang_a, erlang_b, erlang_c
from stream.simulator.pacing import live, paced
from stream.simulator.presets import busy_centre, demo_centre, office_centre
from stream.simulator.queue_log_out import to_queue_log

__all__ = [
    "Centre",
    "Finding",
    "busy_centre",
    "check",
    "demo_centre",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "going_on",
    "live",
    "newest_event",
    "office_centre",
    "paced",
    "simulate",
    "to_queue_log",
]
