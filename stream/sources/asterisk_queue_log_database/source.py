"""Asterisk's queue_log in a table of a database as a source: its rows by their ids, read again and again."""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Name
from stream.errors import SettingsError, SourceError
from stream.sdk.factory import utc_now
from stream.sources.asterisk_ami.connection import micros_of
from stream.sources.asterisk_queue_log.line import LogIdentity
from stream.sources.asterisk_queue_log.mapper import Mapper
from stream.sources.asterisk_queue_log.memory import Remembered
from stream.sources.asterisk_queue_log.source import LONGEST_NAME, Pause, polling
from stream.sources.asterisk_queue_log_database.address import ConnectionAnswers, address_in, address_of, tls_of
from stream.sources.asterisk_queue_log_database.read_ids import NewestIds, ReadIds
from stream.sources.asterisk_queue_log_database.table import (
    DatabaseAway,
    DatabaseRefused,
    DatabaseTable,
    StoredRow,
    Table,
)
from stream.sources.instants import named_zone
from stream.sources.intake import Intake
from stream.sources.lines import Location
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import ConnectionFile, PulledBatch, Setup, Source, position_beside, read_position

__all__ = ["SOURCE", "DatabasePosition", "DatabasePuller", "Options"]

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5

_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)?")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_OTHERWISE: Final = (
    "no position in a table of a queue_log; restore it from a copy. Without it the table is read from its begin: calls "
    "from more than ten minutes ago, if they were sent before, count twice"
)


class Options(Struct, frozen=True, kw_only=True):
    """What a person says of the table."""

    file: Annotated[
        Path, Meta(description="File with the address, mysql://user:password@host/asterisk or postgresql://….")
    ]
    password_file: Annotated[Path | None, Meta(description="File with the password, if it is not in the address.")] = (
        None
    )
    table: Annotated[str, Meta(description="Name of the table, perhaps with its schema before.")] = "queue_log"
    tls: Annotated[bool, Meta(description="Speak TLS only, and check the server's certificate.")] = False
    ca_file: Annotated[Path | None, Meta(description="With --tls: who signed it, if no public authority did.")] = None
    tenant: Annotated[Name, Meta(description="Whose log it is: the table does not say.")] = DEFAULT_TENANT
    source_name: Annotated[
        str | None, Meta(description="Names the PBX; else host, database and table. Two PBXs need two names.")
    ] = None
    time_zone: Annotated[str | None, Meta(description="Zone of times without one, such as Europe/Berlin.")] = None

    def check(self) -> None:
        """Raise SettingsError where an option cannot be meant."""
        if not _TABLE_NAME.fullmatch(self.table):
            raise SettingsError("--table: a name such as queue_log or asterisk.queue_log")
        if self.ca_file is not None and not self.tls:
            raise SettingsError("--ca-file: it is for --tls")
        self.zone()

    def zone(self) -> ZoneInfo | None:
        """Return the zone of times that have none; raises SettingsError."""
        return named_zone(self.time_zone, "--time-zone") if self.time_zone else None

    def database(self) -> DatabaseTable:
        """Return the table, not connected yet."""
        return DatabaseTable(
            self.table,
            lambda: address_in(self.file, self.password_file),
            tls_of(self.ca_file) if self.tls else None,
        )

    def mapper(self, intake: Intake, remembered: Remembered) -> Mapper:
        """Return the mapper of the rows, as it was when it remembered this."""
        identity = LogIdentity(source=self.source_name or self._default_name(), tenant=self.tenant)
        return Mapper(identity, zone=self.zone(), remembered=remembered, intake=intake)

    def _default_name(self) -> str:
        address = address_in(self.file, self.password_file)
        host = socket.gethostname() if address.host in _LOOPBACK or address.socket else address.host
        found = f"//{host}/{quote(address.database)}/{self.table}"
        if len(found) > LONGEST_NAME:
            raise SettingsError("the address is too long to name the PBX by: choose a name with --source-name")
        return found


class DatabasePosition(Struct, kw_only=True):
    """Everything that a restart needs: the rows that were told, and what the mapper remembers of them."""

    ids: ReadIds
    memory: Remembered
    version: Literal[1] = 1

    @classmethod
    def read(cls, saved: bytes) -> "DatabasePosition":
        """Return what was saved; raises UnreadablePosition."""
        return read_position(saved, lambda data: msgspec.json.decode(data, type=cls), _OTHERWISE)


