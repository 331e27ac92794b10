"""What one key has counted, by minute, local day, calendar month and in total; each in a row of its own.

Knows neither events nor families: it is told contributions, which say at what instant they count, and how.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Generic, Literal, Protocol, TypeVar
from zoneinfo import ZoneInfo

from stream.core.counted import Counted
from stream.core.counts import Counts, CountsRow, size_of
from stream.core.retention import Retention
from stream.core.sliding import SlidingSums
from stream.core.totals import Totals
from stream.core.windows import (
    ALL,
    EPOCH,
    MONTH,
    TODAY,
    WINDOWS,
    day_of,
    minute_of,
    month_of,
    start_of,
)

__all__ = ["Contribution", "Scope", "Windowed"]

T = TypeVar("T", bound=Counts)
T_contra = TypeVar("T_contra", bound=Counts, contravariant=True)

Scope = Literal["minute", "day", "month", "total", "taken_back"]
"""What a row is of; of `taken_back` only versions before wrote one: now the row of the total has it."""

_NOT_KEPT = 2**62
"""Later than every minute, day and month."""


_NEVER = datetime.max.replace(tzinfo=UTC)


class Contribution(Protocol[T_contra]):
    """What something counts for; a value, so that it can be taken back."""

    @property
    def at(self) -> datetime:
        """The instant, hence the minute, day and month, that it counts in."""

    def count(self, tallies: Iterable[T_contra], sign: int, /) -> None:
        """Add it to each of *tallies* (sign 1), or take it back (-1)."""


class Windowed(Generic[T]):
    """
    The counts of one key, in all windows.

    Rows count in place, each record once: a row that was loaded with a higher applied offset takes nothing.
    """

    def __init__(
        self,
        new_row: Callable[[], CountsRow[T]],
        retention: Retention,
        zone: ZoneInfo,
        day_starts: time,
        *,
        silence: timedelta | None = None,
    ) -> None:
        self.watermark = EPOCH
        """Time of the newest event of this key."""
        self.silent_from = EPOCH
        """An event that is later may end a silence: `end_silence` must hear of it before the watermark moves."""
        self.totals = Totals(new_row, silence)
        self._kind: type[T] = type(self.totals.counted.tally)
        self._retention, self._zone, self._day_starts = retention, zone, day_starts
        self.surely_kept = timedelta(minutes=max(retention.minutes - 1, 0))
        """What is no later than that is kept: it needs no calendar to be told, as nearly all events."""
        # A number that is counted in for the first time gets a row by being asked for; readers ask by `get`.
        self._minutes: dict[int, CountsRow[T]] = defaultdict(new_row)
        self._days: dict[int, CountsRow[T]] = defaultdict(new_row)
        self._months: dict[int, CountsRow[T]] = defaultdict(new_row)
        windows = {name: length for name, length in WINDOWS.items() if length <= retention.minutes}
        self._sums = SlidingSums(self._minutes, self._kind, windows)
        self._open_minutes: dict[int, list[T]] = {}
        """The minutes that were counted in since rows were last drained, and all tallies that count them."""
        self._open_days: set[int] = set()
        """The days of these minutes."""
        self._first = (0, 0, 0)
        """The first minute, day and month that are kept until the watermark is at `_first_until`."""
        self._first_until = EPOCH
        self._swept_to = -1

    # Counting: in place, in every row that has not counted the record yet.

    def count_difference(
        self,
        before: Sequence[Contribution[T]],
        after: Sequence[Contribution[T]],
        offset: int,
        hidden: Collection[Contribution[T]] = (),
    ) -> None:
        """
        Count what something counts for *after*, and take back what only *before* had, by a record's *offset*.

        What is *hidden* no counter has shown yet: it can be taken back without a trace.
        """
        for contribution in after:
            if not before or contribution not in before:
                self.count(contribution, 1, offset)
        for contribution in before:
            if contribution not in after:
                self.count(contribution, -1, offset)
                if contribution not in hidden:
                    contribution.count(self.totals.correct(contribution.at, offset), 1)

    def hear(self, at: datetime) -> None:
        """Take note of an event that something was learned from, in the order of the records."""
        if at > self.silent_from:
            self.end_silence(at)
        self.watermark = max(self.watermark, at)

    def end_silence(self, at: datetime) -> None:
        """Begin totals anew if nothing was heard of for longer than a silence."""
        silence, totals = self.totals.silence, self.totals
        if silence is None:
            self.silent_from = _NEVER
            return
        # A total that was loaded and has begun anew by this very event has a watermark that is no older.
        if EPOCH < self.watermark < at - silence:
            totals.begin_anew(at)
            # Minutes of before the silence that are still open for counting must not reach the new totals.
            for minute, tallies in self._open_minutes.items():
                if minute < totals.first_minute:
                    tallies[:] = [tally for tally in tallies if tally is not totals.counted.tally]
        self.silent_from = at + silence

    def count(self, contribution: Contribution[T], sign: int, offset: int) -> None:
        """Count one contribution, or take it back (sign -1)."""
        minute = minute_of(contribution.at)
        tallies = self._open_minutes.get(minute)
        contribution.count(self._open(minute, offset) if tallies is None else tallies, sign)
        if (
            minute < self._sums.running
            and (kept := self._minutes.get(minute)) is not None
            and kept.applied_offset < offset
        ):
            # The sums of closed minutes were made without it. Counting into a tally of its own gives the delta.
            late = self._kind()
            contribution.count([late], sign)
            self._sums.add(minute, late)

    def _open(self, minute: int, offset: int) -> list[T]:
        """Return the tallies that count a minute: of rows that are behind *offset*, hence behind all that follow."""
        first_minute, first_day, first_month = self._first_kept()
        # Once for each minute and settling, not at each event: counting is most of what a fold does.
        rows = [self.totals.counted] if minute >= self.totals.first_minute else []
        if minute >= first_minute:
            rows.append(self._minutes[minute])
        day = self.day_of(minute)
        self._open_days.add(day)
        if day >= first_day:
            rows.append(self._days[day])
        if first_month != _NOT_KEPT and (month := month_of(day)) >= first_month:
            rows.append(self._months[month])
        counted = self._open_minutes[minute] = [row.tally for row in rows if row.applied_offset < offset]
        return counted

    def drain_counted(self) -> Iterator[tuple[Scope, int, CountsRow[T]]]:
        """Yield the rows that were counted in since the last call, of what is still kept, and the totals."""
        days = self._open_days
        counted = (self._open_minutes, days, {month_of(day) for day in days} if self._months else ())
        for (scope, rows), numbers, first in zip(self._numbered(), counted, self._first_kept(), strict=True):
            for number in numbers:
                if number >= first:
                    yield scope, number, rows[number]
        # Also written when only the watermark moved: after a restart it tells whether an event ends a silence.
        total = self.totals.counted
        if self._open_minutes or self.watermark != total.newest:
            total.newest = self.watermark
            yield "total", 0, total
        self._open_minutes, self._open_days = {}, set()

    # What is kept: by the watermark, so that it is the same whenever somebody looks.

    def load(self, scope: Scope, number: int, row: CountsRow[T]) -> None:
        """Take a row over from the changelog; `loaded` follows the last one."""
        match scope:
            case "minute":
                self._minutes[number] = row
            case "day":
                self._days[number] = row
            case "month":
                self._months[number] = row
            case "total":
                self.totals.load_counted(row)
            case "taken_back":
                self.totals.load_taken_back(row)

    def loaded(self) -> None:
        """
        Take note that the last row was loaded.

        The watermark is as old as the total: other rows may be of a later checkpoint, and must not hide that
        an event which comes again ends a silence.
        """
        total = self.totals.counted
        if total.newest is not None:
            self.watermark = total.newest
        elif total.applied_offset >= 0 and self._minutes:  # written by a version whose totals did not tell
            self.watermark = start_of(max(self._minutes))

    def is_too_late(self, at: datetime) -> bool:
        """Tell whether an instant is in nothing that is kept any more: only the totals get to know."""
        minute, (first_minute, first_day, first_month) = minute_of(at), self._first_kept()
        day = self.day_of(minute)
        return minute < first_minute and day < first_day and month_of(day) < first_month

    def is_due(self) -> bool:
        """Tell whether the watermark has come into another minute since the last eviction."""
        return minute_of(self.watermark) > self._swept_to

    def forget_outdated(self) -> list[tuple[Scope, int]]:
        """Forget minutes, days and months that nothing reaches any more, and return them."""
        self._swept_to = minute_of(self.watermark)
        outdated: list[tuple[Scope, int]] = []
        for (scope, rows), first in zip(self._numbered(), self._first_kept(), strict=True):
            numbers = [number for number in rows if number < first]
            for number in numbers:
                del rows[number]
            outdated += [(scope, number) for number in numbers]
        self._sums.forget(self._first_kept()[0])
        return outdated

    def numbers(self) -> Iterator[tuple[Scope, int]]:
        """Yield scope and number of every row there may be."""
        for scope, rows in self._numbered():
            yield from ((scope, number) for number in rows)
        yield "total", 0
        yield "taken_back", 0

    def _numbered(self) -> tuple[tuple[Scope, dict[int, CountsRow[T]]], ...]:
        return ("minute", self._minutes), ("day", self._days), ("month", self._months)

    def _first_kept(self) -> tuple[int, int, int]:
        """Return the first minute, day and month that are kept; mostly asked for within one minute."""
        if self.watermark >= self._first_until:
            newest = minute_of(self.watermark)
            self._first, self._first_until = self._kept_from(newest), start_of(newest + 1)
        return self._first

    def _kept_from(self, newest: int) -> tuple[int, int, int]:
        kept, today = self._retention, self.day_of(newest)
        return (
            # The running minute and that many whole ones before it, as a window has them; of days and months
            # the running one is among those that are kept.
            newest - kept.minutes if kept.minutes else _NOT_KEPT,
            today - kept.days + 1 if kept.days else _NOT_KEPT,
            month_of(today) - kept.months + 1 if kept.months else _NOT_KEPT,
        )

    def day_of(self, minute: int) -> int:
        """Return the ordinal of the local day that holds *minute*."""
        return day_of(minute, self._zone, self._day_starts)

    # Reading.

    def counted(self, minute: int) -> Counted:
        """Return the counts of each window at a *minute*, and of all there ever was."""
        windows = self._sums.at(minute)
        day = self.day_of(minute)
        if self._retention.days:
            windows[TODAY] = self._packed(self._days, day)
        if self._retention.months:
            windows[MONTH] = self._packed(self._months, month_of(day))
        windows[ALL] = self.totals.counted.tally.pack()
        running = self._packed(self._minutes, minute)
        return Counted(windows=windows, running=running, taken_back=self.totals.read_taken_back())

    def _packed(self, rows: dict[int, CountsRow[T]], number: int) -> bytes:
        row = rows.get(number)
        return bytes(size_of(self._kind)) if row is None else row.tally.pack()
