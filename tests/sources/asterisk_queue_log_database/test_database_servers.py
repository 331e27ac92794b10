"""The table on real servers: PostgreSQL and MariaDB, with the layouts that Asterisk and its distributions make."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stream.core.cloudevents import Event
from stream.errors import SourceError
from stream.sources.asterisk_queue_log.rows import TABLE_COLUMNS
from stream.sources.asterisk_queue_log.source import polling
from stream.sources.asterisk_queue_log_database.source import DatabasePuller, Options
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from tests.databases import PASSWORD, DatabaseServer
from tests.samples import sample
from tests.sources.asterisk_queue_log_database.tables import Clock, row_of
from tests.sources.asterisk_queue_log_database.test_database_rows import LOG
from tests.sources.contract.kept import AWAY_FOR, PolledSystem, begun
from tests.sources.contract.polled import QUEUE_LOG_NOISE, queue_log_call
from tests.sources.contract.polled_contract import OutageContract
from tests.sources.queue_logs import IDENTITY, mapped

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
LINES = LOG.splitlines()
EVENTS = mapped(LOG.encode(), to_its_end=False)

NAMES = "callid {text}, queuename {text}, agent {text}, event {text}"
FIVE = ", ".join(f"data{number} {{text}}" for number in range(1, 6))
LAYOUTS = {
    # As Asterisk's own scripts make it (contrib/ast-db-manage).
    "five columns": f"id {{serial}}, time {{local}}, {NAMES}, {FIVE}",
    "one column, seconds": f"id {{serial}}, time {{text}}, {NAMES}, data {{text}}",
    # As FreePBX makes it, after some updates.
    "both, text": f"id {{serial}}, time {{text}}, {NAMES}, data {{text}}, {FIVE}",
    "an instant": f"id {{serial}}, time {{instant}}, {NAMES}, {FIVE}",
}
WORDS = {
    "postgresql": {
        "serial": "BIGSERIAL PRIMARY KEY",
        "text": "VARCHAR(256)",
        "local": "TIMESTAMP",
        "instant": "TIMESTAMP WITH TIME ZONE",
    },
    "mysql": {
        "serial": "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
        "text": "VARCHAR(256)",
        "local": "DATETIME(6)",
        "instant": "TIMESTAMP(6)",
    },
}


@pytest.fixture
def server(database: DatabaseServer) -> DatabaseServer:
    database.start()
    database.run("DROP TABLE IF EXISTS queue_log")
    return database


@pytest.fixture
def address(tmp_path: Path) -> Path:
    return tmp_path / "database.url"


def make(server: DatabaseServer, layout: str = "five columns") -> None:
    server.run(f"CREATE TABLE queue_log ({LAYOUTS[layout].format(**WORDS[server.scheme])})")


def insertion(line: str, layout: str = "five columns") -> str:
    """What the realtime engine of Asterisk says for a line; local times are those of Berlin."""
    seconds, *cells = line.split("|")
    at = datetime.fromtimestamp(int(seconds), ZoneInfo("UTC" if layout == "an instant" else "Europe/Berlin"))
    time = f"{at:%Y-%m-%d %H:%M:%S}" if layout in {"five columns", "an instant"} else seconds
    fixed, parameters = cells[:4], cells[4:]
    if layout == "one column, seconds":
        values = {"data": "|".join(parameters)}
    else:
        values = {f"data{number}": value for number, value in enumerate(parameters, 1)}
    row = {**dict(zip(TABLE_COLUMNS, [time, *fixed], strict=False)), **values}
    quoted = ", ".join(f"'{value}'" for value in row.values())
    return f"INSERT INTO queue_log ({', '.join(row)}) VALUES ({quoted})"


def options(server: DatabaseServer, address: Path, **changes: Any) -> Options:
    if not address.exists():
        address.write_text(server.url() + "\n")
    told = {"tenant": IDENTITY.tenant, "source_name": IDENTITY.source, "time_zone": "Europe/Berlin"}
    return Options(file=address, **{**told, **changes})


async def events_of(of: Options, *acts: Callable[[], object], clock: Clock | None = None) -> list[Event]:
    """Do one act each time there is nothing to read; then end."""
    left = list(acts)

    async def pause() -> bool:
        if left:
            left.pop(0)()
            return True
        return False

    following = DatabasePuller(of, Intake(), pause=pause, clock=clock or Clock())
    return [event async for batch in following.batches(None) for event in batch.events]


# -- rows --------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_what_asterisk_inserts_is_told_as_its_log_would(
    server: DatabaseServer, address: Path, layout: str
) -> None:
    make(server, layout)
    zone = "UTC" if layout == "an instant" else "Europe/Berlin"
    queries = [insertion(line, layout) for line in LINES]

    events = await events_of(
        options(server, address, time_zone=zone),
        partial(server.run, *queries[:3]),
        *(partial(server.run, query) for query in queries[3:]),
    )

    assert events == EVENTS


async def test_a_row_that_commits_after_the_next_one_is_told_in_its_order(
    server: DatabaseServer, address: Path
) -> None:
    make(server)
    clock = Clock()
    with closing(server.connection()) as slow:

        def begun() -> None:
            server.run(*(insertion(line) for line in LINES[:4]))
            slow.cursor().execute(insertion(LINES[4]))
            server.run(*(insertion(line) for line in LINES[5:]))
            clock.passes(1)

        assert await events_of(options(server, address), begun, slow.commit, clock=clock) == EVENTS


async def test_of_a_row_that_is_rolled_back_only_the_gap_is_left(server: DatabaseServer, address: Path) -> None:
    make(server)
    clock = Clock()
    with closing(server.connection()) as failed:
        failed.cursor().execute(insertion(LINES[0].replace("c1", "c9")))
        failed.rollback()
    server.run(*(insertion(line) for line in LINES))

    assert await events_of(options(server, address), partial(clock.passes, 3), clock=clock) == EVENTS


async def test_of_many_writers_at_once_each_row_is_told_once(server: DatabaseServer, address: Path) -> None:
    """Each writer commits several rows at a time, so that their ids are mixed, and become visible in any order."""
    make(server)
    writers, transactions, rows = 6, 20, 4

    def write(writer: int) -> None:
        with closing(server.connection()) as connection:
            for transaction in range(transactions):
                for row in range(rows):
                    call = f"c{writer}-{transaction}-{row}"
                    connection.cursor().execute(insertion(f"{LINES[0].split('|')[0]}|{call}|q1|NONE|ENTERQUEUE||x|1"))
                connection.commit()

    with ThreadPoolExecutor(writers) as pool:
        writing = [pool.submit(write, number) for number in range(writers)]

        async def pause() -> bool:
            await asyncio.sleep(0.001)
            return not all(one.done() for one in writing) or told < writers * transactions * rows

        following = DatabasePuller(options(server, address), Intake(), pause=pause)
        told, ids = 0, set[str]()
        async for batch in following.batches(None):
            told += len(batch.events)
            ids |= {event.id for event in batch.events}
    for one in writing:
        one.result()

    assert told == len(ids) == writers * transactions * rows


class _ServedRows:
    """The table as the contract of polled systems wants it; away the server is dead, until it was called some times."""

    def __init__(self, server: DatabaseServer, address: Path) -> None:
        make(server, "both, text")
        self._server = server
        self._options = options(server, address)
        self._away = 0

    async def add(self, records: Iterable[bytes]) -> None:
        rows = [row_of(0, record.decode()).columns for record in records]
        names = [name for name in rows[0] if name != "id"]
        values = ", ".join("(" + ", ".join(f"'{row[name]}'" for name in names) + ")" for row in rows)
        self._server.run(f"INSERT INTO queue_log ({', '.join(names)}) VALUES {values}")

    def puller(self, intake: Intake) -> DatabasePuller:
        return DatabasePuller(self._options, intake, pause=polling(0.01), back_off=BackOff(sleep=self._sleep))

    async def goes_away(self) -> None:
        self._away = AWAY_FOR
        self._server.stop()

    async def _sleep(self, _: float) -> None:
        self._away -= 1
        if not self._away:
            self._server.start()  # not in a thread: the server ends with the thread that has begun it


class TestServer(OutageContract):
    """What every polled system must do."""

    @pytest.fixture
    def system(self, server: DatabaseServer, address: Path) -> PolledSystem:
        return PolledSystem(
            call=queue_log_call,
            noise=QUEUE_LOG_NOISE,
            counted=(1, 1, 1),
            kept=begun(lambda _: _ServedRows(server, address)),
        )


async def test_a_recorded_session_in_a_table_is_that_of_its_log(server: DatabaseServer, address: Path) -> None:
    make(server)
    log = sample("asterisk-ami/session_queue_log.txt").read_bytes()
    server.run(*(insertion(line) for line in log.decode().splitlines()))

    assert await events_of(options(server, address)) == mapped(log, to_its_end=False) != []


# -- what may be wrong -------------------------------------------------------------------------


WRONG: dict[str, tuple[str | None, dict[str, str], str]] = {
    "password": (None, {"password": "guessed"}, "user or password are refused"),
    "user": (None, {"user": "nobody"}, "user or password are refused"),
    "database": (None, {"database": "elsewhere"}, "no database of this name"),
    "no table": (None, {}, "no such table; name it with --table"),
    "no id": (f"time {{text}}, {NAMES}", {}, "no column `id`.*AUTO_INCREMENT"),
    "id is text": (f"id {{text}}, time {{text}}, {NAMES}", {}, "`id` is no whole number"),
    "another table": ("id {serial}, callid {text}", {}, r"no column agent; is it the queue_log\?"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_wrong_at_the_first_connection_is_told_with_what_to_do(
    server: DatabaseServer, address: Path, what: str
) -> None:
    columns, changes, said = WRONG[what]
    if columns is not None:
        row = "(id, callid) VALUES ('x', 'c1')" if what == "id is text" else "(callid) VALUES ('c1')"
        server.run(f"CREATE TABLE queue_log ({columns.format(**WORDS[server.scheme])})", f"INSERT INTO queue_log {row}")
    address.write_text(server.url(**changes))

    with pytest.raises(SourceError, match=said) as refused:
        await events_of(options(server, address))
    assert "guessed" not in str(refused.value)
    assert PASSWORD not in str(refused.value)


ACCOUNTS = {
    "postgresql": ("CREATE ROLE reader LOGIN PASSWORD 'r'", "DROP ROLE IF EXISTS reader", "reader"),
    "mysql": ("CREATE USER reader@'%' IDENTIFIED BY 'r'", "DROP USER IF EXISTS reader@'%'", "reader@'%'"),
}
"""How a user is made, removed and called."""


async def test_who_may_not_read_the_table_is_told_so(server: DatabaseServer, address: Path) -> None:
    make(server)
    made, gone, who = ACCOUNTS[server.scheme]
    # The right to something, without which MariaDB does not even let the user into the database.
    server.run(
        gone, made, "DROP TABLE IF EXISTS other", "CREATE TABLE other (id INT)", f"GRANT SELECT ON other TO {who}"
    )
    address.write_text(server.url(user="reader", password="r"))

    with pytest.raises(SourceError, match="GRANT SELECT"):
        await events_of(options(server, address))
    server.run(f"GRANT SELECT ON queue_log TO {who}", *(insertion(line) for line in LINES))

    assert await events_of(options(server, address)) == EVENTS
    server.run("DROP TABLE queue_log", "DROP TABLE other", gone)


async def test_a_certificate_is_checked(server: DatabaseServer, address: Path) -> None:
    make(server)
    server.run(*(insertion(line) for line in LINES))

    assert await events_of(options(server, address, tls=True, ca_file=server.ca_file)) == EVENTS
    with pytest.raises(SourceError, match="certificate is not trusted"):
        await events_of(options(server, address, tls=True))


async def test_a_server_on_the_same_machine_is_reached_by_its_socket(server: DatabaseServer, address: Path) -> None:
    make(server)
    server.run(*(insertion(line) for line in LINES))
    address.write_text(f"{server.scheme}://owner@/asterisk?socket={server.socket}")
    (address.parent / "password").write_text(PASSWORD)

    assert await events_of(options(server, address, password_file=address.parent / "password")) == EVENTS


# -- the command -------------------------------------------------------------------------------


@asynccontextmanager
async def followed(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = ("source", "asterisk-queue-log-database", *arguments, "--dry-run")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream", *command),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_command_follows_a_table_until_it_is_stopped_and_shows_no_password(
    server: DatabaseServer, address: Path, tmp_path: Path
) -> None:
    make(server)
    server.run(*(insertion(line) for line in LINES))
    address.write_text(server.url(password=None))
    (tmp_path / "password").write_text(PASSWORD + "\n")
    secret = ("--password-file", str(tmp_path / "password"))

    async with followed(
        *(str(address), *secret, "--source-name", IDENTITY.source, "--tenant", IDENTITY.tenant),
        *("--time-zone", "Europe/Berlin"),
    ) as process:
        assert process.stdout is not None
        ids = [json.loads(await process.stdout.readline())["id"] for _ in EVENTS]
        shown = (Path("/proc") / str(process.pid) / "cmdline").read_bytes()
        process.send_signal(signal.SIGTERM)
        rest, said = await process.communicate()

    assert ids == [event.id for event in EVENTS]
    assert (rest, process.returncode) == (b"", 0)
    assert PASSWORD.encode() not in shown + said
    address.write_text(server.url(password="guessed"))
    async with followed(str(address)) as process:
        _, said = await process.communicate()
    assert process.returncode == 1
    assert b"user or password are refused" in said
    assert b"guessed" not in said
    assert b"Traceback" not in said
