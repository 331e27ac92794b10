"""Counters show at once what was reported, and after a grace what follows from it: they are seldom corrected."""

import random
from datetime import timedelta
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from stream.core.cloudevents import Event
from stream.core.policies import Policies, Rule
from stream.families.contacts.events import ContactEnded, ContactWrapupEnded, ContactWrapupStarted
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally, TallyRow
from tests.families.contacts.test_laws import SOON_GHOSTS, corrected_days, days, with_repeats
from tests.timeline import TEN, after, event, fold_of, sales, shown, story

END = TEN + timedelta(hours=1, minutes=45)


def numbers(tally: Tally) -> list[int]:
    return [number for told in astuple(tally) for number in (told if isinstance(told, list) else [told])]


OVERTAKEN = {
    "an end overtakes the answer": """
        00:00  enqueued  ann
        01:00  ended     ann  talk_ms=50000  hold_ms=0
        00:10  answered  ann
        """,
    "an end that tells no talk time overtakes the answer": """
        00:00  enqueued  ann
        01:00  ended     ann
        00:10  answered  ann
        """,
    "an answer overtakes the entry": """
        00:30  answered  ann
        00:00  enqueued  ann
        """,
    "an answer that tells its wait overtakes the entry": """
        00:30  answered  ann  wait_ms=29000
        00:00  enqueued  ann  reason=transfer
        """,
    "an abandon overtakes the entry": """
        00:30  abandoned  ann
        00:00  enqueued   ann
        """,
    "another exit overtakes the entry": """
        00:30  dequeued  ann  reason=callback_requested
        00:00  enqueued  ann
        """,
    "a transfer overtakes the answer": """
        00:00  enqueued     ann
        01:00  transferred  ann  kind=blind  talk_ms=50000  hold_ms=0
        00:10  answered     ann
        """,
    "a transfer that tells no talk time overtakes the answer": """
        00:00  enqueued     ann
        01:00  transferred  ann  kind=blind
        00:10  answered     ann
        """,
    "an end overtakes the hold that it does not tell": """
        00:00  enqueued  ann
        00:10  answered  ann
        01:00  ended     ann
        00:30  held      ann
        00:40  resumed   ann
        """,
    "the end of a wrap-up overtakes its beginning": """
        00:00  enqueued        ann
        00:10  answered        ann
        01:00  ended           ann  talk_ms=50000  hold_ms=0
        01:08  wrapup_ended    ann
        01:02  wrapup_started  ann
        """,
    "everything comes the wrong way round": """
        00:09  wrapup_ended  ann  acw_ms=2000
        00:07  ended         ann  talk_ms=2000  hold_ms=0  wrapup=true
        00:05  answered      ann
        00:00  enqueued      ann
        """,
}


@pytest.mark.parametrize("table", OVERTAKEN.values(), ids=OVERTAKEN)
def test_what_overtakes_a_report_is_not_counted_twice(table: str) -> None:
    told = sorted(story(table), key=attrgetter("time"))
    in_order, mixed = sales_of(told, "01:30"), sales(table + "\n01:30 blocked bob reason=full", at="01:30")

    assert mixed.total == in_order.total
    assert mixed.taken_back.answered == mixed.taken_back.offered == mixed.taken_back.dequeued == 0
    if "wrapup_started" not in table:  # a wrap-up that nobody announced takes a handle time back that was reported
        assert mixed.taken_back == Tally()
    assert [*map(max, numbers(mixed.shown), numbers(in_order.total))] == numbers(mixed.shown)


def sales_of(told: list[Event], at: str) -> QueueSnapshot:
    told = [*told, event("blocked", "bob", at, reason="full")]
    (queue,) = shown(fold_of(told), after(at))
    return queue


def test_windows_show_at_once_what_counters_show_after_the_grace() -> None:
    end = "00:00 enqueued ann\n01:00 ended ann talk_ms=50000 hold_ms=0"
    at_once = sales(end, at="01:05")
    nearly, then = (sales(f"{end}\n{when} blocked bob reason=full", at="01:15") for when in ("01:09", "01:10"))

    assert (at_once.windows["5m"].answered, at_once.total.answered) == (1, 1)
    assert [queue.shown.answered for queue in (at_once, nearly, then)] == [0, 0, 1]
    # What was reported does not wait for what was not.
    assert [(queue.shown.offered, queue.shown.handled) for queue in (at_once, nearly, then)] == [(1, 1)] * 3
    assert then.uncounted == Tally()


def test_a_report_that_comes_after_the_grace_corrects_what_counters_have_shown() -> None:
    queue = sales(
        """
        00:00  enqueued  ann
        01:00  ended     ann  talk_ms=50000  hold_ms=0
        01:10  blocked   bob  reason=full
        00:11  answered  ann
        """
    )

    assert (queue.total.answered, queue.taken_back.answered, queue.shown.answered) == (1, 1, 2)


@pytest.mark.parametrize(("grace", "corrected"), [(0, 1), (3, 1), (4, 0), (60, 0)])
def test_the_grace_is_a_matter_of_policy(grace: int, corrected: int) -> None:
    policies = Policies(rules=(Rule(changes={"inferred_grace": timedelta(seconds=grace)}),))
    queue = sales(
        """
        00:30  answered  ann
        00:33  blocked   bob  reason=full
        00:00  enqueued  ann
        """,
        policies=policies,
    )

    assert queue.taken_back.answered_wait_unknown == corrected


