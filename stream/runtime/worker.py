"""A worker in an event loop of the caller's."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import faust
from aiokafka.errors import KafkaError
from faust.assignor.partition_assignor import PartitionAssignor
from faust.types import TP
from yarl import URL

from stream.errors import BrokerAway, BrokerError, ContactStreamError, SettingsError, TopicMismatch, defect_in_places
from stream.runtime.checkpoint.checkpoint import Checkpoints
from stream.runtime.checkpoint.partitions import OwnedPartition, Ownership
from stream.runtime.checkpoint.policy import CheckpointPolicy
from stream.runtime.checkpoint.rebalance import RebalanceListener
from stream.runtime.gc_tuning import GcTuning
from stream.runtime.kafka.topics import TopicDeclaration, ensure_topics
from stream.runtime.kafka.transport import Consumer
from stream.runtime.source_topic import Fold
from stream.security.kafka_security import KafkaSecurity
from stream.security.refusals import cannot, refusal_by, refused_right
from stream.settings import Settings
from stream.status.feed import Feed

__all__ = ["StreamApp", "Worker"]

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""How often lag and topics are looked at, also where nothing is applied."""

AWAY_SECONDS = 10.0
"""A broker that leaves a request unanswered for so long is away: one that is only busy takes less."""

RETRY_SECONDS = 1.0
SAID_AGAIN_SECONDS = 60.0
"""How often a worker that waits for its first broker asks, and says so."""


class StreamApp(faust.App):
    """A Faust app that carries the assignment listener for its consumer, and how clients come to the brokers."""

    assignment_listener: RebalanceListener
    security: KafkaSecurity

    def _create_directories(self) -> None:
        """Do nothing: tables in memory need no directory, and Faust would make one where we stand."""


