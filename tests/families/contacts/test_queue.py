"""A queue: the short way of what comes most often leads where the general one does."""

from datetime import timedelta

import pytest

from stream.core.policies import Policies
from stream.families.contacts.outcome import contributions_of
from stream.families.contacts.phases import EpisodeKey
from stream.families.contacts.queue import Queue, QueueKey
from stream.families.contacts.rules import RULES
from stream.families.contacts.segment import UNKNOWN, Fact, Note, Segment
from tests.timeline import TEN, after

QUEUE: QueueKey = ("default", "sales", "voice")
KEY: EpisodeKey = (*QUEUE, "ann", 1)


@pytest.mark.parametrize("reason", ["new", "transfer", "requeue"])
@pytest.mark.parametrize("late_by", [timedelta(0), timedelta(minutes=90), timedelta(days=9)])
def test_a_contact_that_enters_and_waits_counts_the_short_way_for_what_it_does_the_long_way(
    reason: Note, late_by: timedelta
) -> None:
    short, general = (Queue(QUEUE, Policies().of(RULES, *QUEUE)) for _ in range(2))
    entered = Segment(applied_offset=7, enqueued=Fact(TEN - late_by, UNKNOWN, UNKNOWN, reason))
    for queue in (short, general):
        queue.counts.watermark = TEN
        queue.snapshot(after("03:00"))  # sums of windows are there, and have to follow

    short.enter(KEY, entered)
    general.counts.count_difference((), contributions_of(entered), entered.applied_offset)
    general.place_segment(KEY, entered, None)

    assert short.snapshot(after("03:00")) == general.snapshot(after("03:00"))
    assert list(short.counts.drain_counted()) == list(general.counts.drain_counted())
    assert short.phases.waiting == general.phases.waiting == {KEY: TEN - late_by}
    assert short.snapshot(after("03:00")).total.offered == 1
