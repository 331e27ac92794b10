"""
A family of figures is a value: its events, what folds them, and what is shown of them.

Everything else follows from these values: topics, decoding, tables, schemas, pages, boards, replay.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, Self, TypeVar

from msgspec import Struct, field

from stream.core.cloudevents import Event
from stream.core.counts import Counts
from stream.core.figure import Column, Figure, Key, Reading, Row, Show
from stream.core.identity import NO_SECRET, CustomerKeys
from stream.core.judgement import State
from stream.core.policies import NO_RULES, Policies, Rules
from stream.core.row_codec import RowCodec
from stream.core.rows import Rows
from stream.core.windows import ALL, LIVE_WINDOWS, WINDOWS, earlier

__all__ = [
    "Applied",
    "Beside",
    "Board",
    "Derive",
    "Family",
    "Fold",
    "FoldOptions",
    "OfCustomer",
    "Snapshot",
    "merged",
    "times_by_source",
    "windows_of",
]


class Applied(Struct):
    """Counts of the events of one batch by what they did, and those that could not be folded."""

    by_type: Counter[type[Event]] = field(default_factory=Counter)
    duplicates: int = 0
    """Reported nothing new."""
    replayed: int = 0
    """Had been applied before a restart or rebalance."""
    late: int = 0
    """Belong to a day that is not kept any more; only the totals know them."""
    overflowed: int = 0
    """Belong to a queue beyond the limit."""
    failed: list[tuple[int, Exception]] = field(default_factory=list)
    """Offset and cause of each event that raised: a defect of ours, to be set aside."""
    times_by_source: dict[str, list[datetime]] = field(default_factory=dict)
    """Times of the events of each CloudEvents source in the batch, sorted; none is empty."""


def times_by_source(events: Sequence[Event]) -> dict[str, list[datetime]]:
    """Return the times of the events of each CloudEvents source, sorted."""
    sources = {event.source for event in events}
    if len(sources) == 1:  # nearly always, and then at half the price
        # They come nearly in order: sorting compares each with the next one, as looking for the newest would.
        return {sources.pop(): sorted([event.time for event in events])}
    times: dict[str, list[datetime]] = {source: [] for source in sources}
    for event in events:
        times[event.source].append(event.time)
    for of in times.values():
        of.sort()
    return times


Derive = Callable[[Any], Sequence[Event]]
"""Returns the events that follow from one."""


class OfCustomer(Struct, frozen=True):
    """A `Derive` of events that may name a customer: from those that name none nothing follows."""

    tell: Callable[[Any, str], Sequence[Event]]
    """Is given an event and the customer whom its data names."""

    def __call__(self, event: Any) -> Sequence[Event]:  # noqa: ANN401  # each kind of event has its own data
        """Return the events that follow from one."""
        customer = event.data.customer
        return () if customer is None else self.tell(event, customer)


class Snapshot(Protocol):
    """What a family shows of one key at an instant; it can be told to another process."""

    @property
    def key(self) -> Key:
        """What it is of."""

    def __add__(self, other: Self, /) -> Self:
        """Return both as one: parts of the same key that stood on several partitions."""


S = TypeVar("S", bound=Snapshot)
S_co = TypeVar("S_co", bound=Snapshot, covariant=True)


class Fold(Protocol[S_co]):
    """
    The state of one partition of a family's topic.

    It is only called from the event loop, between two awaits, so it needs no locks.
    """

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        """Rows by table, in the order in which a checkpoint must write the tables."""

    def apply(self, events: Sequence[Any], offsets: Sequence[int]) -> Applied:
        """
        Fold *events*; `offsets[i]` is the offset of the record of `events[i]`, rising.

        An event at or below the applied offset of a row leaves that row as it is. Never raises for an
        event at fault: an exception is a defect that stops the worker.
        """

    def settle(self) -> None:
        """Bring the rows up to date with all that was applied; called before a checkpoint takes them."""

    def committed(self, offset: int) -> None:
        """Learn that everything below *offset* is durable and will not be replayed."""

    def recovered(self) -> None:
        """Derive from the rows what is not in a table; called after rows were loaded, possibly again."""

    def snapshots(self, at: datetime) -> Iterator[tuple[int, S_co | None]]:
        """
        Yield what is shown at the instant *at*, each with what it cost to take: 1 for an ordinary queue.

        None is work that comes before the first, and after which others may have their turn.
        """


class FoldOptions(Struct, frozen=True, kw_only=True):
    """What a deployment chooses for the folds of every family."""

    policies: Policies = Policies()
    customer_keys: CustomerKeys = NO_SECRET
    """What customers are known by: an id of one is never kept."""
    max_queues_per_tenant: int = 10_000
    """Beyond that a producer has run away; the excess is counted under one name."""
    max_queues: int = 100_000
    max_customers: int = 10_000_000
    """Of customers, and of carts, beyond that only events are counted."""
    keep_silent: bool = False
    """Whether what was silent for long is shown, and its totals go on: one window over a whole record wants that."""


class Beside(Struct, frozen=True, kw_only=True):
    """What rows of other families with the same tenant and queue show of this one, as one field of its name."""

    field: Callable[[Any], tuple[tuple[str, str], Mapping[str, Any]] | None]
    """Return tenant and queue of a snapshot, and the field; None for a snapshot that stands beside nothing."""
    shows: tuple[Show[Any], ...] = ()
    """Columns that a list gets by it."""


class Family(Struct, Generic[S], frozen=True, kw_only=True):
    """
    One family of figures.

    Its name is that of its topic, of its panel on the board, and of the file with its words.
    """

    name: str
    summary: str
    """One sentence: what its events tell."""
    rows: str
    """What its rows are called, in documents: queues, agents."""
    keyed_by: str
    """What a record key is, in words for producers: `tenant/queue` and an example."""
    events: tuple[type[Event], ...]
    """Every kind of event, in the order of the contract."""
    tables: Mapping[str, RowCodec[Any, Any]]
    """The bytes of its rows by table: exactly the tables of the fold."""
    new_fold: Callable[[FoldOptions], Fold[S]]
    snapshot: type[S]
    counts: type[Counts] | None = None
    """What its snapshots have counted, packed (`Counted`)."""
    windows: tuple[str, ...] = LIVE_WINDOWS
    """The windows in which its figures are shown."""
    compared: bool = False
    """Whether its counts are also those of the period before each window, to compare figures with."""
    labels: tuple[str, ...]
    """What the parts of a snapshot's key are called."""
    figures: tuple[Figure[S], ...]
    columns: tuple[str, ...] = ()
    """The figures that a list shows, in its order, by the names of `Show`; the others are only in the detail."""
    now: tuple[str, ...] = ()
    """What the detail shows large with its notes, of now and of the window that is chosen: names of `Show`."""
    sections: Mapping[str, tuple[str, ...]] = {}
    """What the detail shows in every window, by the word above it. Figures with windows that it lacks come first."""
    facts: Mapping[str, Column[S]] = {}
    """What a row tells beside its figures."""
    details: Mapping[str, Column[S]] = {}
    """What only the detail of one row tells beside that."""
    shows: tuple[Show[S], ...] = ()
    """How the facts and details are shown that a section names."""
    state: Column[S] | None = None
    """How a snapshot stands as a whole (`State`); None: as the worst of what is judged."""
    urgency: Callable[[Row], tuple[Any, ...]] = lambda _: ()
    """Orders rows of the same state, the most urgent first."""
    rules: Rules[Any] = NO_RULES
    """Its keys in the policy file."""
    staffed: bool = False
    """Whether what other families have `beside` stands beside its rows, such as who is there to answer."""
    parts: bool = False
    """Snapshots of one key come from many partitions: a board shows them only when all partitions have told."""
    beside: Beside | None = None
    words: str = ""
    """The package whose folder `words` has a file for each language, `en.toml` and so on: the panel's own words."""
    derive: Callable[[Policies], Mapping[type[Event], Derive]] | None = None
    """
    Return what tells, by the policies, which events for other families follow from one of this family's, by its class.

    None of them is later than it. A crash may have them written once more, so their ids are to follow from its id, and
    their folds to count each once.
    """

    def key_parts(self, event: Event) -> tuple[str | None, ...]:
        """Return what the record key of an event is made of."""
        return type(event).key_parts(event)

    @property
    def counted_in(self) -> tuple[str, ...]:
        """The windows, and the periods before them where it compares with these: what its counts are of."""
        return (*self.windows, *map(earlier, self.windows)) if self.compared else self.windows

    def window_for(self, chosen: str) -> str:
        """Return the window in which it is shown where somebody has *chosen* one: that, or the next longer it has."""
        if chosen == ALL or chosen in self.windows:
            return chosen
        order = [*WINDOWS]
        longer = (one for one in self.windows if order.index(one) > order.index(chosen))
        return next(longer, self.windows[-1])

    def windows_among(self, chosen: Sequence[str]) -> tuple[str, ...]:
        """Return its windows that somebody has *chosen*; where that is none, all of them."""
        return tuple(one for one in self.windows if one in chosen) or self.windows


