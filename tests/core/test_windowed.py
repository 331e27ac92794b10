"""Windowed counts are those of a list of everything that was counted, whatever is kept, evicted or lost in a crash."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, field

from stream.core.counts import Counts, CountsRow
from stream.core.retention import Retention
from stream.core.sliding import SlidingSums
from stream.core.windowed import Scope, Windowed
from stream.core.windows import ALL as EVER
from stream.core.windows import MONTH, QUARTER, SPANS, TODAY, UNITS, WINDOWS, earlier, minute_of

LJUBLJANA = ZoneInfo("Europe/Ljubljana")
ALL = Retention(minutes=121, hours=49, days=182, months=2, quarters=2)
DAYS = Retention(days=182)
"""Nothing shorter: minutes of a day are counted together, and days that are over are kept as bytes."""
KEPT = [ALL, DAYS]
NEWEST = [
    datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # the clocks are set forward
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),  # and back
    datetime(2026, 10, 31, 23, 30, tzinfo=UTC),  # a month ends
    datetime(2027, 1, 1, 2, 59, tzinfo=UTC),
]
DAY_STARTS = [time(0), time(2, 30), time(4)]


class Sold(Counts, array_like=True, gc=False):
    """What the toys count."""

    sold: int = 0
    by_size: list[int] = field(default_factory=[0, 0, 0].copy)


class SoldRow(CountsRow[Sold], array_like=True, gc=False):
    """The same as a row."""

    applied_offset: int = -1
    tally: Sold = field(default_factory=Sold)


class Sale(Struct, frozen=True):
    """Something sold."""

    at: datetime
    size: int = 0
    number: int = 0

    def count(self, tallies: Iterable[Sold], sign: int) -> None:
        for tally in tallies:
            tally.sold += sign
            tally.by_size[self.size] += sign


def sold(sales: Iterable[Sale]) -> Sold:
    total = Sold()
    for sale in sales:
        sale.count([total], 1)
    return total


def day_of(at: datetime, day_starts: time) -> date:
    """Return the local day, by a way of its own: of the day's begin, the latest that is not after *at*."""
    today = at.astimezone(LJUBLJANA).date()
    begins = ((datetime.combine(day, day_starts, LJUBLJANA), day) for day in (today, today - timedelta(days=1)))
    return next(day for begin, day in begins if begin.astimezone(UTC) <= at)


def quarter_of(day: date) -> int:
    """Return the quarter of its year that a day is in, from a table."""
    return next(
        number for number, ends in enumerate(((3, 31), (6, 30), (9, 30), (12, 31))) if (day.month, day.day) <= ends
    )


def windows_of(shop: Windowed[Sold], minute: int) -> dict[str, Sold]:
    """Return what each window shows."""
    counted = shop.counted(minute)
    return {name: counted.window(name, Sold) for name in counted.windows if name != EVER}


def taken_back(shop: Windowed[Sold]) -> Sold:
    """Return what was counted once and is not any more."""
    return Sold.unpack(shop.totals.read_taken_back() or Sold().pack())


