"""A worker in an event loop of the caller's, and what a deployment may change about it."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import faust
from aiokafka.errors import KafkaError
from faust.types import TP
from msgspec import Struct, field

from stream.errors import BrokerError, TopicMismatch
from stream.metrics.feed import Feed
from stream.processing.checkpoint import CheckpointPolicy, Checkpoints
from stream.processing.dead_letters import DeadLetterLimit
from stream.processing.fold import Fold
from stream.processing.interpreter import Tuning
from stream.processing.keeper import Keeper
from stream.processing.partitions import OwnedPartition, Ownership
from stream.processing.topics import DEAD_LETTERS, TopicDeclaration, ensure_topics
from stream.processing.transport import Consumer

__all__ = ["StreamApp", "Worker", "WorkerSettings"]

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""How often lag and topics are looked at, also where nothing is applied."""


class WorkerSettings(Struct, frozen=True, kw_only=True):
    """What a deployment may change about processing, each with the reason to change it."""

    brokers: str
    """Addresses of Kafka brokers, `host:port`, separated by commas."""
    group: str = "contact-stream"
    """Consumer group; its name begins the names of the changelogs. A new name counts from the beginning."""
    partitions: int = 12
    """Of each source topic and its changelogs: at most as many workers share the work. Fixed once created."""
    replication: int = 1
    """Copies of each topic; 3 where there are three brokers."""
    create_topics: bool = True
    """False where only an administrator may create topics."""
    retention: timedelta = timedelta(days=7)
    """How long source topics keep events: at least as long as a worker may be down."""
    dead_letters: str = DEAD_LETTERS
    """Topic of what is no event."""
    dead_letter_retention: timedelta = timedelta(days=14)
    """How long dead letters wait for somebody to look at them."""
    checkpoint: CheckpointPolicy = field(default_factory=CheckpointPolicy)
    """When what was applied becomes durable."""
    dead_letter_limit: DeadLetterLimit = field(default_factory=DeadLetterLimit)
    """When to stop instead of setting everything aside."""
    session_timeout: timedelta = timedelta(seconds=12)
    """How long a worker may be silent until its partitions go to others."""
    fetch_wait: timedelta = timedelta(milliseconds=50)
    """How long a broker holds back an answer without records; shorter is not faster on Apache Kafka."""
    idempotent: bool = True
    """False for a broker that does not know idempotent producers (the embedded one)."""


class StreamApp(faust.App):
    """A Faust app that carries the offset keeper for its consumer."""

    offset_keeper: Keeper

    def _create_directories(self) -> None:
        """Do nothing: tables in memory need no directory, and Faust would make one where we stand."""


class Worker:
    """
    A worker in an event loop of the caller's: `await start()`, `await stop()`, or `await run()`.

    When something goes wrong for good, `failure` says what, and `run` raises it.
    """

    def __init__(self, settings: WorkerSettings, ownership: Ownership) -> None:
        self.settings = settings
        self.ownership = ownership
        self.app: StreamApp
        self.checkpoints: Checkpoints
        self.topics: Sequence[TopicDeclaration] = ()
        self.failure: BaseException | None = None
        self._failed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._tuning = Tuning()

    @property
    def feed(self) -> Feed:
        """What is to be told about the feed."""
        return self.ownership.feed

    def floors(self) -> list[Fold]:
        """Return the folds of the partitions that this worker owns and has recovered."""
        return self.ownership.folds()

    async def start(self) -> None:
        """Return when partitions are assigned and recovered; raises what prevents that, with everything stopped."""
        self._tuning.apply()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        addresses = self.settings.brokers.split(",")
        await ensure_topics(
            addresses, self.topics, replication=self.settings.replication, create=self.settings.create_topics
        )
        try:
            await self.app.start()
        except (KafkaError, OSError) as failure:
            raise BrokerError(f"The worker cannot start on {self.settings.brokers}: {failure}") from failure
        self._watch(self.checkpoints.run(self.settings.checkpoint))
        self._watch(self._refresh())
        self._watch(self._notice_crash())
        await asyncio.sleep(0)
        self._raise_failure()

    async def run(self) -> None:
        """Work until `stop` is called or something fails for good; then everything is stopped, and that is raised."""
        try:
            await self.start()
            await self._failed.wait()
        finally:
            await self.stop()
        self._raise_failure()

    async def stop(self) -> None:
        """Make durable what was applied, leave the group, and own nothing."""
        await self.app.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.ownership.stop()
        self._tuning.restore()
        self._failed.set()

    def fail(self, failure: BaseException) -> None:
        """Note that the worker cannot go on; the first reason counts."""
        if self.failure is None:
            self.failure = failure
            self.feed.failure = f"{type(failure).__name__}: {failure}"
            logger.critical("The worker cannot go on: %s", failure, exc_info=failure)
            self._failed.set()

    def _raise_failure(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _watch(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            self.fail(failure)

    async def _refresh(self) -> None:
        short: dict[TP, int] = {}
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            consumer = cast("Consumer", self.app.consumer)
            for topic in self.ownership.sources:
                self._check_partitions(topic, consumer.partition_count(topic))
            for owned in self.ownership:
                end = consumer.end_of(owned.tp)
                if end is None or not owned.live:
                    continue
                # Twice at the same position: a broker may count an end just before it reads past it.
                if end < owned.position == short.get(owned.tp):
                    raise _shorter_than_committed(owned, end)
                short[owned.tp] = owned.position
                owned.feed.highwater = max(end, owned.position)

    def _check_partitions(self, topic: str, found: int | None) -> None:
        wanted = self.settings.partitions
        if found is not None and found != wanted:
            raise TopicMismatch(
                f"Topic {topic} has {found} partitions by now, it had {wanted}. Keys have moved to other partitions, "
                f"away from their rows: make new topics and a new group with the number of partitions you want."
            )

    async def _notice_crash(self) -> None:
        # Faust crashes a service in silence when no Faust worker process surrounds the app.
        await self.app._crashed.wait()  # noqa: SLF001  # it has no public face
        self.fail(self.app.crash_reason or BrokerError("Faust has stopped without a reason"))


def _shorter_than_committed(owned: OwnedPartition, end: int) -> TopicMismatch:
    return TopicMismatch(
        f"{owned.tp.topic}, partition {owned.tp.partition}: offset {owned.position} is committed, but the topic "
        f"ends at {end}. It was made anew, or lost records; rows would skip what has lower offsets than they "
        f"have seen. Start a new group, or delete the changelogs and committed offsets of this one."
    )
