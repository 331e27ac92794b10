"""Windowed counts are those of a list of everything that was counted, whatever is kept, evicted or lost in a crash."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.retention import Retention
from stream.core.sliding import SlidingSums
from stream.core.windowed import Windowed
from stream.core.windows import MONTH, QUARTER, SPANS, TODAY, UNITS, WINDOWS, earlier, minute_of, start_of
from tests.core.shop import (
    ALL,
    DAY_STARTS,
    DAYS,
    KEPT,
    LJUBLJANA,
    NEWEST,
    RowKey,
    Sale,
    Sold,
    SoldRow,
    cut,
    expected,
    histories,
    learn,
    loaded,
    sold,
    taken_back,
    windowed,
    windows_of,
)


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
    rows = dict[RowKey, bytes]()
    live(shop, 0, committed)
    rows |= cut(shop, committed - 1)
    live(shop, committed, ahead)
    rows |= {row: new for row, new in cut(shop, ahead - 1).items() if data.draw(st.booleans())}

    loaded(rows, again)
    live(again, committed, len(history))
    live(whole, 0, len(history))

    at = minute_of(whole.watermark)
    assert windows_of(again, at) == windows_of(whole, at)
    assert again.totals.counted.tally == whole.totals.counted.tally
    assert taken_back(again) == taken_back(whole)
    assert again.watermark == whole.watermark


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


def test_what_is_taken_back_of_a_month_that_is_not_kept_any_more_is_in_no_window() -> None:
    shop, december = windowed(), Sale(datetime(2026, 12, 31, 12, tzinfo=UTC))
    learn(shop, december, 1)
    cut(shop, 1)
    january, february = (minute_of(datetime(2027, month, 15, tzinfo=UTC)) for month in (1, 2))
    before = windows_of(shop, january)[earlier(MONTH)].sold
    shop.hear(start_of(february))  # and its row is still there: forgetting comes later
    shop.count_difference((december,), (), 2)

    assert (before, windows_of(shop, february)[earlier(MONTH)].sold) == (1, 0)
