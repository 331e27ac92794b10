"""Some hours of each system that is asked for what happened, and the board that was counted by hand beside them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from scripts.apache_kafka.admin import admin_of
from tests.brokers import Broker
from tests.databases import database_server
from tests.sources.asterisk_queue_log_database.tables import row_of
from tests.sources.contract.told_story import StorySystem, ToldStory
from tests.sources.genesys_kafka.test_genesys_kafka import DAY as CALLS_OF_GENESYS
from tests.sources.genesys_kafka.voice import BEGIN as BEGIN_OF_GENESYS
from tests.sources.imap_mailbox import story as imap
from tests.sources.liveagent import asked as liveagent
from tests.sources.mapped.examples import HOME_MADE, PAYLOADS
from tests.sources.new_sources import BEGIN
from tests.sources.nicereply import account as nicereply
from tests.sources.queue_logs import START, log_of
from tests.sources.surveymonkey import account as surveymonkey
from tests.sources.zendesk import exported as zendesk

__all__ = ["FOREIGN_TOPIC", "STORIES"]

FOREIGN_TOPIC: Final = "foreign-calls"
"""On our own broker: of somebody else."""

Begun = Callable[[Path, Broker], AbstractAsyncContextManager[StorySystem]]


# -- a queue_log, in a file and in a table -----------------------------------------------------

_LINES: Final = log_of("""
    0|c1|q1|NONE|ENTERQUEUE||x|1
    9|c1|q1|NONE|EXITWITHTIMEOUT|1|1|9
    9|c1|q2|NONE|ENTERQUEUE||x|1
    12|c1|q2|m1|CONNECT|3|c2|1
    15|c5|q2|NONE|ENTERQUEUE||x|1
    40|c1|q2|m1|COMPLETECALLER|3|28|1
    44|c5|q2|NONE|ABANDON|1|1|29
    """).splitlines(keepends=True)

_QUEUE_LOG: Final = (_LINES[:5], _LINES[5:])
_FIGURES_OF_QUEUE_LOG: Final = """
contact_window_offered{queue="q1",window="today"} 1
contact_window_answered{queue="q1",window="today"} 0
contact_window_offered{queue="q2",window="today"} 2
contact_window_answered{queue="q2",window="today"} 1
contact_window_abandoned{queue="q2",window="today"} 1
contact_open_cases{queue="q2"} 0
"""


@asynccontextmanager
async def _log_file(folder: Path, _: Broker) -> AsyncIterator[StorySystem]:
    log = folder / "queue_log"

    async def goes_on(half: int) -> None:
        with log.open("ab") as file:
            file.writelines(_QUEUE_LOG[half])

    yield StorySystem([str(log), "--follow"], goes_on)


@asynccontextmanager
async def _table(folder: Path, _: Broker) -> AsyncIterator[StorySystem]:
    with database_server("mariadb") as server:
        columns = ", ".join(f"{name} VARCHAR(256)" for name in row_of(0, _LINES[0].decode()).columns if name != "id")
        server.run(f"CREATE TABLE queue_log (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, {columns})")
        (folder / "database.url").write_text(server.url())

        async def goes_on(half: int) -> None:
            for line in _QUEUE_LOG[half]:
                row = {name: value for name, value in row_of(0, line.decode().strip()).columns.items() if name != "id"}
                values = ", ".join(f"'{value}'" for value in row.values())
                server.run(f"INSERT INTO queue_log ({', '.join(row)}) VALUES ({values})")

        yield StorySystem([str(folder / "database.url")], goes_on)


# -- topics, on the broker that has ours -------------------------------------------------------


def _topic(halves: tuple[Sequence[bytes], Sequence[bytes]], more: str) -> Begun:
    """Return how a topic is begun, of which a file says *more*."""

    @asynccontextmanager
    async def begun(folder: Path, broker: Broker) -> AsyncIterator[StorySystem]:
        async with admin_of(broker.address) as admin:
            await admin.create_topics([NewTopic(FOREIGN_TOPIC, 1, 1)])

        async def goes_on(half: int) -> None:
            async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
                for value in halves[half]:
                    await producer.send_and_wait(FOREIGN_TOPIC, value)

        told = f'brokers = ["{broker.address}"]\ntopics = ["{FOREIGN_TOPIC}"]\n{more}\n'
        (folder / "topic.toml").write_text(told)
        yield StorySystem([str(folder / "topic.toml")], goes_on)

    return begun


def _of_queue_log(begun: Callable[[Path, Broker], AbstractAsyncContextManager[StorySystem]]) -> ToldStory:
    at = datetime.fromtimestamp(START + 60, UTC)
    return ToldStory(begun=begun, told=5, afresh=7, at=at, figures=_FIGURES_OF_QUEUE_LOG)


STORIES: Final[Mapping[str, ToldStory]] = {
    "asterisk-queue-log": _of_queue_log(_log_file),
    "asterisk-queue-log-database": _of_queue_log(_table),
    "genesys-kafka": ToldStory(
        begun=_topic((CALLS_OF_GENESYS[:10], CALLS_OF_GENESYS[10:]), '[queues]\n9001 = "Sales"'),
        told=5,
        afresh=10,
        at=BEGIN_OF_GENESYS + timedelta(minutes=5),
        figures="""
contact_window_offered{queue="Sales",window="today"} 3
contact_window_answered{queue="Sales",window="today"} 1
contact_window_abandoned{queue="Sales",window="today"} 1
contact_window_offered{queue="9002",window="today"} 1
contact_window_answered{queue="9002",window="today"} 1
contact_open_cases{queue="Sales"} 0
contact_open_cases{queue="9002"} 0
""",
    ),
    "imap-mailbox": imap.STORY,
    "liveagent-tickets": liveagent.STORY,
    "mapped-topic": ToldStory(
        begun=_topic((PAYLOADS[:1], PAYLOADS[1:]), f'mapping = "{HOME_MADE}"'),
        told=1,
        afresh=3,
        at=BEGIN,
        figures="""
contact_window_offered{queue="orders",window="today"} 2
contact_window_answered{queue="orders",window="today"} 1
contact_window_abandoned{queue="orders",window="today"} 1
""",
    ),
    "nicereply": nicereply.STORY,
    "surveymonkey": surveymonkey.STORY,
    "zendesk-export": zendesk.STORY,
}
"""By the name in the registry."""
