"""The published numbers of a real log (contact-centre.md §1.2), told from the mapped events by counting alone."""

import pytest

from stream.families.contacts import events as e
from tests.samples import sample
from tests.sources.queue_logs import mapped, mapper


def log_of_2010() -> bytes:
    return sample("asterisk/queue_log_2010_freepbx.txt").read_bytes()


def test_the_sample_of_2010_has_its_golden_numbers() -> None:
    by = mapper()
    events = mapped(log_of_2010(), by)
    answers = [event.data.wait_ms or 0 for event in events if isinstance(event, e.ContactAnswered)]
    abandons = [event.data.wait_ms or 0 for event in events if isinstance(event, e.ContactAbandoned)]
    offered = {event.subject for event in events if isinstance(event, e.ContactEnqueued)}
    decided = {event.subject for event in events if isinstance(event, e.ContactAnswered | e.ContactAbandoned)}

    assert (len(answers), sum(wait <= 20_000 for wait in answers)) == (8, 6)
    assert (len(abandons), sum(wait <= 20_000 for wait in abandons), sum(wait <= 5_000 for wait in abandons)) == (
        12,
        8,
        2,
    )
    assert not [event for event in events if isinstance(event, e.ContactDequeued | e.ContactBlocked)]
    assert len(offered - decided) == 1
    assert sum(answers) / 8 == pytest.approx(17_880, abs=5)
    assert sum(isinstance(event, e.ContactEnded) for event in events) == 7
    assert (by.intake.read, by.intake.ignored.total(), by.intake.refused.total()) == (278, 7, 0)


def test_each_line_of_the_sample_is_an_event_of_its_own() -> None:
    events = mapped(log_of_2010())
    own = [event for event in events if isinstance(event, e.ContactEvent) and len(event.id) == 32]

    assert len({event.id for event in events}) == len(events)
    assert len({event.id.partition("-")[0] for event in own}) > 250
