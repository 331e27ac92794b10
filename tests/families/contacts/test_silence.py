"""Queues of which nothing is heard any more: they vanish by being looked at, and their rows go later."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.core.limits import MAX_TENANTS, OVERFLOW_QUEUE
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.queue import RETENTION
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally
from tests.families.contacts.test_laws import CODECS, Life, visits, with_repeats
from tests.timeline import TEN, event, fold_of, shown

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

LEFT_OPEN = {
    "waits": [event("enqueued", "ann", TEN, queue="tpyo")],
    "is talked to": [event("enqueued", "ann", TEN, queue="tpyo"), event("answered", "ann", TEN, queue="tpyo")],
    "is wrapped up": [
        event("answered", "ann", TEN, queue="tpyo"),
        event("ended", "ann", TEN, queue="tpyo", wrapup=True),
    ],
    "was called": [event("answered", "ann", TEN, queue="tpyo", direction="outbound")],
    "waits for a call": [event("callback.requested", "ann", TEN, queue="tpyo")],
}
NOTHING_OPEN = {
    "was blocked": [event("blocked", "ann", TEN, queue="tpyo", reason="full")],
    "gave up": [event("abandoned", "ann", TEN, queue="tpyo")],
    "hung up": [event("ended", "ann", TEN, queue="tpyo")],
}
EVERYBODY = LEFT_OPEN | NOTHING_OPEN


class Worker:
    """A fold whose every batch is made durable, and what its changelogs hold after it."""

    def __init__(self, **options: Any) -> None:
        self.fold = ContactsFold(**options)
        self.tables: dict[str, dict[Any, bytes]] = {name: {} for name in self.fold.tables}
        self.offset = 0

    def learn(self, told: Sequence[Event]) -> None:
        for one in told:
            assert not self.fold.apply([one], [self.offset]).failed
            self.offset += 1
            self.checkpoint()

    def checkpoint(self) -> None:
        self.fold.settle()
        for name, rows in self.fold.tables.items():
            for key, row in rows.drain_changed():
                if row is None:
                    self.tables[name].pop(key, None)
                else:
                    self.tables[name][key] = CODECS[name].encode_row(row)
        self.fold.committed(self.offset)

    def queues(self, at: datetime) -> set[str]:
        return {queue.queue for queue in shown(self.fold, at)}


def heartbeat(first: datetime, last: datetime, every: timedelta = 6 * HOUR, queue: str = "support") -> list[Event]:
    """One attempt after the other that is turned away: time goes on, and nothing stays open."""
    steps = (last - first) // every
    return [event("blocked", f"h{n}", first + n * every, queue=queue, reason="full") for n in range(steps + 1)]


@pytest.mark.parametrize("left", EVERYBODY.values(), ids=EVERYBODY)
def test_five_queues_that_were_mistakes_do_not_shut_out_a_real_one_after_a_year(left: list[Event]) -> None:
    worker = Worker(max_queues_per_tenant=6)
    for number in range(5):
        worker.learn([_renamed(one, f"tpyo{number}") for one in left])
    worker.learn(heartbeat(TEN, TEN + 365 * DAY, 6 * HOUR))
    worker.learn([event("enqueued", "bob", TEN + 365 * DAY, queue="sales")])

    assert worker.queues(TEN + 365 * DAY) == {"support", "sales"}
    assert {key[1] for rows in worker.tables.values() for key in rows} == {"support", "sales"}


def _renamed(one: Event, queue: str) -> Event:
    of = one.data
    told = {name: getattr(of, name) for name in ("reason", "direction", "wrapup") if getattr(of, name, None)}
    kind = type(one).__struct_config__.tag
    return event(str(kind), one.subject, one.time, **told, queue=queue)


@pytest.mark.parametrize("channel", ["voice", "email"])
@pytest.mark.parametrize("left", EVERYBODY.values(), ids=EVERYBODY)
def test_a_silent_queue_vanishes_by_being_looked_at(left: list[Event], channel: str) -> None:
    told = [
        event(str(type(one).__struct_config__.tag), one.subject, TEN, **_data(one), channel=channel) for one in left
    ]
    fold = fold_of(told)
    ghost_after = timedelta(hours=4) if channel == "voice" else timedelta(days=14)
    last = TEN + RETENTION.reach + (ghost_after if left in LEFT_OPEN.values() else timedelta(0))

    assert len(shown(fold, TEN + timedelta(minutes=1))) == 1
    assert len(shown(fold, last)) == 1
    assert shown(fold, last + timedelta(seconds=1)) == []
    assert shown(fold, TEN + timedelta(minutes=1))  # and whoever looks back still sees it


def _data(one: Event) -> dict[str, Any]:
    names = ("reason", "direction", "wrapup", "queue")
    return {name: getattr(one.data, name) for name in names if getattr(one.data, name, None)}


@pytest.mark.parametrize("left", EVERYBODY.values(), ids=EVERYBODY)
def test_what_a_window_still_shows_is_on_the_board(left: list[Event]) -> None:
    """To the end of the day after the last one on which something happened, ghosts that expire included."""
    fold = fold_of(left)
    (queue,) = fold.queues.values()
    for hours in range(24 * 20):
        at = TEN + hours * HOUR
        counts = any(window != Tally() for window in queue.snapshot(at).windows.values())
        assert not counts or shown(fold, at)


@pytest.mark.parametrize("every", [10 * timedelta(minutes=1), 6 * HOUR, 5 * DAY])
def test_tables_hold_nothing_of_what_is_silent(every: timedelta) -> None:
    """However seldom something comes for another queue; tenants and those beyond the limit go as well."""
    worker = Worker(max_queues_per_tenant=4)
    for number, (name, left) in enumerate(EVERYBODY.items()):
        worker.learn([_renamed(one, name.replace(" ", "-")) for one in left])
        worker.learn([event("enqueued", "eve", TEN, queue="only", tenant=f"tenant{number}")])
    assert worker.queues(TEN) >= {OVERFLOW_QUEUE, "only"}
    beats = heartbeat(TEN + HOUR, TEN + 20 * DAY, every, queue="waits")
    worker.learn(beats)

    assert {key[:2] for rows in worker.tables.values() for key in rows} == {("default", "waits")}
    assert {key[:2] for key in worker.fold.queues} == {("default", "waits")}
    assert worker.queues(beats[-1].time) == {"waits"}


def test_tenants_that_were_mistakes_make_room_for_real_ones() -> None:
    worker = Worker()
    told = [event("enqueued", "ann", TEN, tenant=f"tpyo{number}") for number in range(MAX_TENANTS - 1)]
    worker.fold.apply(told, range(len(told)))
    worker.offset = len(told)
    worker.learn(heartbeat(TEN, TEN + 4 * DAY))
    worker.learn([event("enqueued", "bob", TEN + 4 * DAY, tenant=f"real{number}") for number in range(3)])

    assert {queue.tenant for queue in shown(worker.fold, TEN + 4 * DAY)} == {"default", "real0", "real1", "real2"}


def test_rows_of_a_silent_queue_go_only_when_its_segments_are_gone_for_good() -> None:
    worker = Worker()
    worker.learn([event("abandoned", "ann", TEN, queue="tpyo")])
    for told in heartbeat(TEN + 4 * DAY, TEN + 4 * DAY + 3 * HOUR, HOUR):
        worker.fold.apply([told], [worker.offset])
        worker.fold.settle()  # and a checkpoint is under way, with the tombstones of the segments
        worker.offset += 1
    assert {key[1] for key in worker.fold.segments} == {"support"}
    assert "tpyo" in {key[1] for key in worker.fold.tallies}

    worker.checkpoint()
    worker.learn(heartbeat(TEN + 5 * DAY, TEN + 5 * DAY))
    assert {key[1] for key in worker.fold.tallies} == {"support"}


def test_a_queue_that_is_fed_days_late_is_not_forgotten() -> None:
    """Beside one that is told of at once: its own time goes on, if late."""
    worker = Worker()
    for hours in range(0, 24 * 10, 2):
        late = event("enqueued", f"late{hours}", TEN + hours * HOUR, queue="late")
        worker.learn([event("blocked", f"h{hours}", TEN + 5 * DAY + hours * HOUR, reason="full"), late])
        if hours % 24 == 12:
            worker.fold.recovered()

    (queue,) = (queue for queue in shown(worker.fold, TEN + 10 * DAY) if queue.queue == "late")
    assert queue.total.offered == 120


def test_a_queue_that_comes_back_begins_anew() -> None:
    told = [event("answered", f"c{n}", TEN + n * HOUR, queue="sales") for n in range(3)]
    told += [event("enqueued", "ghost", TEN + 3 * HOUR), event("answered", "bob", TEN + 9 * DAY, wait_ms=5000)]
    after_a_week, days = fold_of(told), TEN + 9 * DAY + HOUR

    (queue,) = shown(after_a_week, days)
    assert (queue.total.offered, queue.total.answered, queue.total.expired, queue.waiting) == (1, 1, 0, 0)
    assert queue.windows["today"].answered == 1


@pytest.mark.parametrize(("after", "offered"), [(2 * DAY, 2), (2 * DAY + 5 * HOUR, 2), (3 * DAY, 1)])
def test_totals_go_on_over_a_silence_that_is_not_longer_than_the_windows_and_the_ghost_limit(
    after: timedelta, offered: int
) -> None:
    fold = fold_of([event("enqueued", "ann", TEN), event("enqueued", "bob", TEN + after)])

    assert [queue.total.offered for queue in shown(fold, TEN + after)] == [offered]


def test_a_replay_of_a_whole_record_shows_everything_that_was_in_it() -> None:
    told = [event("answered", "ann", TEN, queue="once"), event("answered", "bob", TEN, queue="weekly")]
    told += [event("answered", f"c{week}", TEN + 7 * week * DAY, queue="weekly") for week in (1, 2)]

    def answered(*, whole: bool) -> dict[str, int]:
        queues: tuple[QueueSnapshot, ...] = replay(told, whole=whole).board().snapshots["contacts"]
        return {queue.queue: queue.total.answered for queue in queues}

    assert answered(whole=True) == {"once": 1, "weekly": 3}
    assert answered(whole=False) == {"weekly": 1}


@st.composite
def gappy_weeks(draw: st.DrawFn) -> list[Event]:
    """The events of some visits, with hours or days of silence between them."""
    told, later = [], timedelta(0)
    for number in range(draw(st.integers(1, 8))):
        later += draw(st.sampled_from([timedelta(0), HOUR, 49 * HOUR, 53 * HOUR, 56 * HOUR, 5 * DAY, 20 * DAY]))
        told += [_moved(one, later) for one in draw(visits(f"c{number}"))]
    return sorted(told, key=lambda one: one.time)


def _moved(one: Event, later: timedelta) -> Event:

    return replace(one, time=one.time + later)


@given(gappy_weeks(), st.randoms(use_true_random=False), st.integers(0, 60 * 24))
def test_a_worker_shows_what_a_replay_does_whatever_was_forgotten_when(
    weeks: list[Event], chance: random.Random, hours: int
) -> None:
    """Checkpoints at any time, each cut off anywhere, commits that lag; the replay never settles."""
    arrived = with_repeats(weeks, chance)
    life = Life(arrived)
    while life.position < len(arrived):
        life.fold_some(chance.randint(1, 4))
        if chance.random() < 0.6:
            life.checkpoint(chance, whole=chance.random() < 0.7, folds_meanwhile=chance.randint(0, 3))
        if chance.random() < 0.2:
            life.crash()

    newest = max((one.time for one in arrived), default=TEN)
    for at in (newest, newest + hours * HOUR):
        assert _by_name(life.fold, at) == _by_name(fold_of(arrived), at)


def _by_name(fold: ContactsFold, at: datetime) -> list[QueueSnapshot]:
    return sorted(shown(fold, at), key=lambda queue: queue.queue)
