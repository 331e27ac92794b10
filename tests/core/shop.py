"""A shop that counts what it sells, as a family would: everything that its windows should say follows from a list."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import strategies as st
from msgspec import Struct, field

from stream.core.counts import Counts, CountsRow
from stream.core.retention import Retention
from stream.core.windowed import Scope, Windowed
from stream.core.windows import ALL as EVER
from stream.core.windows import SPANS, minute_of

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


RowKey = tuple[Scope, int]


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


def windowed(
    day_starts: time = time(0),
    keep: Retention = ALL,
    silence: timedelta | None = None,
    foresees: timedelta = timedelta(0),
) -> Windowed[Sold]:
    windows = tuple(name for name, span in SPANS.items() if keep.keeps(span))
    return Windowed(SoldRow, keep, LJUBLJANA, day_starts, windows=windows, silence=silence, foresees=foresees)


def learn(shop: Windowed[Sold], sale: Sale, offset: int) -> None:
    shop.hear(sale.at)
    shop.count_difference((), (sale,), offset)


def cut(shop: Windowed[Sold], offset: int) -> dict[RowKey, bytes]:
    """Take what a checkpoint writes."""
    written = {}
    for scope, number, row in shop.drain_counted():
        row.applied_offset = max(row.applied_offset, offset)  # one that was loaded may be ahead of a replay
        written[scope, number] = msgspec.msgpack.encode(row)
    shop.forget_outdated()
    return written


def loaded(rows: Mapping[RowKey, bytes], into: Windowed[Sold]) -> Windowed[Sold]:
    """Return what another worker makes of the rows of a changelog."""
    for (scope, number), row in rows.items():
        into.load(scope, number, msgspec.msgpack.decode(row, type=SoldRow))
    into.loaded()
    return into
