"""Promised call backs: attempts until the customer answers, three at most.

Kept simple: who calls back is not one of the agents on duty, so no desk is taken and no queue entered.
"""

from stream.families.contacts.events import CallbackAttempted, CallbackConnected, CallbackFailed
from stream.simulator.desks import Calendar, SimulatedVisit
from stream.simulator.events_out import Recorder

__all__ = ["Callbacks"]

# Made up. The last attempt comes some 40 minutes after the promise: within the hour of the demo's past.
PROMISED_AFTER_MS = 10 * 60_000
RETRY_AFTER_MS = 15 * 60_000
RINGS_MS = 20_000
MOST_ATTEMPTS = 3
REACHED = 0.65
"""Share of attempts that the customer answers."""


class Callbacks:
    """Keeps the promises of all queues."""

    def __init__(self, calendar: Calendar, record: Recorder) -> None:
        self._calendar = calendar
        self._record = record

    def promise(self, visit: SimulatedVisit) -> None:
        """A waiting customer has asked to be called back."""
        due = self._calendar.now + PROMISED_AFTER_MS
        self._record.callback_requested(visit, due)
        self._calendar.at(due, self._attempt, (visit, 1))

    def _attempt(self, what: tuple[SimulatedVisit, int]) -> None:
        visit, number = what
        self._record.callback(CallbackAttempted, visit, number)
        # At least a millisecond: an attempt and its outcome must not have the same time.
        rings = 1 + int(visit.queue.rng.random() * RINGS_MS)
        self._calendar.after(rings, self._outcome, what)

    def _outcome(self, what: tuple[SimulatedVisit, int]) -> None:
        visit, number = what
        if visit.queue.rng.random() < REACHED:
            self._record.callback(CallbackConnected, visit, number)
        elif number < MOST_ATTEMPTS:
            self._calendar.after(RETRY_AFTER_MS, self._attempt, (visit, number + 1))
        else:
            self._record.callback(CallbackFailed, visit, number)