def expected(sales: Sequence[Sale], at: datetime, day_starts: time) -> dict[str, Sold]:
    """Return the windows at an instant from everything that was sold."""
    days = [day_of(sale.at, day_starts) for sale in sales]
    now, today = minute_of(at), day_of(at, day_starts)
    ages = {
        "minute": [now - minute_of(sale.at) for sale in sales],
        "hour": [now // 60 - minute_of(sale.at) // 60 for sale in sales],
        "day": [(today - day).days for day in days],
        "month": [(today.year - day.year) * 12 + today.month - day.month for day in days],
        "quarter": [(today.year - day.year) * 4 + quarter_of(today) - quarter_of(day) for day in days],
    }
    return {
        name: sold(sale for sale, age in zip(sales, ages[span.unit], strict=True) if span.ago <= age <= span.oldest)
        for name, span in SPANS.items()
    }


@st.composite
def histories(draw: st.DrawFn) -> list[Sale]:
    """Sales in the order in which they become known: most in turn, some late by minutes, hours, days or months."""
    at, known = draw(st.sampled_from(NEWEST)) - timedelta(hours=20), []
    for number in range(draw(st.integers(1, 30))):
        at += timedelta(minutes=draw(st.sampled_from([0, 1, 7, 55, 180])))
        late = timedelta(minutes=draw(st.sampled_from([0, 0, 0, 1, 61, 119, 122, 2000, 3000, 50_000, 100_000])))
        known.append(Sale(at - late, draw(st.integers(0, 2)), number))
    return known


def windowed(day_starts: time = time(0), keep: Retention = ALL, silence: timedelta | None = None) -> Windowed[Sold]:
    windows = tuple(name for name, span in SPANS.items() if keep.keeps(span))
    return Windowed(SoldRow, keep, LJUBLJANA, day_starts, windows=windows, silence=silence)


def learn(shop: Windowed[Sold], sale: Sale, offset: int) -> None:
    shop.hear(sale.at)
    shop.count_difference((), (sale,), offset)


@given(histories(), st.sampled_from(DAY_STARTS), st.sampled_from(KEPT), st.data())
def test_windows_show_what_was_counted_in_them_and_eviction_changes_nothing(
    history: list[Sale], day_starts: time, keep: Retention, data: st.DataObject
) -> None:
    shop, evicting = windowed(day_starts, keep), windowed(day_starts, keep)
    for offset, sale in enumerate(history):
        for one in (shop, evicting):
            learn(one, sale, offset)
        if data.draw(st.booleans()):
            list(evicting.drain_counted())
            evicting.forget_outdated()
        at = shop.watermark + timedelta(minutes=data.draw(st.sampled_from([0, 0, 1, 6, 61, 500, 3000, 40_000])))
        shown = windows_of(shop, minute_of(at))
        whole = expected(history[: offset + 1], at, day_starts)
        assert shown == windows_of(evicting, minute_of(at)) == {name: whole[name] for name in shown}

    assert shop.totals.counted.tally == evicting.totals.counted.tally == sold(history)
    assert taken_back(shop) == Sold()


def test_what_no_counter_has_shown_is_taken_back_without_a_trace() -> None:
    shop, shown, hidden = windowed(), Sale(NEWEST[0], 1), Sale(NEWEST[0], 2)
    shop.count_difference((), (shown, hidden), 1)

    shop.count_difference((shown, hidden), (), 2, hidden={hidden})

    assert (shop.totals.counted.tally, taken_back(shop)) == (Sold(), sold([shown]))


@given(histories(), st.sampled_from(KEPT), st.data())
def test_what_is_taken_back_is_in_no_window_and_counters_can_still_show_it(
    history: list[Sale], keep: Retention, data: st.DataObject
) -> None:
    shop = windowed(keep=keep)
    for offset, sale in enumerate(history):
        learn(shop, sale, offset)
    if keep is DAYS:
        cut(shop, len(history) - 1)
    wrong = data.draw(st.lists(st.sampled_from(history), unique_by=id))
    right = [msgspec.structs.replace(sale, size=2 - sale.size) for sale in wrong]
    shop.count_difference(wrong, right, len(history))

    now = [sale for sale in history if not any(sale is one for one in wrong)] + right
    changed = [before for before in wrong if before not in right]
    shown, whole = windows_of(shop, minute_of(shop.watermark)), expected(now, shop.watermark, time(0))
    assert shown == {name: whole[name] for name in shown}
    assert (shop.totals.counted.tally, taken_back(shop)) == (sold(now), sold(changed))


SILENCE = timedelta(hours=2)


def test_totals_begin_anew_with_the_event_that_ends_a_silence() -> None:
    shop, start = windowed(silence=SILENCE), NEWEST[0]
    steps = [timedelta(0), SILENCE, 2 * SILENCE + timedelta(seconds=1)]
    seen = []
    for offset, step in enumerate(steps):
        learn(shop, Sale(start + step), offset)
        seen.append(shop.totals.counted.tally.sold)
    shop.count_difference([Sale(start)], [], 3)  # it is taken back from what nobody is shown any more
    last = Sale(start + steps[-1])
    shop.count_difference([last], [], 4)

    assert seen == [1, 2, 1]
    assert (shop.totals.counted.tally, taken_back(shop)) == (Sold(), sold([last]))


def test_what_was_taken_back_before_a_silence_is_not_shown_after_it() -> None:
    shop, start = windowed(silence=SILENCE), NEWEST[0]
    learn(shop, Sale(start), 0)
    shop.count_difference([Sale(start)], [], 1)
    before = taken_back(shop)
    learn(shop, Sale(start + 2 * SILENCE), 2)

    assert (before.sold, taken_back(shop).sold) == (1, 0)


@given(histories(), st.sampled_from(KEPT), st.data())
def test_totals_are_the_same_whenever_within_a_batch_something_is_counted(
    history: list[Sale], keep: Retention, data: st.DataObject
) -> None:
    """A batch is heard in the order of its records, and counted later in any."""
    in_turn, batched = windowed(keep=keep, silence=SILENCE), windowed(keep=keep, silence=SILENCE)
    deferred = []
    for offset, sale in enumerate(history):
        learn(in_turn, sale, offset)
        batched.hear(sale.at)
        deferred.append((offset, sale))
        if data.draw(st.booleans()) or offset == len(history) - 1:
            for known, one in data.draw(st.permutations(deferred)):
                batched.count_difference((), (one,), known)
            deferred = []
        if data.draw(st.booleans()):
            list(batched.drain_counted())

    assert batched.totals.counted.tally == in_turn.totals.counted.tally


Row = tuple[Scope, int]


@given(histories(), st.integers(0, 30), st.integers(0, 30), st.data())
def test_rows_of_two_checkpoints_and_a_replay_make_the_counts_of_one_life(
    history: list[Sale], committed: int, ahead: int, data: st.DataObject
) -> None:
    """A crash in the middle of a checkpoint leaves rows of it beside rows of the one that was committed."""
    keep, silence = data.draw(st.sampled_from(KEPT)), data.draw(st.sampled_from([None, SILENCE]))
    committed, ahead = sorted((min(committed, len(history)), min(ahead, len(history))))
    wrong = {offset: data.draw(st.integers(0, offset)) for offset in data.draw(st.sets(st.sampled_from(range(30))))}

    def live(shop: Windowed[Sold], first: int, end: int) -> None:
        for offset in range(first, end):
            learn(shop, history[offset], offset)
            if offset in wrong:
                shop.count_difference((history[wrong[offset]],), (), offset)
            if shop is again:  # a replay takes rows after each record: each row is behind from another one on
                list(shop.drain_counted())

    again, whole, shop = (windowed(keep=keep, silence=silence) for _ in range(3))
    rows = dict[Row, bytes]()
    live(shop, 0, committed)
    rows |= cut(shop, committed - 1)
    live(shop, committed, ahead)
    rows |= {row: new for row, new in cut(shop, ahead - 1).items() if data.draw(st.booleans())}

    for (scope, number), row in rows.items():
        again.load(scope, number, msgspec.msgpack.decode(row, type=SoldRow))
    again.loaded()
    live(again, committed, len(history))
    live(whole, 0, len(history))

    at = minute_of(whole.watermark)
    assert windows_of(again, at) == windows_of(whole, at)
    assert again.totals.counted.tally == whole.totals.counted.tally
    assert taken_back(again) == taken_back(whole)
    assert again.watermark == whole.watermark


def cut(shop: Windowed[Sold], offset: int) -> dict[Row, bytes]:
    """Take what a checkpoint writes."""
    written = {}
    for scope, number, row in shop.drain_counted():
        row.applied_offset = offset
        written[scope, number] = msgspec.msgpack.encode(row)
    shop.forget_outdated()
    return written


@pytest.mark.parametrize(
    ("keep", "shown"),
    [
        (Retention(minutes=30), ["5m", "15m", "30m", earlier("5m")]),
        (Retention(hours=24), ["24h"]),
        (Retention(days=1), [TODAY]),
        (Retention(days=31), [TODAY, "7d", "30d", earlier(TODAY), earlier("7d")]),
        (Retention(months=1), [MONTH]),
        (Retention(quarters=2), [QUARTER, earlier(QUARTER)]),
        (Retention(), []),
    ],
)
def test_a_family_has_the_windows_that_it_keeps(keep: Retention, shown: list[str]) -> None:
    shop = windowed(keep=keep)
    at = NEWEST[0]
    learn(shop, Sale(at), 1)

    ended = {name for name in shown if SPANS[name].ago}
    assert windows_of(shop, minute_of(at)) == {name: sold([] if name in ended else [Sale(at)]) for name in shown}
    with pytest.raises(AssertionError, match="longer than what is kept"):
        Windowed(SoldRow, keep, LJUBLJANA, time(0), windows=tuple(WINDOWS))
    assert shop.totals.counted.tally.sold == 1


def test_rows_go_when_they_are_not_kept_any_more() -> None:
    shop = windowed()
    for offset, day in enumerate(range(0, 120, 5)):
        learn(shop, Sale(datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)), offset)
        shop.forget_outdated()

    by_scope: Mapping[str, list[int]] = {
        scope: [number for known, number in shop.numbers() if known == scope] for scope in UNITS
    }
    assert {scope: len(numbers) for scope, numbers in by_scope.items()} == {
        "minute": 1,
        "hour": 1,
        "day": 24,
        "month": 2,
        "quarter": 2,
    }


