"""Which source partitions this worker owns, and how far each has been applied and committed.

The transport says what is assigned and given up, processors apply, checkpoints commit. An *epoch*
is the time between two changes of ownership: what was fetched in one is worth nothing in the next.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Self

from faust.types import TP

from stream.core.rows import Rows
from stream.runtime.kafka.transport import Start
from stream.runtime.source_topic import Fold, SourceTopic
from stream.status.feed import Feed, PartitionFeed, RecoveryState

__all__ = ["DerivedRecord", "OwnedPartition", "Ownership"]

DerivedRecord = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""Key and event of a record for a source topic, and no headers."""


class OwnedPartition:
    """One source partition of this worker, with its fold."""

    __slots__ = (
        "changelog_ends",
        "committed",
        "contested_to",
        "derived",
        "derived_unwritten",
        "feed",
        "fold",
        "foreign",
        "indexed",
        "known_to",
        "live",
        "position",
        "rewound_at",
        "seek",
        "shown",
        "source",
        "tp",
        "vain_rewinds",
    )

    def __init__(self, tp: TP, source: SourceTopic) -> None:
        self.tp = tp
        self.source = source
        self.fold: Fold[Any] = source.new_fold()
        self.shown: Fold[Any] | None = None
        """What the board may show; None until the rows are recovered for the first time."""
        self.live = False
        """Recovered and at its committed offset: records may be applied."""
        self.indexed = False
        """The fold knows the rows that were loaded."""
        self.position = 0
        self.committed = 0
        self.changelog_ends: dict[str, int] = {}
        """By table, the offset after the last changelog record that the rows contain; no entry: unknown."""
        self.known_to = 0
        """Before the next recovery: the rows are of all records up to, and without, this offset."""
        self.contested_to: int | None = None
        """Other workers may have applied records up to, and without, this offset; None: not known yet."""
        self.foreign: list[tuple[str, range]] = []
        """By table, changelog offsets at which somebody else has written, still to be answered."""
        self.seek = 0
        """Number of the seek whose records are wanted: what was fetched before it is void."""
        self.rewound_at: int | None = None
        """The position from which records were fetched again last, since some were missing."""
        self.vain_rewinds = 0
        """How often records missing before a fetch were fetched again, and were not there."""
        self.derived: dict[TP, list[DerivedRecord]] = {}
        """By source partition, events for other families that follow from what was applied: for the next checkpoint."""
        self.derived_unwritten = 0
        """How many of them are not acknowledged, those included that a checkpoint is writing."""
        self.feed = PartitionFeed(tp.topic, tp.partition)

    @property
    def dirty(self) -> bool:
        """Whether a checkpoint has anything to do here."""
        unwritten = self.foreign or any(rows.changed for rows in self.fold.tables.values())
        return self.position != self.committed or bool(unwritten)

    def rows(self, table: str) -> Rows[Any, Any]:
        """Return the rows of *table* that belong to this partition."""
        return self.fold.tables[table]

    def rebuild_indexes(self) -> None:
        """Rebuild in-memory indexes from rows; no-op if nothing was loaded since."""
        if not self.indexed:
            self.fold.recovered()
            self.indexed = True

    def successor(self) -> Self:
        """Return this partition for the next assignment: same rows, nothing derived from them yet."""
        # A new object: whoever still holds the old one, a checkpoint or a batch, sees that it is not the owner's.
        heir = type(self)(self.tp, self.source)
        for table, rows in self.fold.tables.items():
            heir.rows(table).update(rows)
            heir.rows(table).changed.update(rows.changed)
        heir.shown = self.shown
        heir.changelog_ends, heir.foreign = self.changelog_ends, self.foreign
        heir.known_to, heir.contested_to = self.position, self.contested_to
        return heir

    def contest(self) -> None:
        """Tell the rows whether another worker may have applied the records that come next."""
        contested = self.contested_to is not None and self.position < self.contested_to
        for rows in self.fold.tables.values():
            rows.contested = contested


