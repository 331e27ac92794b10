"""State that is created is cleared: what a fold keeps is bounded by what is open and by the windows."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.core.family import merged
from stream.core.limits import MAX_TENANTS, OVERFLOW_QUEUE
from stream.core.policies import Policies, Rule
from stream.families.contacts.events import ContactAbandoned
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.queue import RETENTION, Queue
from stream.families.contacts.rules import Policy
from tests.timeline import TEN, after, event, shown, story

pytestmark = pytest.mark.slow


def live(fold: ContactsFold, told: list[Event]) -> None:
    """Apply events, and make each of them durable before the next."""
    for offset, one in enumerate(told):
        fold.apply([one], [offset])
        fold.settle()
        fold.committed(offset + 1)


def test_a_finished_segment_that_was_written_goes_after_the_duplicate_window_and_the_commit() -> None:
    fold = ContactsFold()
    fold.apply(story("00:00 enqueued ann\n00:10 answered ann\n01:00 ended ann"), [0, 1, 2])
    fold.settle()
    fold.segments.drain_changed()
    late = event("enqueued", "bob", after("01:00") + Policy().duplicate_window + timedelta(minutes=1))

    fold.apply([late], [3])
    fold.settle()
    kept_without_commit = len(fold.segments)
    fold.committed(4)
    fold.apply([event("enqueued", "cid", late.time + timedelta(minutes=1))], [4])
    fold.settle()

    assert kept_without_commit == 2
    assert {key[3] for key in fold.segments} == {"bob", "cid"}
    assert ("default", "sales", "voice", "ann", 1) in fold.segments.changed  # a tombstone is due


def test_a_finished_segment_that_no_checkpoint_has_seen_goes_without_a_trace() -> None:
    fold = ContactsFold()
    fold.apply(story("00:00 enqueued ann\n00:10 answered ann\n01:00 ended ann"), [0, 1, 2])
    fold.apply([event("enqueued", "bob", after("01:00") + Policy().duplicate_window + timedelta(minutes=1))], [3])
    fold.settle()

    assert [key[3] for key, _ in fold.segments.drain_changed()] == ["bob"]


def test_a_segment_that_is_open_again_is_forgotten_once() -> None:
    fold = ContactsFold()
    long_ago = event("enqueued", "ann", TEN - timedelta(days=3))
    told = [event("offer_ended", "ann", TEN, result="missed"), long_ago]
    told += [event("enqueued", f"later-{n}", TEN + timedelta(minutes=n)) for n in (1, 12, 13)]
    live(fold, told)

    assert {key[3] for key in fold.segments} == {"later-1", "later-12", "later-13"}


@pytest.mark.parametrize(
    ("defect", "told"),
    [
        ("enter", "00:00 enqueued ann queue=broken"),
        ("place_segment", "00:00 enqueued ann queue=broken\n00:10 abandoned ann queue=broken"),
    ],
)
def test_a_defect_in_counting_is_told_with_the_record_and_spares_the_others(
    defect: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold, at_fault = ContactsFold(), story(told)
    _break(monkeypatch, defect, "broken")
    applied = fold.apply([*at_fault, event("enqueued", "bob")], range(len(at_fault) + 1))

    assert [offset for offset, _ in applied.failed] == [len(at_fault) - 1]
    assert [queue.total.offered for queue in shown(fold, after("01:00")) if queue.queue == "sales"] == [1]


def test_a_contact_that_a_defect_has_hit_takes_later_events_without_another(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = ContactsFold()
    fold.apply(story("00:00 enqueued ann"), [0])
    with monkeypatch.context() as defect:
        _break(defect, "place_segment", "sales")
        assert fold.apply(story("00:20 abandoned ann"), [1]).failed

    assert not fold.apply(story("00:10 abandoned ann"), [2]).failed


def _break(monkeypatch: pytest.MonkeyPatch, name: str, queue_name: str) -> None:
    whole = getattr(Queue, name)

    def broken(queue: Queue, *told: Any) -> None:
        if queue.key[1] == queue_name:
            raise ZeroDivisionError
        whole(queue, *told)

    monkeypatch.setattr(Queue, name, broken)


def test_a_repeat_within_the_duplicate_window_changes_nothing() -> None:
    fold = ContactsFold()
    told = story("00:00 enqueued ann\n00:10 answered ann\n01:00 ended ann")
    fold.apply(told, [0, 1, 2])
    fold.committed(3)

    applied = fold.apply([event("enqueued", "bob", "10:59"), *told], [3, 4, 5, 6])

    (queue,) = shown(fold, after("11:00"))
    assert applied.duplicates == 3
    assert (queue.total.offered, queue.total.answered) == (2, 1)


def test_minutes_that_nothing_reaches_any_more_are_forgotten() -> None:
    fold = ContactsFold()
    for n in range(3 * RETENTION.minutes):
        fold.apply([event("blocked", f"c{n}", TEN + timedelta(minutes=n), reason="full")], [n])
    fold.settle()

    minutes = [key for key in fold.tallies if key[3] == "minute"]
    days = [key for key in fold.tallies if key[3] == "day"]

    assert len(minutes) == RETENTION.minutes + 1
    assert len(days) == 1


def test_ghosts_are_forgotten_long_after_they_left_the_board_and_stay_counted() -> None:
    fold = ContactsFold()
    much_later = TEN + timedelta(days=3)
    told = [event("blocked", f"c{day}", TEN + timedelta(days=day), reason="full") for day in (1, 2)]
    live(fold, [event("enqueued", "ann", TEN), *told, event("enqueued", "bob", much_later)])

    (queue,) = shown(fold, much_later)

    assert {key[3] for key in fold.segments} == {"bob"}
    assert (queue.total.offered, queue.total.expired, queue.waiting) == (2, 1, 1)


def test_queues_beyond_the_limit_share_one_series_and_lose_nothing() -> None:
    fold = ContactsFold(max_queues_per_tenant=3)
    told = [event("answered", "ann", "00:01", queue=f"q{n}") for n in range(10)]

    applied = fold.apply(told, range(10))

    board = {queue.queue: queue.total.answered for queue in shown(fold, after("01:00"))}
    assert applied.overflowed == 7
    assert board == {"q0": 1, "q1": 1, "q2": 1, OVERFLOW_QUEUE: 7}


def test_an_event_too_late_for_its_day_is_counted_as_late_and_in_the_totals() -> None:
    fold = ContactsFold()
    fold.apply([event("answered", "ann", TEN + timedelta(days=5))], [0])

    applied = fold.apply([event("answered", "bob", TEN)], [1])

    (queue,) = shown(fold, TEN + timedelta(days=5, minutes=1))
    assert applied.late == 1
    assert (queue.total.answered, queue.windows["today"].answered) == (2, 1)


def test_a_defect_in_the_fold_of_one_event_spares_the_others() -> None:
    fold = ContactsFold()
    broken = replace(event("answered", "cid"), data=None)

    applied = fold.apply([event("answered", "ann"), broken, event("answered", "bob")], [0, 1, 2])

    (queue,) = shown(fold, after("01:00"))
    assert [offset for offset, _ in applied.failed] == [1]
    assert queue.total.answered == 2


def test_a_source_that_is_an_hour_behind_has_the_same_duplicate_window() -> None:
    fold = ContactsFold()
    behind = story("00:00 enqueued ann\n00:10 answered ann\n01:00 ended ann")
    arrived = [event("enqueued", "bob", "60:00"), *behind, event("enqueued", "cid", "61:00"), *behind]
    duplicates = 0
    for offset, told in enumerate(arrived):
        duplicates += fold.apply([told], [offset]).duplicates
        fold.committed(offset + 1)

    (queue,) = shown(fold, after("62:00"))
    assert duplicates == 3
    assert (queue.total.offered, queue.total.answered) == (3, 1)


SLOW_SOURCE = Policies(rules=(Rule(queue="sales", changes={"duplicate_window": timedelta(days=6)}),))
CALL = "00:00 enqueued ann {0}\n00:10 answered ann {0}\n01:00 ended ann {0}\n"


@pytest.mark.parametrize(("queue", "answered"), [("sales", 1), ("support", 2)])
def test_a_queue_whose_source_tells_again_after_days_knows_its_contacts_for_so_long(queue: str, answered: int) -> None:
    fold = ContactsFold(SLOW_SOURCE)
    call = story(CALL.format(f"queue={queue}"))
    # Busy for two days, then silent for longer than other queues are remembered.
    busy = [event("enqueued", f"b{hour}", TEN + timedelta(hours=hour), queue=queue) for hour in range(48)]

    elsewhere = event("enqueued", "dan", TEN + timedelta(days=5), queue="other")
    live(fold, [*call, *busy, elsewhere, *call])

    assert {each.queue: each.total.answered for each in shown(fold, TEN + timedelta(days=1))}[queue] == answered


def test_names_that_were_mistakes_make_room_for_real_queues_in_the_end() -> None:
    fold = ContactsFold(max_queues_per_tenant=2)
    told = [event("blocked", f"c{n}", TEN, queue=f"tpyo{n}", reason="full") for n in range(2)]
    told += [event("enqueued", f"d{day}", TEN + timedelta(days=3 + day), queue="sales") for day in range(3)]
    live(fold, told)

    assert {key[1] for key in fold.queues} == {OVERFLOW_QUEUE, "sales"}
    assert not [key for key in fold.tallies if key[1].startswith("tpyo")]


def test_the_limit_of_all_queues_makes_room_in_the_end_as_well() -> None:
    fold = ContactsFold(max_queues=2)
    told = [event("blocked", f"c{n}", TEN, tenant=f"tpyo{n}", reason="full") for n in range(2)]
    told += [event("enqueued", f"d{day}", TEN + timedelta(days=3 + day), tenant="acme") for day in range(3)]
    live(fold, told)

    assert ("acme", "sales", "voice") in fold.queues
    assert not [key for key in fold.tallies if key[0].startswith("tpyo")]


def test_tenants_without_end_share_one_series() -> None:
    fold = ContactsFold()
    told = [event("answered", "ann", "00:01", tenant=f"tenant{n}") for n in range(MAX_TENANTS + 50)]

    applied = fold.apply(told, range(len(told)))

    (shared,) = [queue for queue in shown(fold, after("01:00")) if queue.tenant == OVERFLOW_QUEUE]
    assert (applied.overflowed, shared.total.answered) == (50, 50)
    assert len(fold.queues) == MAX_TENANTS + 1


def test_the_shared_series_of_several_partitions_is_one() -> None:
    folds = [ContactsFold(max_queues_per_tenant=1) for _ in range(2)]
    for number, fold in enumerate(folds):
        told = [event("enqueued", f"c{n}", f"00:0{number}", queue=f"q{number}{n}") for n in range(3)]
        fold.apply(told, range(3))

    queues = {
        queue.queue: queue for queue in merged(one for fold in folds for _, one in fold.snapshots(after("01:00")))
    }

    assert set(queues) == {"q00", "q10", OVERFLOW_QUEUE}
    assert (queues[OVERFLOW_QUEUE].waiting, queues[OVERFLOW_QUEUE].total.offered) == (4, 4)
    assert queues[OVERFLOW_QUEUE].longest_wait == timedelta(seconds=60)


def test_what_changes_nothing_makes_no_queue() -> None:
    fold = ContactsFold()
    fold.apply([event("offer_ended", "ann", result="canceled"), event("offered_to_agent", "ann")], [0, 1])

    assert not fold.queues
    assert not fold.segments


def test_all_queues_together_have_a_limit_as_well() -> None:
    fold = ContactsFold(max_queues=10)
    told = [event("answered", "ann", "00:01", tenant=f"t{n}", queue=f"q{m}") for n in range(8) for m in range(8)]

    applied = fold.apply(told, range(len(told)))

    named = [queue for queue in shown(fold, after("01:00")) if queue.queue != OVERFLOW_QUEUE]
    assert len(named) == 10
    assert applied.overflowed == 54
    assert sum(queue.total.answered for queue in shown(fold, after("01:00"))) == 64


@pytest.mark.slow
@pytest.mark.timeout(400)  # twelve seconds, where nothing else runs
def test_a_million_queue_names_leave_memory_and_page_as_they_were() -> None:
    fold = ContactsFold(max_queues_per_tenant=100)
    like = event("abandoned", "ann")
    assert isinstance(like, ContactAbandoned)
    for start in range(0, 1_000_000, 10_000):
        names = range(start, start + 10_000)
        told = [
            replace(like, time=TEN + timedelta(milliseconds=100 * n), data=replace(like.data, queue=f"queue-{n}"))
            for n in names
        ]
        applied = fold.apply(told, names)
        fold.settle()
        fold.committed(start + 10_000)
        assert not applied.failed
        assert len(fold.queues) <= 101
        assert len(fold.segments) < 50_000

    assert sum(queue.total.abandoned for queue in shown(fold, TEN + timedelta(days=2))) == 1_000_000