@pytest.mark.parametrize(
    ("keep", "first"),
    [
        (Retention(minutes=120), datetime(2026, 5, 31, 10, tzinfo=UTC)),
        (Retention(minutes=120, days=2), datetime(2026, 5, 29, 22, tzinfo=UTC)),
        (Retention(days=2), datetime(2026, 5, 29, 22, tzinfo=UTC)),
        (Retention(hours=48), datetime(2026, 5, 29, 12, tzinfo=UTC)),
        (ALL, datetime(2025, 11, 30, 23, tzinfo=UTC)),
        (Retention(quarters=2), datetime(2025, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_what_is_in_nothing_that_is_kept_is_too_late(keep: Retention, first: datetime) -> None:
    shop = windowed(keep=keep)
    learn(shop, Sale(datetime(2026, 5, 31, 12, tzinfo=UTC)), 1)

    assert not shop.is_too_late(first)
    assert shop.is_too_late(first - timedelta(minutes=1))


def test_a_total_that_was_written_before_it_told_how_new_it_is_is_as_new_as_its_minutes() -> None:
    shop, again, at = windowed(), windowed(), NEWEST[3] + timedelta(seconds=30)
    learn(shop, Sale(at), 1)
    for (scope, number), row in cut(shop, 1).items():
        old = msgspec.msgpack.decode(row, type=SoldRow)
        again.load(scope, number, SoldRow(old.applied_offset, old.tally))
    again.loaded()

    assert again.watermark == NEWEST[3]


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 5)), max_size=40), st.data())
def test_sliding_sums_equal_the_sum_of_their_minutes(changes: list[tuple[int, int]], data: st.DataObject) -> None:
    minutes: dict[int, SoldRow] = {}
    lengths = {name: (span.oldest, span.ago or 1) for name, span in SPANS.items() if span.unit == "minute"}
    sums = SlidingSums(minutes, Sold, lengths)
    for minute, count in changes:
        minutes.setdefault(minute, SoldRow()).tally.sold += count
        if minute < sums.running:
            sums.add(minute, Sold(count))
        now = data.draw(st.integers(0, 120))
        wanted = {
            name: sum(row.tally.sold for m, row in minutes.items() if now - oldest <= m <= now - newest)
            for name, (oldest, newest) in lengths.items()
        }
        assert {name: Sold.unpack(closed).sold for name, closed in sums.at(now).items()} == wanted


def test_the_period_before_a_window_is_as_long_and_ends_where_the_window_begins() -> None:
    shop, today = windowed(), datetime(2026, 5, 31, 12, tzinfo=UTC)
    ages = [0, 1, 7, 8, 15, 16]
    for offset, age in enumerate(ages):
        learn(shop, Sale(today - timedelta(days=age)), offset)

    windows = windows_of(shop, minute_of(today))
    assert {name: windows[name].sold for name in (TODAY, earlier(TODAY), "7d", earlier("7d"))} == {
        TODAY: 1,
        earlier(TODAY): 1,
        "7d": 3,
        earlier("7d"): 2,
    }