class Ownership:
    """The partitions of this worker; used on the worker's event loop only."""

    def __init__(self, sources: Iterable[SourceTopic], feed: Feed, clock: Callable[[], datetime]) -> None:
        self.sources = {source.name: source for source in sources}
        self.feed = feed
        self.clock = clock
        self.epoch = 0
        self.lost = False
        """Others own the partitions already: nothing may be written for them any more."""
        self._owned: dict[TP, OwnedPartition] = {}
        self._kept: dict[TP, OwnedPartition] = {}
        self._frozen = True

    def __iter__(self) -> Iterator[OwnedPartition]:
        return iter(self._owned.values())

    def __len__(self) -> int:
        return len(self._owned)

    def get(self, topic: str, partition: int) -> OwnedPartition | None:
        """Return the partition, recovered or not; None if it is not ours."""
        return self._owned.get(TP(topic, partition))

    def applying(self, topic: str, partition: int) -> OwnedPartition | None:
        """Return the partition if records may be applied to it now."""
        owned = None if self._frozen else self._owned.get(TP(topic, partition))
        return owned if owned is not None and owned.live else None

    def folds(self) -> list[Fold[Any]]:
        """Return the folds that may be shown: of partitions that this worker owns and has recovered."""
        return [fold for _, fold in self.shown()]

    def shown(self) -> list[tuple[PartitionFeed, Fold[Any]]]:
        """Return the same folds, each with the feed of its partition."""
        every = (*self._owned.values(), *self._kept.values())
        return [(owned.feed, owned.shown) for owned in every if owned.shown is not None]

    def freeze(self, *, lost: bool = False) -> None:
        """Apply nothing more: partitions are about to be given up, batches on their way are void."""
        self.epoch += 1
        self.lost = lost
        self._frozen = True
        self.feed.rebalances += 1
        self._moved("rebalancing")

    def give_up(self, *, durable: Collection[TP]) -> None:
        """
        Own nothing until the next assignment.

        The rows of *durable* partitions, whose last checkpoint is complete, are kept and shown until
        then: in most rebalances they come back, and nobody else can own them meanwhile.
        """
        self._kept = {tp: owned for tp, owned in self._owned.items() if tp in durable}
        self._owned = {}
        self.feed.partitions.clear()

    def assign(self, assigned: Iterable[TP]) -> None:
        """Own the source partitions among *assigned*; they are to be recovered before anything is applied."""
        self.epoch += 1
        self.lost = False
        # Whoever is not among the assigned is dropped here: its rows are another worker's from now on.
        kept, self._kept = self._kept, {}
        self._owned = {}
        for tp in assigned:
            source = self.sources.get(tp.topic)
            # Changelog partitions are assigned as well; they belong to tables, not to processors.
            if source is not None:
                owned = self._owned[tp] = kept[tp].successor() if tp in kept else OwnedPartition(tp, source)
                self.feed.partitions[tp.topic, tp.partition] = owned.feed
        self._moved("recovering" if self._owned else "ready")

    def start(self, starts: Mapping[TP, Start]) -> None:
        """Begin to apply at the committed offsets; rows are recovered."""
        now = self.clock()
        for tp, start in starts.items():
            owned = self._owned[tp]
            # Not the rows' applied offsets, which may be ahead: records between are read, and each row skips its own.
            owned.position = owned.committed = start.position
            owned.seek = start.seek
            if owned.contested_to is None:
                # Whoever was here before us had at most these. Where nobody ever was, a whole topic is ours alone.
                owned.contested_to = start.highwater if any(owned.changelog_ends.values()) else 0
            owned.contest()
            owned.rebuild_indexes()
            # The group has this offset: nothing before it will be read again, whoever committed it.
            owned.fold.committed(start.position)
            owned.live = True
            owned.shown = owned.fold
            feed = owned.feed
            feed.recovered_at = feed.committed_at = now
            feed.uncommitted_since = None  # Faust may seek twice, and what was applied meanwhile be committed by then
            feed.position = feed.committed = start.position
            feed.highwater = start.highwater
        self._frozen = False
        self._moved("ready")

    def recovered_rows(self, count: int) -> None:
        """Note that *count* changelog records have been loaded."""
        self.feed.recovered_rows += count
        self.feed.progress_at = self.clock()

    def stop(self) -> None:
        """Own nothing any more, and show nothing."""
        self.give_up(durable=())
        self._moved("stopped")

    def _moved(self, state: RecoveryState) -> None:
        self.feed.recovery = state
        self.feed.progress_at = self.clock()
