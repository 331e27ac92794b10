"""Systems that keep what happened, and are asked for it: each keeps the same calls, as it stores them."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from aiokafka.errors import KafkaConnectionError

from stream.sources.asterisk_queue_log.source import Options as QueueLogOptions
from stream.sources.asterisk_queue_log.source import QueueLogFollower
from stream.sources.asterisk_queue_log_database.source import DatabasePuller
from stream.sources.asterisk_queue_log_database.table import PAGE, DatabaseAway
from stream.sources.genesys_kafka.source import VoiceMapper, VoiceTopics
from stream.sources.imap_mailbox.session import MailboxAway
from stream.sources.intake import Intake
from stream.sources.kafka.topic import KafkaTopicPuller, MapRecord
from stream.sources.mapped.mapping_file import read_mapping
from stream.sources.mapped.topic import map_record_by
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import Puller
from tests.sources.asterisk_queue_log_database.tables import OPTIONS, Clock, FakeTable, row_of
from tests.sources.contract.kept import AWAY_FOR, PolledSystem, begun
from tests.sources.contract.marks import altered_cells, altered_fields, marked_cells, marked_header
from tests.sources.genesys_kafka.voice import voice
from tests.sources.imap_mailbox.mailboxes import MONDAY, Inbox, message, settings_in
from tests.sources.kafka_topic.topics import FOREIGN, FakeConsumer, FakeTopic, no_pause
from tests.sources.liveagent import asked as liveagent
from tests.sources.mapped.examples import HOME_MADE, RUMOUR, home_made_call
from tests.sources.nicereply import account as nicereply
from tests.sources.queue_logs import START
from tests.sources.surveymonkey import account as surveymonkey
from tests.sources.zendesk import exported as zendesk

__all__ = ["POLLED", "QUEUE_LOG_NOISE", "queue_log_call"]


class _LogFile:
    """A log that grows; away it has another name, as while it is restored from elsewhere."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "queue_log"
        self._hidden = folder / "hidden"
        self._away = 0

    async def add(self, records: Iterable[bytes]) -> None:
        with (self._hidden if self._away else self._file).open("ab") as file:
            file.writelines(record + b"\n" for record in records)

    def puller(self, intake: Intake) -> Puller:
        return QueueLogFollower(QueueLogOptions(file=self._file, source_name="/pbx"), intake, pause=self._pause)

    async def goes_away(self) -> None:
        self._away = AWAY_FOR
        if self._file.exists():
            self._file.rename(self._hidden)

    async def _pause(self) -> bool:
        await no_pause(0)
        if self._away:
            self._away -= 1
            if not self._away and self._hidden.exists():
                self._hidden.rename(self._file)
        return True


class _Rows:
    """A table of a queue_log, in memory."""

    def __init__(self) -> None:
        self._table = FakeTable(page=PAGE)

    async def add(self, records: Iterable[bytes]) -> None:
        first = self._table.newest_id() + 1
        self._table.add(*(row_of(number, record.decode()) for number, record in enumerate(records, first)))

    def puller(self, intake: Intake) -> Puller:
        back_off = BackOff(sleep=no_pause)
        return DatabasePuller(OPTIONS, intake, table=self._table, pause=_at_once, clock=Clock(), back_off=back_off)

    async def goes_away(self) -> None:
        self._table.failures = [DatabaseAway("no answer")] * AWAY_FOR


class _Letters:
    """A mailbox, in memory; each record is a header, and came a while after it was written."""

    def __init__(self, folder: Path) -> None:
        self._inbox = Inbox(settings_in(folder))

    async def add(self, records: Iterable[bytes]) -> None:
        for record in records:
            self._inbox.mailbox.add(record, self._inbox.clock())

    def puller(self, intake: Intake) -> Puller:
        return self._inbox.puller(intake)

    async def goes_away(self) -> None:
        self._inbox.mailbox.failures = [MailboxAway("no answer") for _ in range(AWAY_FOR)]


def letter(number: int) -> bytes:
    """A message, written so many seconds after the first."""
    return message(number, date=format_datetime(MONDAY + timedelta(seconds=number)))


async def _at_once() -> bool:
    await no_pause(0)
    return True


class _Records:
    """A topic of somebody else, in memory."""

    def __init__(self, map_record_for: Callable[[Intake], MapRecord]) -> None:
        self._topic = FakeTopic()
        self._map_record_for = map_record_for

    async def add(self, records: Iterable[bytes]) -> None:
        self._topic.add(*records)

    def puller(self, intake: Intake) -> Puller:
        return KafkaTopicPuller(
            lambda: (FOREIGN, self._map_record_for(intake)),
            intake,
            pauses=BackOff(sleep=no_pause),
            connect=lambda _: FakeConsumer(self._topic),
            look_after=timedelta(0),
        )

    async def goes_away(self) -> None:
        self._topic.failures = [KafkaConnectionError() for _ in range(AWAY_FOR)]


def queue_log_call(number: int) -> bytes:
    """A line about a call that came in."""
    return f"{START + number}|c{number}|sales|NONE|ENTERQUEUE||x|1".encode()


QUEUE_LOG_NOISE: Final = (
    b"+38640000001 rang",
    f"{START}|NONE|NONE|NONE|CONFIGRELOAD|".encode(),
    f"{START}|c1|sales|NONE|RUMOUR|".encode(),
)

POLLED: Final = {
    "asterisk-queue-log": PolledSystem(
        call=queue_log_call,
        noise=QUEUE_LOG_NOISE,
        counted=(1, 1, 1),
        marked=marked_cells,
        altered=altered_cells,
        kept=begun(_LogFile),
    ),
    "asterisk-queue-log-database": PolledSystem(
        call=queue_log_call,
        noise=QUEUE_LOG_NOISE,
        counted=(1, 1, 1),
        marked=marked_cells,
        altered=altered_cells,
        kept=begun(lambda _: _Rows()),
    ),
    "genesys-kafka": PolledSystem(
        call=lambda number: voice("EventQueued", number, f"c{number}"),
        noise=(b"{+38640000001", voice("EventRouteUsed", 1, "c1"), voice("EventRumour", 1, "c1")),
        counted=(1, 1, 1),
        kept=begun(
            lambda _: _Records(lambda intake: VoiceMapper(VoiceTopics(brokers=FOREIGN.brokers), intake).map_record)
        ),
    ),
    "imap-mailbox": PolledSystem(
        call=letter,
        tells=2,
        noise=(
            message(message_id="", **{"from": "+38640000001"}),
            message(message_id="", precedence="bulk"),
            message(message_id="", auto_submitted="rumour"),
        ),
        counted=(1, 1, 1),
        marked=marked_header,
        altered=altered_fields,
        kept=begun(_Letters),
    ),
    "mapped-topic": PolledSystem(
        call=home_made_call,
        noise=(b"+38640000001", b'{"events": [{"kind": "ping"}]}', RUMOUR),
        counted=(1, 1, 1),
        kept=begun(lambda _: _Records(lambda intake: map_record_by(read_mapping(HOME_MADE), intake))),
    ),
    "liveagent-tickets": liveagent.SYSTEM,
    "zendesk-export": zendesk.SYSTEM,
    "nicereply": nicereply.SYSTEM,
    "surveymonkey": surveymonkey.SYSTEM,
}
"""By the name in the registry."""