class DatabasePuller:
    """
    Reads the rows of a table as they come; a `Puller`.

    What is wrong at the first connection raises SourceError, so that it is mended at once. Later the database may be
    away, or refuse us, as long as it likes: it is asked again, less and less often.
    """

    def __init__(
        self,
        options: Options,
        intake: Intake,
        *,
        table: Table | None = None,
        pause: Pause | None = None,
        clock: Callable[[], datetime] = utc_now,
        back_off: BackOff | None = None,
    ) -> None:
        options.check()
        self._options = options
        self._intake = intake
        self._table: Table = table or options.database()
        self._pause = pause or polling(POLL_SECONDS)
        self._clock = clock
        self._pauses = back_off or BackOff()
        self._newest = NewestIds()
        self._was_connected = False

    async def batches(self, saved: bytes | None) -> AsyncGenerator[PulledBatch, None]:
        """Yield what the table has behind *saved*, and then what is added."""
        position = (
            DatabasePosition(ids=ReadIds(), memory=Remembered()) if saved is None else DatabasePosition.read(saved)
        )
        mapper = self._options.mapper(self._intake, position.memory)
        try:
            going = True
            while going:
                rows = await self._read(position.ids, mapper)
                events = [event for row in rows for event in mapper.map_row(self._place(row), row.columns)]
                if not rows:
                    # As in a log that nobody writes to: what is over is over by the clock of this machine.
                    events = mapper.passed(micros_of(self._clock()))
                if rows or events:
                    yield PulledBatch(events, msgspec.json.encode(position))
                else:
                    going = await self._pause()
        finally:
            self._table.close()

    async def _read(self, ids: ReadIds, mapper: Mapper) -> list[StoredRow]:
        """Return rows that were not told yet, when the database answers."""
        while True:
            try:
                # In a thread, since both drivers wait for the server.
                rows = await asyncio.to_thread(self._rows, ids, mapper)
            except (DatabaseRefused, SettingsError) as failure:
                if not self._was_connected:
                    raise SourceError(str(failure)) from failure
                logger.warning("%s; asking again", failure)
            except DatabaseAway as failure:
                logger.warning("%s; asking again", failure)
            else:
                self._was_connected = self._intake.connected[mapper.identity.source] = True
                self._pauses.reset()
                return rows
            self._intake.connected[mapper.identity.source] = False
            await self._pauses.wait()

    def _rows(self, ids: ReadIds, mapper: Mapper) -> list[StoredRow]:
        at = micros_of(self._clock())
        newest = self._table.newest_id()
        self._newest.see(newest, at)
        ids.forget(at)
        # First what is late: the sooner it is told, the less comes before it that should come after.
        rows = self._table.within(ids.gaps)
        if not rows and newest > ids.newest:
            found = self._table.behind(ids.newest)
            rows = found[: ids.ready([row.id for row in found], self._newest.settled(at))]
        elif not rows and self._begins_anew(newest, ids, mapper):
            return self._rows(ids, mapper)
        for row in rows:
            ids.tell(row.id, at)
        return rows

    def _begins_anew(self, newest: int, ids: ReadIds, mapper: Mapper) -> bool:
        """Tell whether the ids count from 1 again, which they do behind TRUNCATE; then nothing of them was told."""
        if newest == ids.newest:
            return False
        last = self._table.behind(newest - 1) if newest else []
        # Where somebody only deleted the last rows, the one that is the newest now was told long ago.
        if not last or not mapper.is_newest(self._place(last[0]), last[0].columns):
            return False
        logger.warning(
            "%s: its ids begin anew; rows that were deleted before they were read are missing", self._options.table
        )
        ids.newest, ids.gaps = 0, []
        self._newest.forget()
        return True

    def _place(self, row: StoredRow) -> Location:
        return Location(self._options.table, row.id, row.id)


SOURCE: Final = Source(
    name="asterisk-queue-log-database",
    about="Asterisk's queue_log in a table of MySQL, MariaDB or PostgreSQL, live.",
    options=Options,
    pull=DatabasePuller,
    position=lambda options: position_beside(options.file),
    setup=Setup(
        steps="docs/sources/asterisk-queue-log-database.md has the rights that the user needs, to paste.",
        file=ConnectionFile(asks=ConnectionAnswers, text=address_of, suffix=".address"),
    ),
)