def test_a_reading_long_after_the_last_event_decides_nothing() -> None:
    """A worker that catches up after a night reads the events of yesterday by the clock of today."""
    fold = fold_of(story("00:00 enqueued ann\n01:00 ended ann talk_ms=50000 hold_ms=0\n00:30 enqueued bob"))
    (read,) = shown(fold, after("23:59:00"))
    fold.apply(story("00:11 answered ann\n01:20 answered bob"), [3, 4])
    (then,) = shown(fold, after("23:59:00"))

    assert (read.shown.answered, read.shown.expired, read.total.expired, read.waiting) == (0, 0, 1, 0)
    assert (then.shown.answered, then.shown.expired, then.taken_back) == (2, 0, Tally())


def test_a_ghost_is_counted_with_the_event_that_tells_its_hour() -> None:
    ghost = "00:00 enqueued ann"
    queues = [
        sales(f"{ghost}\n{told}", at="4:10:00")
        for told in ("3:59:59 blocked x reason=full", "4:00:00 blocked x reason=full")
    ]
    late = sales(f"{ghost}\n4:00:00 blocked x reason=full\n3:00:00 answered ann", at="4:10:00")

    assert [queue.shown.expired for queue in queues] == [0, 1]
    assert (late.total.expired, late.taken_back.expired, late.shown.expired) == (0, 1, 1)


def shuffled(day: list[Event], chance: random.Random) -> list[Event]:
    """The day as it arrives where the events of one contact in seven are told by several threads, up to 5 s apart."""
    loose = {contact for contact in {told.subject for told in day} if chance.randrange(7) == 0}
    late = {id(told): timedelta(seconds=5 * chance.random() * (told.subject in loose)) for told in day}
    return sorted(day, key=lambda told: told.time + late[id(told)])


def without_surprises(day: list[Event]) -> list[Event]:
    """The day without wrap-ups that nobody announced: these take handle times back that were reported."""
    announced = {told.subject for told in day if isinstance(told, ContactEnded) and told.data.wrapup}
    wrapups = (ContactWrapupStarted, ContactWrapupEnded)
    return [told for told in day if not isinstance(told, wrapups) or told.subject in announced]


@given(days(), st.randoms(use_true_random=False))
def test_a_day_with_one_contact_in_seven_shuffled_within_five_seconds_ends_without_a_correction(
    day: list[Event], chance: random.Random
) -> None:
    day = without_surprises(day)
    last = max((told.time for told in day), default=TEN) + timedelta(seconds=10)
    ends = [event("blocked", "last", last, queue=queue, reason="full") for queue in ("sales", "support")]

    for queue in shown(fold_of([*shuffled(day, chance), *ends]), END):
        assert queue.taken_back == Tally()
        assert queue.shown == queue.total


@given(days() | corrected_days(), st.randoms(use_true_random=False), st.sampled_from([Policies(), SOON_GHOSTS]))
def test_counters_never_fall_and_are_the_same_whoever_looked_when(
    day: list[Event], chance: random.Random, policies: Policies
) -> None:
    """By whatever clock: that of the events, one far ahead of them, one behind."""
    watched, unwatched = ContactsFold(policies), ContactsFold(policies)
    before: dict[str, list[int]] = {}
    for offset, told in enumerate(with_repeats(shuffled(day, chance), chance)):
        for fold in (watched, unwatched):
            fold.apply([told], [offset])
        at = told.time + timedelta(minutes=chance.choice((-1, 0, 0, 90, 700)))
        for queue in shown(watched, at):
            now = numbers(queue.shown)
            assert all(map(int.__le__, before.get(queue.queue, now), now))
            before[queue.queue] = now
    assert shown(watched, END) == shown(unwatched, END)


def test_what_a_version_before_took_back_is_still_taken_back() -> None:
    old = ContactsFold()
    old.tallies.load(("default", "sales", "voice", "total", 0), TallyRow(7, Tally(offered=3, answered=3)))
    old.tallies.load(("default", "sales", "voice", "taken_back", 0), TallyRow(5, Tally(answered=1)))
    old.recovered()
    old.apply(story("00:00 enqueued ann"), [8])
    old.settle()
    (told,) = shown(old, after("00:10"))
    new = ContactsFold()
    for name, rows in old.tables.items():
        for key, row in rows.items():
            new.tables[name].load(key, row)
    new.recovered()

    assert told.taken_back.answered == 1
    assert shown(new, after("00:10")) == [told]


def test_a_report_that_was_awaited_when_a_worker_died_corrects_nothing() -> None:
    first, second = ContactsFold(), ContactsFold()
    first.apply(story("00:00 enqueued ann\n01:00 ended ann talk_ms=50000 hold_ms=0"), [0, 1])
    first.settle()
    for name, rows in first.tables.items():
        for key, row in rows.items():
            second.tables[name].load(key, row)
    second.recovered()
    (recovered,) = shown(second, after("01:05"))
    second.apply(story("00:11 answered ann"), [2])
    (queue,) = shown(second, after("2:00:00"))

    assert (recovered.total.answered, recovered.shown.answered) == (1, 0)
    assert (queue.total.answered, queue.taken_back) == (1, Tally())


def test_what_totals_do_not_count_since_it_was_before_a_silence_is_not_hidden_either() -> None:
    days = timedelta(days=10)
    told = [event("blocked", "bob", TEN, reason="full")]
    told += [event("ended", "ann", TEN + days, talk_ms=days // timedelta(milliseconds=2))]

    (queue,) = shown(fold_of(told), TEN + days)

    assert min(numbers(queue.shown)) == 0
    assert (queue.total.answered, queue.shown.answered, queue.total.handled) == (0, 0, 1)
