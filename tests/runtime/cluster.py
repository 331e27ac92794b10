"""A group of toy workers on a real broker, in this process."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, cast

import aiokafka

from stream.runtime.app import Worker, create_app, declared_topics
from stream.runtime.kafka.topics import TopicDeclaration, ensure_topics
from stream.runtime.routing.processor import home_of
from stream.settings import Settings
from tests.brokers import Broker
from tests.runtime.toy import ToyFold, encode, toy_source

PARTITIONS = 4
PATIENCE_SECONDS = 30


class Cluster:
    """Everything under one name: source topic, dead letters, group, workers, and a producer."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.broker = broker
        self.brokers = broker.address
        self.topic = f"toys-{name}"
        self.dead_letters = f"dead-{name}"
        self.settings = Settings(
            group=f"group-{name}",
            partitions=PARTITIONS,
            checkpoint_interval=timedelta(milliseconds=200),
            session_timeout=timedelta(seconds=2),
        )
        self.source = toy_source(self.topic)
        self.workers: list[Worker] = []
        self.ever: list[Worker] = []
        """Also those that have stopped."""
        self.producer: Any = None
        self._declared = False
        self._declaring = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self.producer = aiokafka.AIOKafkaProducer(bootstrap_servers=self.brokers, max_request_size=2**23)
        await self.producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(worker.stop() for worker in self.workers))
        await self.producer.stop()
        # Whatever a test is about: no record may be lost on the way.
        assert self.gaps() == 0

    def new_worker(self, settings: Settings | None = None, **options: Any) -> Worker:
        """Return a worker that is not started yet."""
        return create_app(
            settings or self.settings,
            [self.source],
            brokers=self.brokers,
            idempotent=self.broker.real,
            dead_letters=self.dead_letters,
            **options,
        )

    async def start_worker(self, **options: Any) -> Worker:
        """Start a worker, and return it when its partitions are recovered."""
        worker = self.new_worker(**options)
        self.workers.append(worker)
        self.ever.append(worker)
        await worker.start()
        return worker

    def declared(self) -> list[TopicDeclaration]:
        """Return every topic of these workers."""
        return declared_topics(self.settings, [self.source.family], dead_letters=self.dead_letters)

    async def declare(self) -> None:
        """Create the topics, as the first worker would."""
        async with self._declaring:  # the first of many pings must not come last
            if not self._declared:
                await ensure_topics([self.brokers], self.declared())
                self._declared = True

    async def stop_worker(self, worker: Worker) -> None:
        self.workers.remove(worker)
        await worker.stop()

    async def send(self, key: str, number: int, /, *, value: bytes | None = None, **options: Any) -> Any:
        """Send one ping, acknowledged; *options* replace key, partition or headers."""
        await self.declare()
        value = encode(key, number) if value is None else value
        options = {"key": key.encode(), "partition": home_of(key.encode(), PARTITIONS)} | options
        return await self.producer.send_and_wait(self.topic, value, **options)

    async def send_many(self, pings: list[tuple[str, int]]) -> None:
        await asyncio.gather(*(self.send(key, number) for key, number in pings))

    def counts(self) -> dict[str, int]:
        """What all workers together count; a key that two of them show is an error."""
        total: Counter[str] = Counter()
        for worker in self.workers:
            for fold in cast("list[ToyFold]", worker.folds()):
                for key, row in fold.counts.items():
                    assert key not in total, f"{key} is shown twice"
                    total[key] = row.count
        return dict(total)

    def gaps(self) -> int:
        return sum(worker.feed.gaps for worker in self.ever)

    async def read(self, topic: str, number: int) -> list[Any]:
        """Return the first *number* records of a topic."""
        consumer = aiokafka.AIOKafkaConsumer(
            topic, bootstrap_servers=self.brokers, auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await consumer.start()
        try:
            records: list[Any] = []
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(records) < number:
                    for found in (await consumer.getmany(timeout_ms=100)).values():
                        records += found
            return records
        finally:
            await consumer.stop()


async def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Return as soon as *condition* holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # folds are plain objects that signal nothing
            await asyncio.sleep(0.005)
