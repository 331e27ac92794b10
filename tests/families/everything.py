"""A board and a feed in which every figure has a sample."""

import struct
from collections import Counter
from datetime import time, timedelta

from msgspec.structs import replace

from stream.core.calendar import EVERY_DAY, Span
from stream.core.counted import Counted
from stream.core.counts import COUNT_BYTES, size_of
from stream.core.family import Board
from stream.core.windows import ALL
from stream.families.cases.queue import CASE_WINDOWS
from stream.families.cases.rules import CasePolicy
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.cases.tally import CaseTally
from stream.families.contacts.rules import Policy
from stream.families.contacts.tally import Tally
from stream.status.feed import CheckpointFigures, Feed, PartitionFeed
from stream.status.source_feed import SourceFeed
from tests.board.boards import NOON, a_board, a_queue, agents
from tests.families.customers.busy import busy_customers
from tests.families.surveys.busy import a_busy_survey

__all__ = ["a_busy_board", "a_busy_feed", "cases", "ones"]


_DAY, _NIGHT = (Span(EVERY_DAY, time(8), time(16)),), (Span(EVERY_DAY, time(22), time(6)),)


def ones(number: int = 1) -> Tally:
    """A tally in which every count and sum is *number*, and every bucket, too; as many waits are known as unknown."""
    counts = {name: number for name in Tally.__struct_fields__ if name not in {"waits", "handles"}}
    counts |= {"answered": 2 * number, "abandoned": 2 * number}
    return Tally(**counts, waits=[number] * len(Tally().waits), handles=[number] * len(Tally().handles))


def cases(queue: str, number: int) -> CasesSnapshot:
    """The cases of a queue, which is closed at night: every count is *number*."""
    packed = struct.pack("<q", number) * (size_of(CaseTally) // COUNT_BYTES)
    return CasesSnapshot(
        tenant="acme",
        queue=queue,
        channel="email",
        policy=CasePolicy(opening_hours=_DAY, quiet_hours=_NIGHT, team="claims"),
        open=5 * number,
        waiting=3 * number,
        waiting_since=NOON - timedelta(hours=number) if number else None,
        past_target=number,
        due_within_hour=number,
        at_risk=number,
        opened_since=NOON - timedelta(days=number) if number else None,
        by_status=(2 * number, number, number, number),
        by_priority=(2 * number, number, number, number),
        by_age=(number,) * 5,
        counted=Counted(
            windows=dict.fromkeys((*CASE_WINDOWS, ALL), packed), running={"day": packed}, taken_back=packed
        ),
    )


def a_busy_board() -> Board:
    """Two queues, one of them idle, the cases and surveys of one, and customers."""
    busy = a_queue("busy", tally=ones(3), waited=12.5, past=1, taken_back=ones(1), callbacks=2)
    board = a_board(
        replace(busy, policy=Policy(quiet_hours=_NIGHT, team="claims")),
        a_queue("idle", tenant="globex", channel="chat"),
        staff=(agents("busy", available=2), agents(None, available=2)),
        cases=(cases("busy", 3),),
    )
    return replace(board, snapshots={**board.snapshots, "surveys": a_busy_survey(NOON), "customers": busy_customers()})


def a_busy_feed() -> Feed:
    """A worker with two partitions, one of which has just come, and a source five seconds away."""
    pbx = SourceFeed()
    pbx.heard([NOON - timedelta(hours=1), NOON - timedelta(seconds=8), NOON - timedelta(seconds=5)], NOON)
    return Feed(
        recovery="ready",
        broker_silent_since=NOON,
        partitions={
            ("contacts", 0): PartitionFeed(
                "contacts",
                0,
                recovered_at=NOON,
                position=90,
                committed=80,
                highwater=100,
                applied_at=NOON,
                record_at=NOON,
                committed_at=NOON,
                uncommitted_since=NOON,
                silent_since=NOON,
            ),
            ("contacts", 1): PartitionFeed("contacts", 1),
        },
        events=Counter({"contact.enqueued": 7}),
        invalid=Counter({"not_json": 2}),
        checkpoints=CheckpointFigures(
            count=4, failures=1, seconds_last=0.25, seconds_sum=1.5, rows=9, finished_at=NOON, failing_since=NOON
        ),
        newest_event=NOON,
        sources={"pbx": pbx},
    )
