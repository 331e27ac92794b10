"""Rows come back from the changelog as they were, whatever else has been written there."""

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from stream.runtime.checkpoint.tables import APPLIED_OFFSET_HEADER, UnreadableRow
from stream.runtime.kafka.transport import Batch
from tests.runtime.fakes import FakeRecord, MemoryLog, changelog_event
from tests.runtime.lives import PARTITION, Life, records_of
from tests.runtime.toy import COUNTS, Count, Ping

NEW, OLD = COUNTS.encode_row(Count(20, 2)), COUNTS.encode_row(Count(10, 1))


def tombstone(offset: int, applied_offset: int) -> FakeRecord:
    return FakeRecord(offset, b"a", None, [(APPLIED_OFFSET_HEADER, str(applied_offset).encode())])


def load(*log: FakeRecord) -> Life:
    life = Life(MemoryLog(), [])
    life.worker.ownership.assign([PARTITION])
    if log:
        life.load(life.tables["counts"], 0, log)
    return life


async def test_the_later_of_two_rows_wins() -> None:
    life = load(FakeRecord(0, b"a", OLD), FakeRecord(1, b"a", NEW))

    assert life.fold.counts == {"a": Count(20, 2)}
    assert not life.fold.counts.changed


async def test_a_row_written_late_by_a_former_owner_neither_wins_nor_stays_last_in_the_log() -> None:
    life = load(FakeRecord(0, b"a", NEW), FakeRecord(1, b"a", OLD))

    assert life.fold.counts == {"a": Count(20, 2)}
    assert life.fold.counts.changed.keys() == {"a"}


async def test_a_tombstone_deletes_what_it_has_seen() -> None:
    life = load(FakeRecord(0, b"a", OLD), tombstone(1, applied_offset=15))

    assert not life.fold.counts
    assert not life.fold.counts.changed


async def test_a_late_tombstone_of_a_former_owner_deletes_nothing() -> None:
    life = load(FakeRecord(0, b"a", NEW), tombstone(1, applied_offset=15))

    assert life.fold.counts == {"a": Count(20, 2)}
    assert life.fold.counts.changed.keys() == {"a"}


async def test_a_late_row_of_a_former_owner_does_not_rise_from_the_dead() -> None:
    life = load(FakeRecord(0, b"a", NEW), tombstone(1, applied_offset=30), FakeRecord(2, b"a", OLD))

    assert not life.fold.counts
    assert life.fold.counts.drain_changed() == [("a", None)]


async def test_a_key_that_is_used_again_after_its_tombstone_comes_back() -> None:
    life = load(FakeRecord(0, b"a", OLD), tombstone(1, applied_offset=15), FakeRecord(2, b"a", NEW))

    assert life.fold.counts == {"a": Count(20, 2)}


async def test_a_tombstone_made_by_hand_counts() -> None:
    life = load(FakeRecord(0, b"a", NEW), FakeRecord(1, b"a", None))

    assert not life.fold.counts


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.booleans()), max_size=30), st.data())
def test_a_batch_of_any_size_loads_what_single_records_do(
    told: list[tuple[str, int, bool]], data: st.DataObject
) -> None:
    log = [
        FakeRecord(offset, key.encode(), None, [(APPLIED_OFFSET_HEADER, str(applied_offset).encode())])
        if is_tombstone
        else FakeRecord(offset, key.encode(), COUNTS.encode_row(Count(applied_offset, applied_offset)))
        for offset, (key, applied_offset, is_tombstone) in enumerate(told)
    ]
    at_once, one_by_one = load(), load()
    cut = data.draw(st.integers(0, len(log)))
    for part in (log[:cut], log[cut:]):
        if part:
            at_once.load(at_once.tables["counts"], 0, part)
    for record in log:
        one_by_one.load(one_by_one.tables["counts"], 0, [record])

    assert at_once.fold.counts == one_by_one.fold.counts
    assert at_once.fold.counts.changed == one_by_one.fold.counts.changed


async def test_records_of_an_older_assignment_are_not_loaded() -> None:
    life = load()
    table = life.tables["counts"]
    stale = life.worker.app.consumer_generation_id - 1
    batch = Batch(0, [FakeRecord(0, b"a", NEW)])
    table.apply_changelog_batch([changelog_event(table.changelog_topic_name, 0, batch, stale)])

    assert not life.fold.counts


async def test_a_row_that_cannot_be_read_stops_the_worker() -> None:
    life = load(FakeRecord(7, b"a", b"\xc1"))

    assert isinstance(life.worker.failure, UnreadableRow)
    assert "lives-counts-changelog, partition 0, offsets 7 to 7" in str(life.worker.failure)


async def test_rows_that_are_gone_are_recovered_from_the_beginning_and_kept_ones_from_where_they_end() -> None:
    log, topic = MemoryLog(), records_of([Ping("a", number) for number in range(10)])
    life = Life(log, topic).begin()
    table = life.tables["counts"]
    changelog = TP(table.changelog_topic_name, 0)
    assert table.persisted_offset(changelog) == -1

    await life.apply(10)
    durable = await life.checkpoints.write_last(life.worker.settings.session_timeout)
    life.worker.ownership.give_up(durable=durable)
    life.worker.ownership.assign([PARTITION])
    assert table.persisted_offset(changelog) == 0
    assert life.fold.counts == {"a": Count(9, 10)}

    life.worker.ownership.give_up(durable=())
    life.worker.ownership.assign([PARTITION])
    assert table.persisted_offset(changelog) == -1
    assert not life.fold.counts


async def test_what_a_former_owner_writes_late_is_answered_with_what_is_known_here() -> None:
    log, topic = MemoryLog(), records_of([Ping(f"k{number % 3}", number) for number in range(30)])
    life = Life(log, topic).begin()
    await life.apply(10)
    await life.checkpoints.write()
    counts = log.changelogs["lives-counts-changelog", 0]
    counts.append(FakeRecord(len(counts), b"k0", COUNTS.encode_row(Count(1, 1))))
    counts.append(FakeRecord(len(counts), b"gone", COUNTS.encode_row(Count(1, 1))))

    await life.apply(1)
    await life.checkpoints.write()
    await life.checkpoints.write()

    assert life.worker.feed.foreign_writes == 1
    last = {record.key: record for record in counts[-2:]}
    assert last[b"k0"].value == COUNTS.encode_row(life.fold.counts["k0"])
    assert last[b"gone"].value is None  # whoever forgot it without a record says so now
    assert Life(log, topic).begin().counts == life.counts
