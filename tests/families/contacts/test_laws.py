"""What must hold of all days, whatever order their events arrive in."""

import random
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.core.policies import Policies, Rule
from stream.core.row_codec import RowCodec
from stream.families.contacts.events import (
    ContactAbandoned,
    ContactAnswered,
    ContactDequeued,
    ContactEnded,
    ContactEnqueued,
    ContactTransferred,
    SegmentEvent,
)
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.rules import Formula
from stream.families.contacts.service_level import service_level
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tables import SEGMENTS, TALLIES
from stream.families.contacts.tally import Tally
from tests import timeline
from tests.timeline import TEN, event, fold_of, story

END = TEN + timedelta(hours=1, minutes=30)

SOON_GHOSTS = Policies(rules=(Rule(changes={"ghost_after": timedelta(seconds=40)}),))


@st.composite
def visits(draw: st.DrawFn, contact: str) -> list[Event]:
    """One visit of a contact to a queue, as a call system reports it, perhaps with reports missing."""
    at = TEN + timedelta(milliseconds=draw(st.integers(0, 80 * 60_000)))
    where = {"queue": draw(st.sampled_from(["sales", "support"]))}
    wait = timedelta(milliseconds=draw(st.integers(0, 90_000)))
    told = [event("enqueued", contact, at, **where)]
    outcome = draw(st.sampled_from(["answered", "abandoned", "timeout", "waiting", "blocked", "callback"]))
    if outcome == "blocked":
        return [event("blocked", contact, at, reason=draw(st.sampled_from(["full", "closed"])), **where)]
    if outcome == "abandoned":
        told.append(event("abandoned", contact, at + wait, **where))
    elif outcome == "timeout":
        told.append(event("dequeued", contact, at + wait, reason="timeout", **where))
    elif outcome == "callback":
        told.append(event("dequeued", contact, at + wait, reason="callback_requested", **where))
        told.append(event("callback.requested", f"cb-{contact}", at + wait, **where))
        told.append(event("callback.attempted", f"cb-{contact}", at + wait * 2, attempt=1, **where))
    elif outcome == "answered":
        told += draw(conversations(contact, at + wait, where))
    return [reported for reported in told if draw(st.integers(0, 19))]


@st.composite
def conversations(draw: st.DrawFn, contact: str, at: datetime, where: dict[str, str]) -> list[Event]:
    """A conversation with hold and wrap-up, or a transfer."""
    talk = timedelta(milliseconds=draw(st.integers(0, 600_000)))
    told = [event("answered", contact, at, **where)]
    if draw(st.booleans()):
        told += [event("held", contact, at + talk / 3, **where), event("resumed", contact, at + talk / 2, **where)]
    match draw(st.sampled_from(["ended", "wrapup", "surprise", "transferred", "talking"])):
        case "ended":
            told.append(event("ended", contact, at + talk, **where))
        case "wrapup":
            told.append(event("ended", contact, at + talk, wrapup=True, **where))
            told.append(event("wrapup_ended", contact, at + talk * 2, **where))
        case "surprise":
            told.append(event("ended", contact, at + talk, **where))
            told.append(event("wrapup_started", contact, at + talk, **where))
            told.append(event("wrapup_ended", contact, at + talk * 2, **where))
        case "transferred":
            told.append(event("transferred", contact, at + talk, kind="blind", **where))
        case _:
            pass
    return told


@st.composite
def days(draw: st.DrawFn) -> list[Event]:
    """The events of up to a dozen visits, in the order of time."""
    told = [reported for n in range(draw(st.integers(1, 12))) for reported in draw(visits(f"c{n}"))]
    return sorted(told, key=lambda reported: reported.time)


@st.composite
def corrected_days(draw: st.DrawFn) -> list[Event]:
    """A day of which some reports are corrected, once or twice."""
    told = draw(days())
    for number, reported in enumerate(list(told)):
        if isinstance(reported, SegmentEvent) and draw(st.integers(0, 4)) == 0:
            data = replace(reported.data, revision=draw(st.integers(1, 3)))
            at = reported.time + timedelta(milliseconds=draw(st.integers(-20_000, 20_000)))
            told.append(replace(reported, id=f"{reported.id}:{number}", time=at, data=data))
    return sorted(told, key=lambda reported: reported.time)


def uncorrected(queue: QueueSnapshot) -> QueueSnapshot:
    """Return a queue as if nothing had ever been taken back."""
    return replace(queue, counted=replace(queue.counted, taken_back=b""))


def board(fold: ContactsFold) -> list[QueueSnapshot]:
    """Return what the fold shows at the end of the day, corrections left out."""
    shown = sorted(timeline.shown(fold, END), key=lambda queue: queue.queue)
    return [uncorrected(queue) for queue in shown]


