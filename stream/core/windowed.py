"""What one key has counted, by minute, hour, local day, month, quarter and in total; each in a row of its own.

Knows neither events nor families: it is told contributions, which say at what instant they count, and how.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Generic, Literal, NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from stream.core.ahead import DaysAhead
from stream.core.counted import Counted
from stream.core.counts import Counts, CountsRow, size_of
from stream.core.kept_units import KeptUnits
from stream.core.retention import Retention
from stream.core.sliding import SlidingSums
from stream.core.totals import Totals
from stream.core.windows import ALL, EPOCH, LIVE_WINDOWS, SPANS, UNITS, Unit, minute_of, start_of

__all__ = ["Contribution", "Scope", "Windowed"]

T = TypeVar("T", bound=Counts)
T_contra = TypeVar("T_contra", bound=Counts, contravariant=True)

Scope = Literal[Unit, "total", "taken_back"]
"""What a row is of; of `taken_back` only versions before wrote one: now the row of the total has it."""

_NOT_KEPT: Final = 2**62
"""Later than every number of a unit."""

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class _Lengths(NamedTuple):
    """How long the windows of a family are."""

    units: tuple[Unit, ...]
    """Of which each window has the running one."""
    sliding: dict[Unit, dict[str, tuple[int, int]]]
    """Of which windows have closed ones: from and up to so many before the running one."""
    nothing_closed: dict[str, bytes]
    """All windows, as they are where they have nothing but the running one."""


@lru_cache  # of many queues there are few families
def _lengths_of(windows: tuple[str, ...], retention: Retention) -> _Lengths:
    shown = {name: SPANS[name] for name in windows}
    assert all(map(retention.keeps, shown.values())), "a window is longer than what is kept"
    units = tuple(dict.fromkeys(window.unit for window in shown.values()))
    sliding = {
        unit: lengths
        for unit in units
        if (
            lengths := {
                name: (one.oldest, one.ago or 1) for name, one in shown.items() if one.unit == unit and one.oldest
            }
        )
    }
    return _Lengths(units, sliding, dict.fromkeys(shown, b""))


class Contribution(Protocol[T_contra]):
    """What something counts for; a value, so that it can be taken back."""

    @property
    def at(self) -> datetime:
        """The instant, hence the unit of each kind, that it counts in."""

    def count(self, tallies: Iterable[T_contra], sign: int, /) -> None:
        """Add it to each of *tallies* (sign 1), or take it back (-1)."""


class Windowed(Generic[T]):
    """
    The counts of one key, in all windows.

    Rows count in place, each record once: a row that was loaded with a higher applied offset takes nothing.

    A family that foresees something counts it at once, at an instant on a later day of the key. No window has it, nor
    `ALL`, until that day has come; a later event may take it back, before that day or after it. But no counter may
    show it: one would have what was taken back before its day, too (`Counted.shown`).
    """

    def __init__(
        self,
        new_row: Callable[[], CountsRow[T]],
        retention: Retention,
        zone: ZoneInfo,
        day_starts: time,
        *,
        windows: tuple[str, ...] = LIVE_WINDOWS,
        silence: timedelta | None = None,
        foresees: timedelta = timedelta(0),
    ) -> None:
        """
        Make it empty.

        *foresees* is the longest that anything lies ahead of the newest event; 0: nothing does. Days must be kept
        then, but no hours, of which one may be in two days, and a *silence* must be longer. Whoever forgets a silent
        key waits for that, too: its windows may show something of it so much longer than its retention reaches.
        """
        self.watermark = EPOCH
        """Time of the newest event of this key."""
        self.silent_from = EPOCH
        """An event that is later may end a silence: `end_silence` must hear of it before the watermark moves."""
        self.totals = Totals(new_row, silence, foresees)
        self._kind: type[T] = type(self.totals.counted.tally)
        self._units = KeptUnits(retention, zone, day_starts)
        self.surely_kept = retention.surely
        """What is no later than that is kept: it needs no calendar to be told, as nearly all events."""
        # A number that is counted in for the first time gets a row by being asked for; readers ask by `get`.
        self._rows: dict[Unit, dict[int, CountsRow[T]]] = {unit: defaultdict(new_row) for unit in UNITS}
        self._lengths = _lengths_of(windows, retention)
        self._sums = {
            unit: SlidingSums(self._rows[unit], self._kind, lengths) for unit, lengths in self._lengths.sliding.items()
        }
        self._read_at = -1
        """The minute that was read last: what is counted in an earlier one may be closed in some window."""
        self._open_minutes: dict[int, list[T]] = {}
        """The minutes that were counted in since rows were last drained, and all tallies that count them."""
        self._open_numbers: dict[Unit, dict[int, None]] = {unit: {} for unit in UNITS}
        """The numbers of the longer units that these are in: ordered sets."""
        assert not foresees or (retention.days and not retention.hours), "what lies ahead is told apart by its day"
        self._ahead = DaysAhead(self._rows["day"], self._open_numbers["day"], self._kind) if foresees else None
        self._in_days = not (retention.minutes or retention.hours)
        """Nothing shorter is kept: all minutes of a day count in the same rows."""
        self._alike = (0, -1)
        """The first and last of such minutes."""
        self._ajar: set[int] = set()
        """Days whose rows were loaded or counted in since the ones that are over were closed."""
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
            self._alike = (0, -1)
            # Minutes of before the silence that are still open for counting must not reach the new totals.
            for minute, tallies in self._open_minutes.items():
                if minute < totals.first_minute:
                    tallies[:] = [tally for tally in tallies if tally is not totals.counted.tally]
        self.silent_from = at + silence

    def count(self, contribution: Contribution[T], sign: int, offset: int) -> None:
        """Count one contribution, or take it back (sign -1)."""
        minute = minute_of(contribution.at)
        self.count_in(self.alike(minute) if self._in_days else minute, contribution, sign, offset)

    def count_in(self, minute: int, contribution: Contribution[T], sign: int, offset: int) -> None:
        """Do that for whoever knows already in which minute, or one that is `alike`."""
        tallies = self._open_minutes.get(minute)
        contribution.count(self._open(minute, offset) if tallies is None else tallies, sign)
        if minute < self._read_at:
            self._count_closed(contribution, sign, minute)

    def alike(self, minute: int) -> int:
        """
        Return the last minute that counts in the same rows: who counts much at once counts all of it there.

        Only of a family that keeps nothing shorter than days.
        """
        known = self._alike
        if not known[0] <= minute <= known[1]:
            known = self._day_around(minute)
            # What is told of days ago comes between events of today, as does what lies ahead.
            if known[0] <= minute_of(self.watermark):
                self._alike = max(self._alike, known)
        return known[1]

    def _day_around(self, minute: int) -> tuple[int, int]:
        """Return the first and last minute of the local day that holds *minute*, on the same side of a silence."""
        day, begun = self.day_of(minute), self.totals.first_minute
        first, last = self._units.minutes_of_day(day)
        return (max(first, begun), last) if minute >= begun else (first, min(last, begun - 1))

    def _count_closed(self, contribution: Contribution[T], sign: int, minute: int) -> None:
        """Bring sums up to date that were made without a contribution to what they have closed."""
        late: T | None = None
        tallies = self._open_minutes[minute]
        for unit, sums in self._sums.items():
            number = self._units.number(unit, minute)
            row = self._rows[unit].get(number) if number < sums.running else None
            # Rows that are not kept any more, or have counted the record before, stay as they are until they go.
            if row is not None and any(tally is row.tally for tally in tallies):
                if late is None:
                    late = self._kind()  # counting into a tally of its own gives the delta
                    contribution.count([late], sign)
                sums.add(number, late)

    def _open(self, minute: int, offset: int) -> list[T]:
        """Return the tallies that count a minute: of rows that are behind *offset*, hence behind all that follow."""
        # Once for each minute and settling, not at each event: counting is most of what a fold does.
        rows = [self.totals.counted] if minute >= self.totals.first_minute else []
        number_of = self._units.number
        for unit, first in self._units.first(self.watermark).items():
            number = minute if unit == "minute" else number_of(unit, minute)
            if number >= first:
                rows.append(self._rows[unit][number])
                # A minute stands in `_open_minutes`.
                if unit != "minute":
                    self._open_numbers[unit][number] = None
        counting = [row for row in rows if row.applied_offset < offset]
        if self._in_days:
            self._ajar.add(number_of("day", minute))
            counted = [row.open(self._kind) for row in counting]  # some are closed
        else:
            counted = [row.tally for row in counting]
        self._open_minutes[minute] = counted
        return counted

    def drain_counted(self) -> Iterator[tuple[Scope, int, CountsRow[T]]]:
        """Yield the rows that were counted in since the last call, of what is still kept, and the totals."""
        for unit, first in self._units.first(self.watermark).items():
            for number in self._open_minutes if unit == "minute" else self._open_numbers[unit]:
                if number >= first:
                    yield unit, number, self._rows[unit][number]
            self._open_numbers[unit].clear()
        # Also written when only the watermark moved: after a restart it tells whether an event ends a silence.
        total = self.totals.counted
        if self._open_minutes or self.watermark != total.newest:
            total.newest = self.watermark
            yield "total", 0, total
        self._open_minutes = {}

    # What is kept: by the watermark, so that it is the same whenever somebody looks.

    def load(self, scope: Scope, number: int, row: CountsRow[T]) -> None:
        """Take a row over from the changelog; `loaded` follows the last one."""
        match scope:
            case "total":
                self.totals.load_counted(row)
            case "taken_back":
                self.totals.load_taken_back(row)
            case unit:
                self._rows[unit][number] = row
                if self._in_days and unit == "day":
                    self._ajar.add(number)

    def loaded(self) -> None:
        """
        Take note that the last row was loaded.

        The watermark is as old as the total: other rows may be of a later checkpoint, and must not hide that
        an event which comes again ends a silence.
        """
        total = self.totals.counted
        if total.newest is not None:
            self.watermark = total.newest
        elif total.applied_offset >= 0 and (minutes := self._rows["minute"]):  # of a version whose totals did not tell
            self.watermark = start_of(max(minutes))
        self._close_days()

    def is_too_late(self, at: datetime) -> bool:
        """Tell whether an instant is in nothing that is kept any more: only the totals get to know."""
        minute = minute_of(at)
        return all(
            self._units.number(unit, minute) < first for unit, first in self._units.first(self.watermark).items()
        )

    def is_due(self) -> bool:
        """Tell whether the watermark has come into another minute since the last eviction."""
        return minute_of(self.watermark) > self._swept_to

    def forget_outdated(self) -> list[tuple[Scope, int]]:
        """Forget what no window reaches any more, and return scope and number of each."""
        self._swept_to = minute_of(self.watermark)
        self._close_days()
        outdated: list[tuple[Scope, int]] = []
        kept = self._units.first(self.watermark)
        for unit, rows in self._rows.items():
            first = kept.get(unit, _NOT_KEPT)  # a version before may have kept other units
            numbers = [number for number in rows if number < first]
            for number in numbers:
                del rows[number]
            outdated += [(unit, number) for number in numbers]
        for unit, sums in self._sums.items():
            sums.forget(kept[unit])
        return outdated

    def _close_days(self) -> None:
        """Keep the days before the one of the watermark as bytes; but for those that something is counting in."""
        if self._open_minutes or not self._ajar:
            return
        today = self.day_of(minute_of(self.watermark))
        over = {number for number in self._ajar if number < today}
        for number in over:
            if (row := self._rows["day"].get(number)) is not None:
                row.close()
        self._ajar -= over

    def numbers(self) -> Iterator[tuple[Scope, int]]:
        """Yield scope and number of every row there may be."""
        for unit, rows in self._rows.items():
            yield from ((unit, number) for number in rows)
        yield "total", 0
        yield "taken_back", 0

    def day_of(self, minute: int) -> int:
        """Return the ordinal of the local day that holds *minute*."""
        return self._units.day_of(minute)

    # Reading.

    def counted(self, minute: int) -> Counted:
        """Return the counts of each window at a *minute*, and of all there ever was."""
        windows = self._lengths.nothing_closed.copy()
        for unit, sums in self._sums.items():
            windows.update(sums.at(minute if unit == "minute" else self._units.number(unit, minute)))
        self._read_at = minute
        windows[ALL] = self.totals.counted.tally.pack()
        running = {unit: self._packed(unit, minute) for unit in self._lengths.units}
        counted = Counted(windows=windows, running=running, taken_back=self.totals.read_taken_back())
        if self._ahead is not None:
            self._ahead.subtract_from(counted, self.day_of(minute), self.day_of(self.totals.first_minute - 1) + 1)
        return counted

    def _packed(self, unit: Unit, minute: int) -> bytes:
        row = self._rows[unit].get(self._units.number(unit, minute))
        return bytes(size_of(self._kind)) if row is None else row.read(self._kind).pack()
