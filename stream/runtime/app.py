"""The one place that wires a worker: Faust app, processors, tables, checkpoints, dead letters, topics.

Everything it wires is an argument or has a default that a test can replace.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from faust.types import TP

from stream.core.family import Family
from stream.errors import SettingsError
from stream.runtime.checkpoint.checkpoint import Checkpoints, FaultPoint, no_fault
from stream.runtime.checkpoint.partitions import Ownership
from stream.runtime.checkpoint.rebalance import RebalanceListener
from stream.runtime.checkpoint.tables import PromptTableManager, RowTable
from stream.runtime.kafka.changelog import KafkaLog
from stream.runtime.kafka.topics import (
    DEAD_LETTERS,
    TopicDeclaration,
    changelog_topic,
    dead_letter_topic,
    source_topic,
)
from stream.runtime.kafka.transport import BatchSchema, Consumer
from stream.runtime.routing.dead_letters import Outlet
from stream.runtime.routing.processor import Processor
from stream.runtime.source_topic import SourceTopic
from stream.runtime.worker import StreamApp, Worker
from stream.settings import Settings
from stream.status.feed import Feed

__all__ = ["Worker", "create_app", "declared_topics"]

EMBEDDED_SESSION = timedelta(seconds=6)
"""The embedded broker lets a group wait for half of its session timeout before it shares out partitions."""


def declared_topics(
    settings: Settings, families: Iterable[Family[Any]], *, dead_letters: str = DEAD_LETTERS
) -> list[TopicDeclaration]:
    """Return every topic of a worker with these settings."""
    declared = [dead_letter_topic(dead_letters, settings.partitions, retention=settings.dead_letter_retention)]
    for family in families:
        declared.append(source_topic(family.name, settings.partitions, retention=settings.retention))
        declared += [
            changelog_topic(f"{settings.group}-{table}-changelog", settings.partitions) for table in family.tables
        ]
    return declared


def create_app(
    settings: Settings,
    sources: Sequence[SourceTopic],
    *,
    brokers: str,
    idempotent: bool = True,
    dead_letters: str = DEAD_LETTERS,
    feed: Feed | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    fault: FaultPoint = no_fault,
) -> Worker:
    """
    Wire a worker for *brokers*, `host:port,…`; call it inside the event loop that will run it.

    *idempotent* is false for a broker that does not know idempotent producers: the embedded one.
    """
    feed = feed or Feed()
    addresses = brokers.split(",")
    session = settings.session_timeout if idempotent else min(settings.session_timeout, EMBEDDED_SESSION)
    feed.declared = settings.partitions * len(sources)
    ownership = Ownership(sources, feed, clock)
    worker = Worker(settings, addresses, ownership)
    worker.idempotent = idempotent
    urls = ";".join(f"contact-stream://{address}/?idempotent={int(idempotent)}" for address in addresses)
    app = worker.app = StreamApp(settings.group, **_faust_settings(urls, session.total_seconds()))
    app.security = settings.security
    tables = {name: table for source in sources for name, table in _tables(worker, source).items()}
    # Half a session may pass before a write is begun, and half of it until the write has failed: together no more
    # than the group waits for a worker (decision 0003).
    lease = session / 2
    log = KafkaLog(addresses, lambda: app.producer, lambda: app.consumer, patience=lease, security=settings.security)
    worker.checkpoints = Checkpoints(ownership, tables, log, lease=lease, fault=fault)
    # The last checkpoint must end within the rebalance timeout, a session: after that the group goes on without us.
    app.assignment_listener = RebalanceListener(ownership, worker.checkpoints, last_within=session * 0.75)
    for source in sources:
        _processor(worker, source, dead_letters)
    worker.topics = declared_topics(settings, [source.family for source in sources], dead_letters=dead_letters)
    return worker


def _faust_settings(urls: str, session: float) -> Mapping[str, Any]:
    return {
        "broker": urls,
        "broker_session_timeout": session,
        # Kafka's own advice is a third at most, so that a single lost heartbeat does no harm.
        "broker_heartbeat_interval": session / 4,
        "broker_rebalance_timeout": session,
        # A broker holds back the answer to a JoinGroup until the others have joined, which may take the whole
        # session.
        "broker_request_timeout": max(30.0, session),
        # Longer than any batch takes; where a dead letter has to wait, `ConsumerThread.stay` speaks for the worker.
        "broker_max_poll_interval": 120.0,
        "broker_commit_every": None,
        "broker_commit_interval": 3600.0,  # Faust's timer has nothing to do: checkpoints commit
        "consumer_metadata_max_age_ms": 10_000,  # partitions that are added must not be overlooked for long
        "consumer_max_fetch_size": 2**20,  # per partition: about 5,000 events, a few slices of work
        "producer_linger": 0.0,  # batches are packed by the checkpoint
        "producer_max_batch_size": 2**19,
        "producer_max_request_size": 2**23,
        "producer_request_timeout": 30.0,
        "stream_buffer_maxsize": 8,  # batches, not records
        "store": "memory://",
        # It compares what this process has written with what the broker lists as the end, which Tansu
        # understates: by the length of its last record batch.
        "recovery_consistency_check": False,
        "Table": RowTable,
        "TableManager": PromptTableManager,
        # Copies of other workers' rows would be read by nobody: rows live in the folds of owned partitions.
        "table_standby_replicas": 0,
        "topic_allow_declare": False,  # topics.py does, and compares
        # Faust would make a topic of its own to elect a leader, and nothing here needs one.
        "topic_disable_leader": True,
        "web_enabled": False,
        "autodiscover": False,
        "worker_redirect_stdouts": False,
        "id_format": "{id}",
    }


def _tables(worker: Worker, source: SourceTopic) -> dict[str, RowTable]:
    codecs, fold_tables = source.family.tables, set(source.new_fold().tables)
    if fold_tables != set(codecs):
        raise SettingsError(f"{source.name}: the fold has the tables {fold_tables}, but codecs are for {set(codecs)}")
    return {
        name: cast(
            "RowTable",
            worker.app.Table(
                name,
                source=source.name,
                codec=codec,
                ownership=worker.ownership,
                fail=worker.fail,
                partitions=worker.settings.partitions,
            ),
        )
        for name, codec in codecs.items()
    }


def _processor(worker: Worker, source: SourceTopic, dead_letters: str) -> None:
    app, settings = worker.app, worker.settings

    async def rewind(tp: TP, offset: int) -> int:
        return await cast("Consumer", app.consumer).rewind(tp, offset)

    processor = Processor(
        source,
        worker.ownership,
        Outlet(lambda: app.producer, worker.feed, topic=dead_letters, limit=settings.dead_letter_limit),
        partitions=settings.partitions,
        rewind=rewind,
        highwater=lambda tp: cast("Consumer", app.consumer).end_of(tp),
    )

    async def process(batches: Any) -> None:
        async for event in batches.events():
            try:
                await processor.apply(event.message.partition, event.value)
            except Exception as failure:  # noqa: BLE001  # Faust would restart the processor and go on with the next batch
                worker.fail(failure)
                return

    # Acknowledgements are Faust's way to know what to commit; ours are checkpoints.
    topic = app.topic(source.name, schema=BatchSchema(), acks=False, partitions=settings.partitions)
    app.agent(topic, name=f"fold-{source.name}")(process)
