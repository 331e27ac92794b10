"""What a family foresees is counted at once, and shown from the day on that it is for: not a minute sooner."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from stream.core.retention import Retention
from stream.core.windowed import Windowed
from stream.core.windows import ALL as EVER
from stream.core.windows import MONTH, QUARTER, TODAY, minute_of
from tests.core.shop import (
    DAY_STARTS,
    LJUBLJANA,
    RowKey,
    Sale,
    Sold,
    cut,
    day_of,
    expected,
    learn,
    loaded,
    sold,
    taken_back,
    windowed,
)

FORESEES = timedelta(days=32)
"""The begin of a day that is up to 31 days after that of an event, clock changes included."""
SILENCE = timedelta(days=40)
LOCAL = Retention(days=182, months=2, quarters=2)
"""As such a family would keep it: minutes of a day are counted together, and days that are over are kept as bytes."""
WITH_MINUTES = Retention(minutes=121, days=182, months=2, quarters=2)
SHOWN = (TODAY, "7d", "30d", "90d", MONTH, QUARTER, EVER)


def foreseeing(keep: Retention = LOCAL, day_starts: time = time(0), silence: timedelta | None = None) -> Windowed[Sold]:
    return windowed(day_starts, keep, silence, FORESEES)


def begin_of(day: date, day_starts: time = time(0)) -> datetime:
    return datetime.combine(day, day_starts, LJUBLJANA).astimezone(UTC)


def shown(shop: Windowed[Sold], at: datetime) -> dict[str, Sold]:
    """Return what each window shows, and all there ever was."""
    counted = shop.counted(minute_of(at))
    return {name: counted.window(name, Sold) for name in counted.windows}


def numbers(shop: Windowed[Sold], at: datetime) -> list[int]:
    return [shown(shop, at)[name].sold for name in SHOWN]


def restarted(shop: Windowed[Sold]) -> Windowed[Sold]:
    return loaded(cut(shop, 99), foreseeing())


MAY_20 = datetime(2026, 5, 20, 10, tzinfo=UTC)
IN_MAY, IN_JUNE = Sale(begin_of(date(2026, 5, 23))), Sale(begin_of(date(2026, 6, 20)))
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("after", [lambda shop: shop, restarted], ids=["in one life", "after a restart"])
def test_what_lies_ahead_is_shown_from_its_day_on_though_nothing_happens(
    after: Callable[[Windowed[Sold]], Windowed[Sold]],
) -> None:
    shop = foreseeing()
    learn(shop, Sale(MAY_20), 1)
    shop.count_difference((), (IN_MAY, IN_JUNE), 1)
    shop = after(shop)

    seen = [
        numbers(shop, at)
        for at in (
            MAY_20,
            IN_MAY.at - MINUTE,
            IN_MAY.at,
            IN_JUNE.at - MINUTE,
            IN_JUNE.at,
            begin_of(date(2026, 7, 1)),
        )
    ]

    assert seen == [
        # today, 7d, 30d, 90d, month, quarter, ever
        [1, 1, 1, 1, 1, 1, 1],
        [0, 1, 1, 1, 1, 1, 1],
        [1, 2, 2, 2, 2, 2, 2],
        [0, 0, 2, 2, 0, 2, 2],
        [1, 1, 2, 3, 1, 3, 3],
        [0, 0, 1, 3, 0, 0, 3],
    ]


@pytest.mark.parametrize("days", [1, 30, 31, 60], ids="{} days later".format)
@pytest.mark.parametrize("after", [lambda shop: shop, restarted], ids=["in one life", "after a restart"])
def test_a_later_event_takes_back_what_was_foreseen_before_its_day_or_after_it(
    days: int, after: Callable[[Windowed[Sold]], Windowed[Sold]]
) -> None:
    shop, later = foreseeing(), MAY_20 + timedelta(days=days)
    learn(shop, Sale(MAY_20), 1)
    shop.count_difference((), (IN_JUNE,), 1)
    numbers(shop, MAY_20)  # whatever is remembered of a read
    shop = after(shop)
    numbers(shop, MAY_20)
    shop.hear(later)
    shop.count_difference((IN_JUNE,), (), 100)

    nothing_foreseen = foreseeing()
    learn(nothing_foreseen, Sale(MAY_20), 1)
    for at in (later, later + timedelta(days=31), later + timedelta(days=60)):
        assert shown(shop, at) == shown(nothing_foreseen, at)


def test_what_was_foreseen_before_a_silence_is_not_taken_back_from_the_totals_after_it() -> None:
    shop = foreseeing(silence=SILENCE)
    learn(shop, Sale(MAY_20), 1)
    shop.count_difference((), (IN_JUNE,), 1)
    after = MAY_20 + SILENCE + timedelta(hours=1)
    learn(shop, Sale(after), 2)
    begun = [shown(shop, at)[EVER].sold for at in (MAY_20, after)]
    shop.count_difference((IN_JUNE,), (), 3)

    assert (begun, shown(shop, after)[EVER].sold, taken_back(shop)) == ([0, 1], 1, Sold())
    assert shown(shop, after)["90d"].sold == 2, "windows know no silence: the sales of May and of now"


def test_a_silence_that_what_lies_ahead_would_outlast_is_refused() -> None:
    with pytest.raises(AssertionError, match="would outlast a silence"):
        foreseeing(silence=FORESEES)


@pytest.mark.parametrize("keep", [Retention(minutes=120, months=2), Retention(hours=24, days=182)])
def test_days_must_be_kept_and_no_hours_where_days_begin_within_one(keep: Retention) -> None:
    with pytest.raises(AssertionError, match="told apart by its day"):
        foreseeing(keep)


class Heard(Struct, frozen=True):
    """An event: when it happened, what it counts for, and which of all that was counted before it takes back."""

    at: datetime
    counts: tuple[Sale, ...]
    takes_back: int | None
    """So many before the newest; more than there are: none."""


GAPS = [
    timedelta(0),
    timedelta(minutes=7),
    timedelta(hours=5),
    timedelta(days=1),
    timedelta(days=9),
    timedelta(days=45),
]
LATE = [timedelta(0), timedelta(0), timedelta(minutes=61), timedelta(days=2), timedelta(days=40)]
STARTS = [
    datetime(2026, 3, 10, 22, 30, tzinfo=UTC),  # before the clocks are set forward, and a quarter ends
    datetime(2026, 10, 10, 1, 30, tzinfo=UTC),  # before they are set back, and a month ends
    datetime(2026, 12, 30, 23, 30, tzinfo=UTC),
]
READ = [timedelta(days=days) for days in (-2, -1, 0, 0, 1, 20, 31, 45)] + [timedelta(minutes=1), timedelta(hours=7)]


@st.composite
def histories(draw: st.DrawFn, day_starts: time) -> list[Heard]:
    at, known = draw(st.sampled_from(STARTS)), []
    for number in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from(GAPS))
        told = at - draw(st.sampled_from(LATE))
        days = draw(st.lists(st.integers(1, 31), max_size=2))
        ahead = (begin_of(day_of(told, day_starts) + timedelta(days=day), day_starts) for day in days)
        sales = (Sale(one, place, number) for place, one in enumerate((told, *ahead)))
        known.append(Heard(told, tuple(sales), draw(st.none() | st.integers(0, 5))))
    return known


def whole(known: Sequence[Sale], at: datetime, began: datetime | None, day_starts: time) -> dict[str, Sold]:
    """Return the windows at an instant, and all since the totals began anew, of what is for a day that has begun."""
    by_now = [sale for sale in known if day_of(sale.at, day_starts) <= day_of(at, day_starts)]
    begun = minute_of(began - SILENCE + FORESEES) if began is not None else -1
    return expected(by_now, at, day_starts) | {EVER: sold(sale for sale in by_now if minute_of(sale.at) > begun)}


@given(st.data(), st.sampled_from(DAY_STARTS), st.sampled_from([LOCAL, WITH_MINUTES]), st.sampled_from([None, SILENCE]))
def test_windows_show_all_that_is_for_a_day_that_has_begun_and_nothing_else(
    data: st.DataObject, day_starts: time, keep: Retention, silence: timedelta | None
) -> None:
    shop, rows, known = foreseeing(keep, day_starts, silence), dict[RowKey, bytes](), list[Sale]()
    watermark, began = None, None
    for offset, heard in enumerate(data.draw(histories(day_starts))):
        if silence and watermark and watermark < heard.at - silence:
            began = heard.at
        watermark = max(watermark or heard.at, heard.at)
        wrong = known[-1 - (heard.takes_back or 0) :][:1] if heard.takes_back is not None else []
        shop.hear(heard.at)
        shop.count_difference(wrong, heard.counts, offset)
        known = [sale for sale in known if sale not in wrong] + [*heard.counts]

        if data.draw(st.booleans()):
            rows |= cut(shop, offset)
            if data.draw(st.booleans()):
                shop = loaded(rows, foreseeing(keep, day_starts, silence))
        later = data.draw(st.sampled_from(READ))
        told, right = shown(shop, watermark + later), whole(known, watermark + later, began, day_starts)
        # A board of the past has only what was kept for longer than it needed.
        compared = [one for one in told if later >= timedelta(0) or one in SHOWN]
        assert {one: told[one] for one in compared} == {one: right[one] for one in compared}


@given(histories(time(0)), st.sampled_from([LOCAL, WITH_MINUTES]), st.sampled_from([None, SILENCE]), st.data())
def test_rows_of_two_checkpoints_and_a_replay_hide_what_lies_ahead_as_one_life_does(
    history: list[Heard], keep: Retention, silence: timedelta | None, data: st.DataObject
) -> None:
    """A crash in the middle of a checkpoint leaves a day of it beside the month of the one that was committed."""

    def live(shop: Windowed[Sold], first: int, end: int) -> None:
        for offset, heard in list(enumerate(history))[first:end]:
            shop.hear(heard.at)
            wrong = [] if heard.takes_back is None else history[max(0, offset - 1 - heard.takes_back)].counts[1:]
            shop.count_difference(wrong if offset else (), heard.counts, offset)
            if shop is again:  # a replay takes rows after each record: each row is behind from another one on
                cut(shop, offset)
            numbers(shop, heard.at)

    again, one_life, crashing = (foreseeing(keep, silence=silence) for _ in range(3))
    committed, crash = sorted(data.draw(st.tuples(*[st.integers(0, len(history))] * 2)))
    live(crashing, 0, committed)
    rows = cut(crashing, committed - 1)
    live(crashing, committed, crash)
    rows |= {row: new for row, new in cut(crashing, crash - 1).items() if data.draw(st.booleans())}
    live(loaded(rows, again), committed, len(history))
    live(one_life, 0, len(history))

    for later in (timedelta(0), timedelta(days=1), timedelta(days=31)):
        at = one_life.watermark + later
        assert shown(again, at) == shown(one_life, at)
    assert taken_back(again) == taken_back(one_life)
