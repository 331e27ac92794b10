"""A simulated contact centre: arrivals, patience, agents and lines, told as domain events; seeded, at any speed."""

from stream.ingest.simulator.centre import Centre
from stream.ingest.simulator.check import Finding, check
from stream.ingest.simulator.continuation import going_on, newest_event
from stream.ingest.simulator.engine import simulate
from stream.ingest.simulator.erlang import erlang_a, erlang_b, erlang_c
from stream.ingest.simulator.pacing import live, paced
from stream.ingest.simulator.presets import busy_centre, demo_centre, office_centre
from stream.ingest.simulator.queue_log_out import to_queue_log

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