class Worker:
    """
    A worker in an event loop of the caller's: `await start()`, `await stop()`, or `await run()`.

    When something goes wrong for good, `failure` says what, and `run` raises it.
    """

    def __init__(self, settings: Settings, brokers: Sequence[str], ownership: Ownership) -> None:
        self.settings = settings
        self.brokers = brokers
        self.ownership = ownership
        self.app: StreamApp
        self.checkpoints: Checkpoints
        self.topics: Sequence[TopicDeclaration] = ()
        self.idempotent = True
        """Whether the brokers are to know idempotent producers."""
        self.reached: Callable[[], str] | None = None
        """Finds out under which address, `http://host:port`, others reach this worker's pages; may take a while."""
        self.failure: BaseException | None = None
        self._failed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._gc_tuning = GcTuning()

    @property
    def feed(self) -> Feed:
        """What is to be told about the feed."""
        return self.ownership.feed

    def folds(self) -> list[Fold[Any]]:
        """Return the folds of the partitions that this worker owns and has recovered."""
        return self.ownership.folds()

    def others(self) -> dict[str, frozenset[tuple[str, int]]]:
        """Return the source partitions that the group has given to each other worker, by its address."""
        given = cast("PartitionAssignor", self.app.assignor).external_topic_distribution.items()
        own = str(self.app.conf.canonical_url)
        sources = self.ownership.sources
        return {
            address: frozenset((topic, number) for topic in topics.keys() & sources for number in topics[topic])
            for address, topics in given
            if address != own
        }

    async def start(self) -> None:
        """Return when partitions are assigned and recovered; raises what prevents that, with everything stopped."""
        self._gc_tuning.apply()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        await self._ensure_topics()
        if self.reached is not None:
            # Now, since the way to a broker is known. The group carries it from member to member.
            self.app.conf.canonical_url = URL(await asyncio.to_thread(self.reached))
            logger.info("other workers reach this one at %s", self.app.conf.canonical_url)
        self._watch(self._notice_crash())
        await self._start_app()
        self._watch(self.checkpoints.run(CheckpointPolicy(self.settings.checkpoint_interval)))
        self._watch(self._refresh())
        # Tasks that fail at once get their turn before this says that the worker has started.
        await asyncio.sleep(0)
        self._raise_failure()

    async def _start_app(self) -> None:
        """Return when the app has started, or has crashed on its way there: it waits for ever then."""
        starting, failed = asyncio.create_task(self.app.start()), asyncio.create_task(self._failed.wait())
        try:
            while not (starting.done() or failed.done()):
                # Faust waits for ever where the group does not take this consumer: so we look each second.
                await asyncio.wait([starting, failed], timeout=RETRY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                await cast("Consumer", self.app.consumer).raise_refusal()
            self._raise_failure()
            await starting
        except (KafkaError, OSError) as failure:
            what = f"The worker cannot start on {','.join(self.brokers)}"
            raise await cannot(what, self.brokers, self.settings.security, failure) from failure
        finally:
            starting.cancel()
            failed.cancel()
            await asyncio.gather(starting, failed, return_exceptions=True)

    async def _ensure_topics(self) -> None:
        """Wait until a broker answers: a board that says so is worth more than a process that ends again and again."""
        settings, said_at = self.settings, -math.inf
        while True:
            try:
                await ensure_topics(
                    self.brokers,
                    self.topics,
                    replication=settings.replication,
                    create=settings.create_topics,
                    security=settings.security,
                    idempotent=self.idempotent,
                )
            except BrokerAway as away:
                self.feed.broker_silent_since = self.feed.broker_silent_since or self.ownership.clock()
                if time.monotonic() - said_at > SAID_AGAIN_SECONDS:
                    logger.warning("No broker yet, trying again until there is one: %s", away)
                    said_at = time.monotonic()
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.feed.broker_silent_since = None
                return

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
        # First: leaving the group takes the last checkpoint, for which everything below is still needed.
        await self.app.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Not before: until the last checkpoint is taken the pages still show what is owned.
        self.ownership.stop()
        self._gc_tuning.restore()
        # Nothing has failed, but `run` waits for this, and is to return.
        self._failed.set()

    def fail(self, failure: BaseException) -> None:
        """Note that the worker cannot go on; the first reason counts."""
        if self.failure is None:
            failure = refused_right(failure, self.settings.security.principal) or failure
            self.failure = failure
            kind, told = type(failure).__name__, isinstance(failure, ContactStreamError)
            # What a defect says may quote an event; of ours, where it was raised says nothing more.
            self.feed.failure = f"{kind}: {failure}" if told or isinstance(failure, KafkaError | OSError) else kind
            why = str(failure) if told else f"{self.feed.failure}: {defect_in_places(failure)}"
            logger.critical("The worker cannot go on: %s", why)
            self._failed.set()

    def _raise_failure(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _watch(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self.fail(failure)

    async def _refresh(self) -> None:
        """Look at what is known already; nothing here waits for a broker, since whether one answers is to be seen."""
        short: dict[TP, int] = {}
        verifying: asyncio.Task[None] | None = None
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            consumer = cast("Consumer", self.app.consumer)
            self.feed.set_clock(self.ownership.clock())
            consumer.stay()
            consumer.renew_secrets()
            await consumer.raise_refusal()
            self._note_silence(consumer)
            for topic in self.ownership.sources:
                self._check_partitions(topic, consumer.partition_count(topic))
            doubtful = [owned for owned in self.ownership if _ends_too_early(owned, consumer.end_of(owned.tp), short)]
            if doubtful and (verifying is None or verifying.done()):
                verifying = self._watch(self._verify_ends(doubtful, consumer))

    async def _verify_ends(self, doubtful: Sequence[OwnedPartition], consumer: Consumer) -> None:
        """Raise when the brokers, asked for it, list an end before what has been applied already."""
        # A broker that was killed sends with its first records an end that it noted seconds before; asked
        # for the end, it answers when it knows better.
        try:
            async with asyncio.timeout(AWAY_SECONDS):
                ends = await consumer.ends([owned.tp for owned in doubtful])
        except (KafkaError, OSError):
            return  # at the next look
        for owned in doubtful:
            if ends[owned.tp] < owned.position and self.ownership.applying(*owned.tp) is owned:
                raise _shorter_than_committed(owned, ends[owned.tp])

    def _note_silence(self, consumer: Consumer) -> None:
        """Have the feed know which brokers do not answer: aiokafka tries again for ever, and says nothing."""
        feed, now = self.feed, self.ownership.clock()
        was, feed.broker_silent_since = feed.broker_silent_since, _since(now, consumer.silence())
        if feed.broker_silent_since is not None and was is None:
            logger.warning("No broker answers: the figures stand still until one does")
            self._watch(self._say_why_no_broker_answers())
        elif was is not None and feed.broker_silent_since is None:
            logger.warning("A broker answers again, after %.0f s", (now - was).total_seconds())
            feed.progress_at = now  # what there is to do has only begun
        for partition in feed.partitions.values():
            silence = consumer.silence(TP(partition.topic, partition.partition))
            if silence == math.inf:
                partition.silent_since = partition.silent_since or now
                continue
            was, partition.silent_since = partition.silent_since, _since(now, silence)
            if was is not None and partition.silent_since is None:
                partition.answered_at = now

    async def _say_why_no_broker_answers(self) -> None:
        # Not the end: what is refused may be mended there, or by files that are renewed here.
        refusal: ContactStreamError | None
        try:
            refusal = await refusal_by(self.brokers, self.settings.security)
        except SettingsError as mistake:  # a file of secrets is gone
            refusal = mistake
        if refusal is not None:
            logger.warning("%s", refusal)

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


def _since(now: datetime, seconds: float) -> datetime | None:
    return now - timedelta(seconds=seconds) if seconds > AWAY_SECONDS else None


def _ends_too_early(owned: OwnedPartition, end: int | None, short: dict[TP, int]) -> bool:
    """Note where a partition ends; tell whether that was before what has been applied at this look and at the last."""
    if end is None or not owned.live:
        return False
    # Twice at the same position: a broker may count an end just before it reads past it.
    is_doubtful = end < owned.position == short.get(owned.tp)
    short[owned.tp] = owned.position
    owned.feed.highwater = max(end, owned.position)
    return is_doubtful


def _shorter_than_committed(owned: OwnedPartition, end: int) -> TopicMismatch:
    return TopicMismatch(
        f"{owned.tp.topic}, partition {owned.tp.partition}: offset {owned.position} is committed, but the topic "
        f"ends at {end}. It was made anew, or lost records; rows would skip what has lower offsets than they "
        f"have seen. Start a new group, or delete the changelogs and committed offsets of this one."
    )
