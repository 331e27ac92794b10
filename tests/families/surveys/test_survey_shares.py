"""What one worker shows of surveys another one reads as it was, and adds up where it stands for all beyond a limit."""

import zlib
from datetime import UTC, datetime

from stream.board.cluster.share import PartitionBoard, ShareCodec, WorkerShare, vitals_of
from stream.core.family import merged
from stream.families.registry import FAMILIES
from stream.status.feed import Feed, PartitionFeed
from tests.families.surveys.busy import a_busy_survey
from tests.families.surveys.told import counted

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_another_worker_reads_what_one_has_told() -> None:
    told = a_busy_survey(NOON)
    share = WorkerShare(
        group="g",
        generation=1,
        at=NOON,
        vitals=vitals_of(Feed()),
        partitions=(PartitionBoard(feed=PartitionFeed("surveys", 0), snapshots=told),),
    )
    codec = ShareCodec(FAMILIES)

    read = codec.decoded(zlib.decompress(codec.encoded(share), wbits=31))

    assert read.partitions[0].snapshots == told
    assert not read.unknown


def test_parts_of_what_stands_for_all_beyond_a_limit_add_up() -> None:
    [queue, group] = a_busy_survey(NOON)

    [both, _] = merged([queue, group, queue])

    for window in ("7d", "7d before", "all"):
        assert counted(both, window) == counted(queue, window) + counted(queue, window)
