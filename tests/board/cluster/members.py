"""Workers of a group as they look from outside: servers on loopback that tell their parts, and may lie."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import web
from msgspec.structs import replace

from stream.board.cluster.merge import ClusterBoard, Partition
from stream.board.cluster.share import SHARE_PATH, PartitionBoard, ShareCodec, SharePage, Vitals, WorkerShare
from stream.families.agents.snapshot import AgentsSnapshot
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.registry import FAMILIES
from stream.status.feed import PartitionFeed
from tests.board.boards import LIMITS, NOON, a_queue, agents

__all__ = ["CONTACTS", "EVERY", "GROUP", "Member", "answering", "contacts", "part", "staff", "telling", "whole_of"]

GROUP = "test"
EVERY = timedelta(milliseconds=20)
CONTACTS = [("contacts", number) for number in range(4)]

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def contacts(number: int, *queues: QueueSnapshot) -> PartitionBoard:
    """A partition of contacts to which an event has just come; one queue called after it unless others are given."""
    return PartitionBoard(feed=_flowing("contacts", number), snapshots=queues or (a_queue(f"queue-{number}"),))


def staff(number: int, *counts: AgentsSnapshot) -> PartitionBoard:
    """A partition of agents."""
    return PartitionBoard(feed=_flowing("agents", number), snapshots=counts or (agents(None, available=1),))


def _flowing(topic: str, number: int) -> PartitionFeed:
    return PartitionFeed(topic, number, recovered_at=NOON, applied_at=NOON, record_at=NOON)


def part(
    *partitions: PartitionBoard, generation: int = 5, vitals: Vitals | None = None, group: str = GROUP
) -> WorkerShare:
    """What a worker shows at noon."""
    ready = Vitals(recovery="ready", newest_event=NOON)
    return WorkerShare(group=group, generation=generation, at=NOON, vitals=vitals or ready, partitions=partitions)


@dataclass
class Member:
    """A worker that tells what it is told to tell."""

    shows: WorkerShare
    address: str = ""
    given: frozenset[Partition] | None = None
    """What the group has given to it; none: what it shows."""
    asked: int = 0

    async def read_share(self) -> WorkerShare:
        self.asked += 1
        return self.shows

    @property
    def owns(self) -> frozenset[Partition]:
        shown = frozenset((one.feed.topic, one.feed.partition) for one in self.shows.partitions)
        return shown if self.given is None else self.given

    def gives(self, *partitions: PartitionBoard, generation: int) -> None:
        """Show other partitions from now on."""
        self.shows = replace(self.shows, partitions=partitions, generation=generation)


@asynccontextmanager
async def telling(*shown: WorkerShare) -> AsyncIterator[list[Member]]:
    """Serve workers that show these parts."""
    members = [Member(one) for one in shown]
    with ThreadPoolExecutor(1) as executor:
        pages = [SharePage(member.read_share, ShareCodec(FAMILIES), executor).answer for member in members]
        async with answering(*pages) as addresses:
            for member, address in zip(members, addresses, strict=True):
                member.address = address
            yield members


@asynccontextmanager
async def answering(*answers: Answer) -> AsyncIterator[list[str]]:
    """Serve whatever is answered to who asks for a part, each at an address of its own."""
    runners, addresses = [], []
    for answer in answers:
        app = web.Application()
        app.add_routes([web.get(SHARE_PATH, answer)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        addresses.append("http://{}:{}".format(*runner.addresses[0][:2]))
    try:
        yield addresses
    finally:
        for runner in runners:
            await runner.cleanup()


@dataclass
class Centre:
    """A group as one of its workers sees it."""

    own: Member
    others: list[Member] = field(default_factory=list)

    def given(self) -> Mapping[str, frozenset[Partition]]:
        return {member.address: member.owns for member in self.others}


@asynccontextmanager
async def whole_of(
    own: WorkerShare, others: list[Member], *, declared: list[Partition] = CONTACTS
) -> AsyncIterator[ClusterBoard]:
    """Look at the whole as a worker that shows *own*, with these beside it."""
    centre = Centre(Member(own), others)
    whole = ClusterBoard(
        GROUP,
        FAMILIES,
        read_share=centre.own.read_share,
        others=centre.given,
        declared=declared,
        clock=lambda: NOON,
        limits=LIMITS,
        every=EVERY,
    )
    try:
        yield whole
    finally:
        await whole.close()
