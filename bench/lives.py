"""Contacts that come and go at an even pace, with as many of them open at any time as one asks for.

The mix of events is that of the simulated day; times, kinds and sizes do not depend on the number of
queues or of open contacts, which is what makes those comparable.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bench.material import START, Sent

__all__ = ["EVENTS_OF_A_CONTACT", "LONGEST_LIFE", "lives"]

CONTACTS_PER_SECOND = 180
"""As 10,000 queues of the simulated day have them: 65 an hour each."""

EVENTS_OF_A_CONTACT = 7

_STEPS_LATER = {
    "offered_to_agent": (0, '"agent":"agent-{agent:05}","offer_id":"{contact}.1"'),
    "answered": (0, '"agent":"agent-{agent:05}","offer_id":"{contact}.1","ring_ms":4870'),
    "held": (900, '"agent":"agent-{agent:05}"'),
    "resumed": (1800, '"agent":"agent-{agent:05}"'),
    "ended": (2700, '"agent":"agent-{agent:05}","ended_by":"customer","talk_ms":171204,"hold_ms":25031,"wrapup":true'),
    "wrapup_ended": (3600, '"agent":"agent-{agent:05}","acw_ms":30210'),
}
"""Steps, counted from the end of the wait, after which each kind of event happens, and what it says."""

LONGEST_LIFE = 3600
"""Steps from the end of the wait to the last event."""


def lives(
    queues: int, still_open: int, *, start: datetime = START, per_second: float = CONTACTS_PER_SECOND
) -> Iterator[list[Sent]]:
    """
    Yield the events of one step after the other: a contact arrives, and others go on.

    After *still_open* steps of arrivals alone as many contacts wait, and every step has the same
    seven kinds of events, until the steps end, which they do not.
    """
    step, length = 0, timedelta(seconds=1) / per_second
    while True:
        at = (start + step * length).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        events = [_event("enqueued", step, at, queues, "")]
        for kind, (later, says) in _STEPS_LATER.items():
            contact = step - still_open - later
            if contact >= 0:
                events.append(_event(kind, contact, at, queues, says))
        yield events
        step += 1


def _event(kind: str, contact: int, at: str, queues: int, says: str) -> Sent:
    # Knuth's multiplicative hash: neighbours in time are in queues that have nothing to do with each other.
    number = (contact * 2_654_435_761 % 2**32) * queues >> 32
    name, queue = f"contact-{contact:08}", f"queue-{number:05}"
    data = f'"queue":"{queue}"' + (says and "," + says.format(agent=number, contact=name))
    value = (
        f'{{"type":"contact.{kind}","id":"{name}-{kind}","source":"/bench/lives","time":"{at}","subject":"{name}",'
        f'"specversion":"1.0","data":{{{data}}}}}'
    )
    return Sent(f"default/{queue}".encode(), value.encode())