@given(days() | corrected_days(), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_the_board(day: list[Event], chance: random.Random) -> None:
    mixed = day + [reported for reported in day if chance.random() < 0.3]
    chance.shuffle(mixed)

    assert board(fold_of(mixed)) == board(fold_of(day))


@pytest.mark.parametrize("policies", [Policies(), SOON_GHOSTS], ids=["default", "ghosts within a minute"])
@given(day=days() | corrected_days(), batch=st.integers(1, 20), chance=st.randoms(use_true_random=False))
def test_the_size_of_batches_changes_nothing(
    day: list[Event], batch: int, chance: random.Random, policies: Policies
) -> None:
    """Nor does it change what is taken back: counters are compared as well."""
    mixed = with_repeats(day, chance)

    one_by_one = [*fold_of(mixed, policies, batch=1).snapshots(END)]
    assert [*fold_of(mixed, policies, batch=batch).snapshots(END)] == one_by_one
    assert [*fold_of(mixed, policies, batch=1000).snapshots(END)] == one_by_one


ODD_STORIES = {
    "a wrap-up that ended before the answer is known": """
        00:00  enqueued      ann
        01:40  wrapup_ended  ann
        00:10  answered      ann
        01:00  ended         ann  wrapup=true
        01:30  wrapup_ended  ann
        """,
    "a conversation of a queue beyond the limit": """
        00:00  enqueued  ann  queue=first
        00:01  enqueued  bob  queue=second
        00:02  answered  bob  queue=second
        00:03  ended     bob  queue=second
        """,
    "three days until the next queue is heard of": """
        00:00    enqueued  ann  queue=first
        4320:00  enqueued  bob  queue=second
        """,
}


@pytest.mark.parametrize("table", ODD_STORIES.values(), ids=ODD_STORIES)
def test_a_batch_counts_an_odd_story_as_its_events_one_by_one(table: str) -> None:
    told = story(table)
    at_once, one_by_one = ContactsFold(max_queues_per_tenant=1), ContactsFold(max_queues_per_tenant=1)

    overflowed = at_once.apply(told, range(len(told))).overflowed
    steps = [one_by_one.apply([reported], [offset]) for offset, reported in enumerate(told)]

    end = max(reported.time for reported in told) + timedelta(minutes=5)
    assert [*timeline.shown(at_once, end)] == [*timeline.shown(one_by_one, end)]
    assert overflowed == sum(step.overflowed for step in steps)


@given(days(), st.integers(0, 40), st.integers(0, 8 * 60))
def test_whoever_was_offered_was_answered_or_left_or_expired_or_waits(
    day: list[Event], until: int, minutes: int
) -> None:
    """At every instant, also hours after the last event, when those who wait have become ghosts."""
    known = day[:until]
    at = max((told.time for told in known), default=TEN) + timedelta(minutes=minutes)

    for queue in timeline.shown(fold_of(known), at):
        assert queue.total.expired == ghosts(known, queue.queue, at)
        total = queue.total
        assert total.offered == total.answered + total.abandoned + total.dequeued + total.expired + queue.waiting
        assert min(count for count in msgspec.structs.astuple(total) if isinstance(count, int)) >= 0
        today = queue.windows["today"]
        assert all(
            getattr(tally, name) <= getattr(today, name)
            for name in ("offered", "answered", "abandoned")
            for tally in queue.windows.values()
        )


def ghosts(known: list[Event], queue: str, at: datetime) -> int:
    """Count, from the events alone, who entered a queue four hours ago or more and was never heard of again."""
    told = [one for one in known if getattr(one.data, "queue", None) == queue]
    entered = {one.subject: one.time for one in told if isinstance(one, ContactEnqueued)}
    left = {one.subject for one in told if isinstance(one, ENDS)}
    return sum(since + timedelta(hours=4) <= at for subject, since in entered.items() if subject not in left)


ENDS = (ContactAnswered, ContactAbandoned, ContactDequeued, ContactEnded, ContactTransferred)


@given(days() | corrected_days(), st.randoms(use_true_random=False))
def test_crashes_anywhere_count_nothing_twice_and_lose_nothing(day: list[Event], chance: random.Random) -> None:
    """
    Many checkpoints, each cut off anywhere, commits that lag, evictions, repeats; rows go through the codec.

    Counters are the same as well: what they have shown, what was taken back, and what they do not show yet.
    """
    arrived = with_repeats(day, chance)
    life = Life(arrived)
    while life.position < len(arrived):
        life.fold_some(chance.randint(1, 8))
        if chance.random() < 0.6:
            life.checkpoint(chance, whole=chance.random() < 0.6, folds_meanwhile=chance.randint(0, 8))
        if chance.random() < 0.2:
            life.crash()

    assert board(life.fold) == board(fold_of(day))
    in_order = [sorted(timeline.shown(one, END), key=attrgetter("queue")) for one in (life.fold, fold_of(arrived))]
    assert in_order[0] == in_order[1]


@given(days() | corrected_days(), st.randoms(use_true_random=False))
def test_repeats_within_the_duplicate_window_change_nothing_even_when_all_is_committed_at_once(
    day: list[Event], chance: random.Random
) -> None:
    fold = ContactsFold()
    for offset, told in enumerate(with_repeats(day, chance)):
        fold.apply([told], [offset])
        fold.committed(offset + 1)

    assert board(fold) == board(fold_of(day))


def with_repeats(day: list[Event], chance: random.Random) -> list[Event]:
    """The day as it arrives: some events a minute late, some once more up to seven minutes later."""
    arrivals = []
    for number, told in enumerate(day):
        at = told.time + timedelta(seconds=chance.choice([0, 0, 60]))
        arrivals.append((at, number, told))
        if chance.random() < 0.2:
            arrivals.append((at + timedelta(seconds=chance.randint(0, 420)), number, told))
    return [told for _, _, told in sorted(arrivals, key=lambda arrival: arrival[:2])]


CODECS: dict[str, RowCodec[Any, Any]] = {"tallies": TALLIES, "segments": SEGMENTS}


class Life:
    """A fold, what a changelog holds of it, and where its source is committed."""

    def __init__(self, arrived: list[Event]) -> None:
        self.arrived = arrived
        self.fold = ContactsFold()
        self.position = self.committed = 0
        self.changelogs: dict[str, dict[bytes, bytes]] = {name: {} for name in CODECS}

    def fold_some(self, count: int) -> None:
        events = self.arrived[self.position : self.position + count]
        if events:
            self.fold.apply(events, range(self.position, self.position + len(events)))
            self.position += len(events)

    def checkpoint(self, chance: random.Random, *, whole: bool, folds_meanwhile: int) -> None:
        """Cut, fold on, write table by table, commit; unless *whole*, crash after some writes."""
        offset = self.position
        self.fold.settle()
        cut = {
            name: [
                (CODECS[name].encode_key(key), None if row is None else CODECS[name].encode_row(row))
                for key, row in rows.drain_changed()
            ]
            for name, rows in self.fold.tables.items()
        }
        self.fold_some(folds_meanwhile)
        writes = sum(map(len, cut.values())) if whole else chance.randint(0, sum(map(len, cut.values())))
        for name, rows in cut.items():
            chance.shuffle(rows)
            self._write(name, rows[:writes])
            writes = max(writes - len(rows), 0)
        if whole:
            self.committed = offset
            self.fold.committed(offset)
        else:
            self.crash()

    def _write(self, name: str, rows: list[tuple[bytes, bytes | None]]) -> None:
        for key, row in rows:
            if row is None:
                self.changelogs[name].pop(key, None)
            else:
                self.changelogs[name][key] = row

    def crash(self) -> None:
        """Begin anew from what was written, at what was committed."""
        self.fold = ContactsFold()
        for name, rows in self.changelogs.items():
            for key, row in rows.items():
                self.fold.tables[name].load(CODECS[name].decode_key(key), CODECS[name].decode_row(row))
        self.fold.recovered()
        self.position = self.committed
        self.fold.committed(self.committed)


counts = st.builds(
    Tally,
    offered=st.integers(0, 99),
    answered=st.integers(0, 99),
    answer_wait_ms=st.integers(0, 10**9),
    waits=st.lists(st.integers(0, 9), min_size=15, max_size=15),
)


@given(counts, counts, counts)
def test_tallies_add_up_in_any_order(one: Tally, two: Tally, three: Tally) -> None:
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + Tally() == one


@pytest.mark.parametrize(
    ("formula", "percent"),
    [("A", 75.00), ("B", 30.00), ("C", 33.33), ("D", 50.00), ("E", 70.00), ("F", 40.00), ("G", 33.33), ("H", 70.00)],
)
def test_the_formulas_give_the_golden_numbers_of_a_real_log(formula: str, percent: float) -> None:
    """8 answered, 6 of them in time; 12 abandoned, 8 in time, 2 short: a real log of 2010."""
    tally = Tally(answered=8, answered_in_target=6, abandoned=12, abandoned_in_target=8, abandoned_short=2, offered=20)

    ratio = service_level(tally, Formula(formula))

    assert ratio is not None
    assert round(ratio * 100, 2) == percent


@pytest.mark.parametrize("formula", list(Formula))
def test_an_idle_queue_has_no_service_level(formula: Formula) -> None:
    assert service_level(Tally(), formula) is None
