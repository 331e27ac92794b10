"""The one place that wires a worker: Faust app, processors, tables, checkpoints, dead letters, topics.

Everything it wires is an argument or has a default that a test can replace.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from faust.types import TP

from stream.errors import SettingsError
from stream.runtime.checkpoint.checkpoint import Checkpoints, FaultPoint, no_fault
from stream.runtime.checkpoint.partitions import Ownership
from stream.runtime.checkpoint.rebalance import RebalanceListener
from stream.runtime.checkpoint.tables import PromptTableManager, RowTable
from stream.runtime.kafka.changelog import KafkaLog
from stream.runtime.kafka.topics import TopicDeclaration, changelog_topic, dead_letter_topic, source_topic
from stream.runtime.kafka.transport import BatchSchema, Consumer
from stream.runtime.routing.dead_letters import Outlet
from stream.runtime.routing.processor import Processor
from stream.runtime.source_topic import SourceTopic
from stream.runtime.worker import StreamApp, Worker, WorkerSettings
from stream.status.feed import Feed

__all__ = ["Worker", "WorkerSettings", "create_app", "declared_topics"]


def declared_topics(settings: WorkerSettings, sources: Iterable[SourceTopic]) -> list[TopicDeclaration]:
    """Return every topic of a worker with these settings."""
    declared = [dead_letter_topic(settings.dead_letters, settings.partitions, retention=settings.dead_letter_retention)]
    for source in sources:
        declared.append(source_topic(source.name, settings.partitions, retention=settings.retention))
        declared += [
            changelog_topic(f"{settings.group}-{table}-changelog", settings.partitions) for table in source.codecs
        ]
    return declared


def create_app(
    settings: WorkerSettings,
    sources: Sequence[SourceTopic],
    *,
    feed: Feed | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    fault: FaultPoint = no_fault,
) -> Worker:
    """Wire a worker; call it inside the event loop that will run it."""
    feed = feed or Feed()
    feed.declared = settings.partitions * len(sources)
    ownership = Ownership(sources, feed, clock)
    worker = Worker(settings, ownership)
    app = worker.app = StreamApp(settings.group, **_faust_settings(settings))
    app.security = settings.security
    tables = {name: table for source in sources for name, table in _tables(worker, source).items()}
    lease = settings.session_timeout / 2
    brokers = settings.brokers.split(",")
    log = KafkaLog(brokers, lambda: app.producer, lambda: app.consumer, patience=lease, security=settings.security)
    worker.checkpoints = Checkpoints(ownership, tables, log, lease=lease, fault=fault)
    app.assignment_listener = RebalanceListener(
        ownership, worker.checkpoints, last_within=settings.session_timeout * 0.75
    )
    for source in sources:
        _processor(worker, source)
    worker.topics = declared_topics(settings, sources)
    return worker


def _faust_settings(settings: WorkerSettings) -> Mapping[str, Any]:
    session = settings.session_timeout.total_seconds()
    query = f"fetch_wait_ms={settings.fetch_wait // timedelta(milliseconds=1)}&idempotent={int(settings.idempotent)}"
    return {
        "broker": ";".join(f"contact-stream://{address}/?{query}" for address in settings.brokers.split(",")),
        "broker_session_timeout": session,
        "broker_heartbeat_interval": session / 4,
        "broker_rebalance_timeout": session,
        "broker_request_timeout": max(30.0, session),
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
        "table_standby_replicas": 0,
        "topic_allow_declare": False,  # topics.py does, and compares
        "topic_disable_leader": True,
        "web_enabled": False,
        "autodiscover": False,
        "worker_redirect_stdouts": False,
        "id_format": "{id}",
    }


def _tables(worker: Worker, source: SourceTopic) -> dict[str, RowTable]:
    fold_tables = set(source.new_fold().tables)
    if fold_tables != set(source.codecs):
        raise SettingsError(
            f"{source.name}: the fold has the tables {fold_tables}, but codecs are for {set(source.codecs)}"
        )
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
        for name, codec in source.codecs.items()
    }


def _processor(worker: Worker, source: SourceTopic) -> None:
    app, settings = worker.app, worker.settings

    async def rewind(tp: TP, offset: int) -> int:
        return await cast("Consumer", app.consumer).rewind(tp, offset)

    processor = Processor(
        source,
        worker.ownership,
        Outlet(lambda: app.producer, worker.feed, topic=settings.dead_letters, limit=settings.dead_letter_limit),
        partitions=settings.partitions,
        rewind=rewind,
        highwater=lambda tp: cast("Consumer", app.consumer).end_of(tp),
    )

    async def process(batches: Any) -> None:
        async for event in batches.events():
            try:
                await processor.take(event.message.partition, event.value)
            except Exception as failure:  # noqa: BLE001  # Faust would restart the processor and go on with the next batch
                worker.fail(failure)
                return

    # Acknowledgements are Faust's way to know what to commit; ours are checkpoints.
    topic = app.topic(source.name, schema=BatchSchema(), acks=False, partitions=settings.partitions)
    app.agent(topic, name=f"fold-{source.name}")(process)
