"""A figure is a value: its metric, how it is read from snapshots, and how a board shows and judges it."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, cast

from msgspec import Struct

from stream.core.judgement import State
from stream.core.metric import Metric
from stream.core.vectors import Vector

__all__ = [
    "Bars",
    "BucketColumns",
    "Column",
    "Figure",
    "Format",
    "Key",
    "NotePlace",
    "Parts",
    "Reading",
    "Row",
    "Show",
    "ShownColumn",
    "ShownNote",
]

S = TypeVar("S")
T = TypeVar("T")

Key = tuple[str | None, ...]
"""What a snapshot is of: the values of its family's labels. None: of all of them, as the agents of a whole tenant."""

Row = dict[str, Any]
"""What a board tells of one snapshot in one window, by the names of figures and facts."""

Format = Literal[
    "level",
    "share",
    "duration",
    "elapsed",
    "limit",
    "count",
    "score",
    "rate",
    "change",
    "amount",
    "moment",
    "text",
    "agents",
]
"""
How a figure is written: terminal and page have a function of each name.

`agents`: how many of them are free. `amount`: money, in the currency that the fact `currency` of its row names.
"""


class Reading(Generic[S]):
    """The snapshots of one family at an instant, as columns: what several figures read of them is computed once."""

    def __init__(self, at: datetime, snapshots: Sequence[S]) -> None:
        self.at = at
        self.snapshots = snapshots
        self._known: dict[Hashable, Any] = {}

    def once(self, name: Hashable, compute: Callable[[], T]) -> T:
        """Return what is known by that *name*; computes it the first time."""
        # By name and not by function: lambdas of two figures differ even where they compute the same.
        if name not in self._known:
            self._known[name] = compute()
        return cast("T", self._known[name])


Column = Callable[[Reading[S], str], Sequence[Any]]
"""One value for each snapshot, in a window; a figure of now is asked for the window "" and pays no heed to it."""

BucketColumns = tuple[Sequence[Vector], Sequence[float]]
"""A column of counts for each bucket, not cumulative, and one of the sums of what was measured."""


class Parts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a figure that is several by name is made of, such as one for each reason: a detail has a line for each."""

    names: tuple[str, ...] = ()
    """In their order. Empty: all that any window has."""
    own: str = ""
    """The fact that tells which of them is that of the row itself."""
    called: str = ""
    """Where they are called as elsewhere: what stands before each in the files of words, such as `channel`."""
    absent_is_unknown: bool = False
    """Whether nothing is known of a part that a window lacks; else it is 0 there."""


class Bars(Struct, frozen=True, kw_only=True):
    """A figure whose value also has `counts` by bucket: a detail draws its parts large, and a bar for each bucket."""

    bounds: str = "bounds"
    """The field of the value that has the upper bounds, inclusive; there is one count more, of all above."""
    format: Format = "limit"
    """How a bound is written."""
    within: str = ""
    """The fact that says up to which bound all is well, such as a threshold."""


NotePlace = Literal["tile", "wall", "detail"]
"""Where a note stands."""


class ShownNote(Struct, frozen=True, kw_only=True):
    """A line below a large figure: a sentence of the files of words, whose blanks are fields of the row."""

    word: str
    """Names the sentence."""
    blanks: Mapping[str, Format]
    """The blanks by the name of their field, and how each is written."""
    where: tuple[NotePlace, ...] = ("tile", "detail")
    """A wall has room for one such line at most."""
    if_any: bool = False
    """Whether it is left out while the first of its fields is 0 or unknown."""
    signed: bool = False
    """Whether it has the sign of the figure's verdict."""


class ShownColumn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A column of a list, or a line of a detail, as page and terminal are told of it."""

    name: str
    """Its field in a row."""
    format: Format
    title: str
    """Heads the column of a terminal, which has none without it, and of a page where no language has a word for it."""
    word: str = ""
    """What names it in the files of words, where that is not its `name`. With `short_` before: the head of a list."""
    rank: int = 0
    """Where a list has little room, columns with a high rank give way first; those with 0 never do."""
    judged_as: str = ""
    """The name of what is judged, where something is: figures may share a verdict."""
    signed: bool = True
    """Whether a list puts the sign of a verdict before it; not where a column beside it has the sign."""
    since: str = ""
    """The fact that tells when it began: a page lets it run on between two boards, and its rows leave it out."""
    also: tuple[str, Format] | None = None
    """Another field of the row and its format: a page writes it behind this one, after a slash."""
    tile: Literal["", "large", "small"] = ""
    """Whether a tile shows it; it must also be in the list. Three have room large, the first is the largest."""
    summary: Literal["", "sum", "max", "tenants"] = ""
    """
    What the head of a page says of it over all rows; it must also be in the list.

    `tenants`: the sum of those rows that are of all of a tenant, where others are parts of them.
    """
    notes: tuple[ShownNote, ...] = ()
    """What stands below it where it is large."""
    parts: Parts | None = None
    """Where it is several by name. Each is called by word and name, `exit_timeout`, or by `exit_any` with a blank."""
    most: float | None = None
    """Where it is this, all that is known is that it is no less."""
    if_any: bool = False
    """Whether a detail leaves it out while no window has any."""
    bars: Bars | None = None
    """Where it is a distribution."""
    only_with: str = ""
    """A label that not every row has, and that a row must have to have this figure: others show nothing of it."""
    only_without: str = ""
    """A label that a row must not have to have this figure."""
    needs_agents: bool = False
    """Whether it counts what waits for agents: a board says so where there is some, and no agent is free."""
    windowed: bool = False
    """Told of what a detail shows large: whether it is of the window that is chosen, and not of now."""

    def is_of(self, row: Row) -> bool:
        """Tell whether a row has this figure, by its labels: a value may be unknown all the same."""
        return bool((not self.only_with or row[self.only_with]) and not (self.only_without and row[self.only_without]))


class Show(ShownColumn, Generic[S], frozen=True, kw_only=True):
    """How a board shows a figure, or a fact of a row."""

    judge: Callable[[Reading[S], Sequence[Any]], Sequence[State]] | None = None
    """Judges a column. None: what `judged_as` names is judged by another figure, or nothing is."""
    text: Callable[[Row], str] | None = None
    """How a terminal writes it, where the format of one value does not say it all."""


class Figure(Struct, Generic[S], frozen=True, kw_only=True):
    """One figure of a family: a metric, a column of a board, or both."""

    metric: Metric | None = None
    section: str = ""
    """The section of the page of metrics it stands in; each section may fail on its own."""
    column: Column[S] | None = None
    by: Mapping[str, Column[S]] = {}
    """In place of *column*: one for each value of the metric's last label, such as a reason."""
    buckets: Callable[[Reading[S]], BucketColumns] | None = None
    """In place of *column*: a histogram."""
    coarse: Sequence[int] = ()
    """Those of the bounds of a histogram that are worth a series each."""
    labels_of: Callable[[S], tuple[str, ...] | None] | None = None
    """The labels of a snapshot, where they are not its key; None for a snapshot without this figure."""
    show: Show[S] | None = None
    written_in: Sequence[str] | None = None
    """
    The windows in which the page of metrics has it where nobody chose others; None: in all of its family.

    Boards know all of them.
    """

    @property
    def windowed(self) -> bool:
        """Whether there is one for each window."""
        return self.metric is not None and "window" in self.metric.labels
