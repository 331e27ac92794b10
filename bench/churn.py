"""A centre in which nothing stays: queues come and fall silent, contacts come, wait, talk and go.

It knows what it has told, so that each queue's figures can be checked without replaying millions of events.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from heapq import heappop, heappush
from math import inf, pi, sin

from bench.material import Sent

__all__ = ["ACTIVE_QUEUES", "EVENTS_OF_A_CONTACT", "Churn", "LastShare"]

ACTIVE_QUEUES = 100
"""Queues that have calls at any instant; the others are silent."""

NAMES = 300
"""All the queues there are: when each has had its turn the first come again."""

TURN_SECONDS = 1800.0
"""How long a queue has calls."""

ABANDONS = 10
"""One contact of so many hangs up before anybody answers."""

WAIT_SECONDS = 60.0
TIDE_SECONDS = 2400.0
"""Waits grow to three times the shortest and shrink again, and with them the number of open contacts."""

STEPS = (("answered", 90.0), ("held", 30.0), ("resumed", 90.0), ("ended", 30.0), ("wrapup_ended", 0.0))
"""What becomes of a contact that is answered, and the seconds until the next step."""

LENGTHS = {
    "ended": ',"talk_ms":180000,"hold_ms":30000,"wrapup":true',  # handled when that is over
    "wrapup_ended": ',"acw_ms":30000',
}
"""What a call system tells of lengths: else counters would wait for what may be late, also at the end of the run."""

EVENTS_OF_A_CONTACT = ((ABANDONS - 1) * (1 + len(STEPS)) + 2) / ABANDONS
AGENTS = 500

LastShare = Counter[tuple[str, str]]
"""How many events of a kind were told of a queue."""


class Churn:
    """Tells what happens up to one instant after the other; instants do not go back."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._arrived = 0
        self._due: list[tuple[float, int, int]] = []
        self._queues: dict[int, str] = {}
        self.told: LastShare = Counter()

    @property
    def open_contacts(self) -> int:
        """How many contacts wait, talk or are wrapped up."""
        return len(self._queues)

    def until(self, at: datetime, arrivals: int) -> Iterator[Sent]:
        """Yield what is due by *at*, then so many contacts that arrive."""
        elapsed = (at - self._start).total_seconds()
        yield from self._go_on(at, elapsed)
        wait = WAIT_SECONDS * (2 + sin(elapsed / TIDE_SECONDS * 2 * pi))
        # Every so often the oldest queue falls silent and another begins: the window of names slides.
        oldest, time = int(elapsed / TURN_SECONDS * ACTIVE_QUEUES), _written(at)
        for contact in range(self._arrived, self._arrived + arrivals):
            self._queues[contact] = f"queue-{(oldest + contact % ACTIVE_QUEUES) % NAMES:03}"
            heappush(self._due, (elapsed + wait, contact, 0))
            yield self._event("enqueued", time, contact)
        self._arrived += arrivals

    def end(self, at: datetime) -> Iterator[Sent]:
        """Yield what has to happen until nobody is left, all of it at once."""
        yield from self._go_on(at, inf)

    def _go_on(self, at: datetime, until: float) -> Iterator[Sent]:
        time = _written(at)
        while self._due and self._due[0][0] <= until:
            due, contact, step = heappop(self._due)
            abandons = step == 0 and contact // ACTIVE_QUEUES % ABANDONS == 0
            kind, length = ("abandoned", 0.0) if abandons else STEPS[step]
            yield self._event(kind, time, contact)
            if abandons or step + 1 == len(STEPS):
                del self._queues[contact]
            else:
                heappush(self._due, (due + length, contact, step + 1))

    def _event(self, kind: str, time: str, contact: int) -> Sent:
        queue = self._queues[contact]
        self.told[queue, kind] += 1
        who = "" if kind in {"enqueued", "abandoned"} else f',"agent":"agent-{contact % AGENTS:03}"'
        who += LENGTHS.get(kind, "")
        value = (
            f'{{"type":"contact.{kind}","id":"{contact}-{kind}","source":"/bench/churn","time":"{time}",'
            f'"subject":"contact-{contact:09}","specversion":"1.0","data":{{"queue":"{queue}"{who}}}}}'
        )
        return Sent(f"default/{queue}".encode(), value.encode())


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
