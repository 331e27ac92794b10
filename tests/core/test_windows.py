"""Which window an event falls into, and when it leaves it."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from stream.core.policies import Policies, Rule
from stream.core.windows import day_of, minute_of, start_of
from stream.families.contacts.fold import ContactsFold
from tests.timeline import TEN, after, board_of, event, sales


def test_a_minute_begins_at_its_first_instant_and_ends_before_the_next() -> None:
    # [10:00:00 ---- 10:01:00)
    #  ^ in         ^ in next
    first = minute_of(TEN)

    assert minute_of(TEN + timedelta(seconds=59.999)) == first
    assert minute_of(TEN + timedelta(seconds=60)) == first + 1
    assert start_of(first) == TEN


@pytest.mark.parametrize(
    ("at", "answered"),
    [
        ("00:00:30", 1),
        ("00:05:59", 1),  # the running minute 10:05 and the five before it
        ("00:06:00", 0),
    ],
)
def test_five_minutes_are_the_running_minute_and_five_whole_ones(at: str, answered: int) -> None:
    queue = sales("00:10  answered  ann", at=at)

    assert queue.windows["5m"].answered == answered
    assert queue.windows["today"].answered == 1


def test_a_silent_queue_empties_by_the_clock_alone() -> None:
    told = "00:10  answered  ann"

    assert [sales(told, at=at).windows["1h"].answered for at in ("00:20", "1:00:59", "1:01:00")] == [1, 1, 0]


def test_each_figure_belongs_to_the_minute_in_which_it_was_decided() -> None:
    queue = sales(
        """
        00:00  enqueued      ann
        10:00  answered      ann
        20:00  ended         ann  wrapup=true
        30:00  wrapup_ended  ann
        """,
        at="30:30",
    )

    assert (queue.windows["5m"].handled, queue.windows["5m"].answered) == (1, 0)
    assert (queue.windows["15m"].answered, queue.windows["30m"].offered) == (0, 1)
    assert queue.windows["30m"].answered == 1


def test_a_late_event_still_reaches_its_minute() -> None:
    queue = sales(
        """
        40:00  answered  bob
        12:00  answered  ann
        """,
        at="41:00",
    )

    assert (queue.windows["15m"].answered, queue.windows["30m"].answered) == (1, 2)


def test_what_is_too_late_for_its_minute_reaches_its_day() -> None:
    queue = sales(
        """
        4:00:00  answered  bob
        00:00    answered  ann
        """,
        at="4:00:10",
    )

    assert (queue.windows["1h"].answered, queue.windows["today"].answered) == (1, 2)


def test_today_begins_at_the_reset_time_of_the_queues_own_zone() -> None:
    ljubljana = ZoneInfo("Europe/Ljubljana")
    policies = Policies(rules=(Rule(changes={"time_zone": ljubljana, "day_starts": time(6)}),))
    day = [
        event("answered", "ann", datetime(2026, 11, 20, 4, 59, 59, tzinfo=UTC)),  # 05:59:59 local
        event("answered", "bob", datetime(2026, 11, 20, 5, 0, 0, tzinfo=UTC)),  # 06:00:00 local
    ]

    queue = board_of(day, at=datetime(2026, 11, 20, 5, 1, tzinfo=UTC), policies=policies)["sales"]

    assert (queue.windows["today"].answered, queue.windows["5m"].answered) == (1, 2)


def test_today_is_empty_after_the_reset_even_without_traffic() -> None:
    assert sales("00:10  answered  ann", at="15:00:00").windows["today"].answered == 0


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_days_with_a_clock_change_have_23_or_25_hours(day: datetime) -> None:
    zone = ZoneInfo("Europe/Ljubljana")
    minutes = [minute_of(day - timedelta(hours=3)) + n for n in range(30 * 60)]
    of_that_day = [minute for minute in minutes if day_of(minute, zone, time(0)) == day.toordinal()]

    assert len(of_that_day) / 60 == (23 if day.month == 3 else 25)


def test_a_day_that_begins_in_the_repeated_hour_begins_once() -> None:
    zone = ZoneInfo("Europe/Ljubljana")
    first = minute_of(datetime(2026, 10, 24, 22, tzinfo=UTC))
    days = [day_of(first + n, zone, time(2, 30)) for n in range(6 * 60)]

    assert days == sorted(days)
    assert len(set(days)) == 2


def test_an_event_of_a_day_that_is_not_kept_is_late_and_one_of_yesterday_is_not() -> None:
    fold = ContactsFold()
    fold.apply([event("blocked", "now", datetime(2026, 11, 20, 4, tzinfo=UTC), reason="full")], [0])

    def late(at: datetime) -> int:
        return fold.apply([event("blocked", at.isoformat(), at, reason="full")], [at.day]).late

    assert late(datetime(2026, 11, 19, 0, 0, tzinfo=UTC)) == 0
    assert late(datetime(2026, 11, 18, 23, 59, tzinfo=UTC)) == 1


def test_sums_are_right_after_a_long_time_without_a_look() -> None:
    fold = ContactsFold()
    fold.apply([event("blocked", "a", TEN, reason="full")], [0])
    list(fold.snapshots(TEN))
    told = [event("blocked", f"b{n}", TEN + timedelta(minutes=n), reason="full") for n in range(1, 130)]
    fold.apply(told, range(1, 130))

    ((_, queue),) = fold.snapshots(TEN + timedelta(minutes=129))

    assert queue.windows["1h"].blocked == 61


@pytest.mark.parametrize("look", ["1:00:30", "1:01:30", "1:05:30"])
def test_sums_are_right_when_a_call_system_is_so_far_ahead_that_their_minutes_are_forgotten(look: str) -> None:
    told = [event("blocked", f"c{n}", TEN + timedelta(minutes=n), reason="full") for n in range(60)]
    told.append(event("blocked", "ahead", "2:02:30", reason="full"))
    watched, unwatched = ContactsFold(), ContactsFold()
    watched.apply(told[:-1], range(60))
    list(watched.snapshots(after("1:00:00")))
    watched.apply(told[-1:], [60])
    unwatched.apply(told, range(61))
    for fold in (watched, unwatched):
        fold.settle()

    assert list(watched.snapshots(after(look))) == list(unwatched.snapshots(after(look)))


def test_the_longest_wait_ticks_between_events() -> None:
    told = """
        00:00  enqueued  ann
        00:30  enqueued  bob
        """

    waits = [sales(told, at=at).longest_wait for at in ("00:31", "00:32", "02:00")]

    assert waits == [timedelta(seconds=31), timedelta(seconds=32), timedelta(seconds=120)]
    assert sales(told, at="00:45").waiting_past_threshold == 1


def test_a_call_system_whose_clock_is_ahead_lets_nobody_wait_for_less_than_nothing() -> None:
    assert sales("02:00  enqueued  ann", at="01:00").longest_wait == timedelta(0)


def test_nobody_waits_longest_in_an_empty_queue() -> None:
    queue = sales("00:00 answered ann", at="00:01")

    assert (queue.waiting, queue.longest_wait) == (0, None)


def test_an_instant_of_the_story_is_after_ten() -> None:
    assert after("1:00:00") == TEN + timedelta(hours=1)