class Board(Struct, frozen=True, kw_only=True):
    """Everything at one instant: snapshots by family, in the order of their keys."""

    at: datetime
    snapshots: Mapping[str, tuple[Any, ...]]
    whole: bool = True
    """Whether this is the whole centre; else families that come in parts are to be added up over all workers first."""

    def reading(self, family: Family[S]) -> Reading[S]:
        """Return the snapshots of a family as columns."""
        return Reading(self.at, self.snapshots.get(family.name, ()))


def windows_of(families: Iterable[Family[Any]]) -> tuple[str, ...]:
    """Return every window in which one of the families is shown, in their own order."""
    found = {name for family in families for name in family.windows}
    return tuple(name for name in WINDOWS if name in found)


def merged(snapshots: Iterable[S]) -> tuple[S, ...]:
    """Return snapshots in the order of their keys, each key once."""
    # Added, not overwritten: agents of one queue stand on many partitions.
    by_key: dict[Key, S] = {}
    for snapshot in snapshots:
        key = snapshot.key
        by_key[key] = by_key[key] + snapshot if key in by_key else snapshot
    # In an order of their own, so that two workers, and a replay, give equal boards.
    return tuple(by_key[key] for key in sorted(by_key, key=lambda key: tuple(part or "" for part in key)))


def worst(states: Iterable[State]) -> State:
    """Return the worst of some states; NO_SAMPLE where there are none."""
    return min(states, key=list(State).index, default=State.NO_SAMPLE)
