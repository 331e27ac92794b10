"""The table on a server of PostgreSQL or MySQL: three queries, and what each of their errors asks a person to do.

It waits for answers, so it belongs into a thread. No value of a row, and no password, is in a message.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from msgspec import Struct

from stream.errors import SettingsError
from stream.sources.asterisk_queue_log.rows import NEEDED_COLUMNS
from stream.sources.asterisk_queue_log_database.address import Address, Dialect
from stream.sources.asterisk_queue_log_database.read_ids import IdGap

__all__ = ["DatabaseAway", "DatabaseRefused", "DatabaseTable", "StoredRow", "Table"]

PAGE: Final = 1000
"""So many rows at most are read at once: what is sent with one acknowledgement."""

QUERY_SECONDS: Final = 10
"""A server that answers no query of an indexed column in this time is taken to be away."""


class DatabaseAway(Exception):
    """There is no answer, or none that says what is wrong: another attempt may do."""


class DatabaseRefused(Exception):
    """The database says what is wrong, and somebody has to do something."""


class StoredRow(Struct, frozen=True):
    """A row: its id, and its cells as text by the lower-case names of their columns."""

    id: int
    columns: dict[str, str]


class Table(Protocol):
    """Rows with rising ids; each call raises DatabaseAway or DatabaseRefused, and the next one connects again."""

    def newest_id(self) -> int:
        """Return the largest id, 0 where there are no rows."""
        ...

    def behind(self, newest: int) -> list[StoredRow]:
        """Return the next rows behind an id, in the order of their ids, not all of them at once."""
        ...

    def within(self, gaps: Sequence[IdGap]) -> list[StoredRow]:
        """Return the rows whose ids are in gaps, in the order of their ids."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


# The codes of both servers are documented, and stay; their sentences are translated.
_LOGIN: Final = "user or password are refused, or the server lets nobody in from here"
_NO_RIGHT: Final = "the user may not read it: GRANT SELECT on it to the user"
_NO_TABLE: Final = "the database has no such table; name it with --table"
_NO_ID: Final = (
    "the table has no column `id`, by which it is read: add one that counts up by itself "
    "(PostgreSQL: ALTER TABLE queue_log ADD COLUMN id BIGSERIAL PRIMARY KEY; MySQL: ALTER TABLE queue_log "
    "ADD COLUMN id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY)"
)
_NO_DATABASE: Final = "the server has no database of this name"
_REFUSALS: Final[Mapping[str, str]] = {
    # PostgreSQL
    "28P01": _LOGIN,
    "28000": _LOGIN,
    "3D000": _NO_DATABASE,
    "3F000": _NO_TABLE,
    "42501": _NO_RIGHT,
    "42P01": _NO_TABLE,
    "42703": _NO_ID,
    # MySQL and MariaDB
    "1044": "the user may not use this database",
    "1045": _LOGIN,
    "1698": _LOGIN,
    "1049": _NO_DATABASE,
    "1142": _NO_RIGHT,
    "1143": _NO_RIGHT,
    "1146": _NO_TABLE,
    "1054": _NO_ID,
}


class DatabaseTable:
    """A `Table` on a server; *address* is asked at each connection anew, since passwords change."""

    def __init__(self, name: str, address: Callable[[], Address], tls: ssl.SSLContext | None = None) -> None:
        self._name = name
        self._address = address
        self._tls = tls
        self._connection: Any = None
        self._quoted = ""

    def newest_id(self) -> int:
        rows = self._ask("SELECT MAX(id) FROM {table}")[1]
        newest = rows[0][0]
        if newest is not None and not isinstance(newest, int):
            raise DatabaseRefused(f"{self._name}: its column `id` is no whole number")
        return newest or 0

    def behind(self, newest: int) -> list[StoredRow]:
        return self._rows(f"id > {newest:d} ORDER BY id LIMIT {PAGE}")

    def within(self, gaps: Sequence[IdGap]) -> list[StoredRow]:
        ranges = " OR ".join(f"id BETWEEN {gap.first:d} AND {gap.last:d}" for gap in gaps)
        return self._rows(f"{ranges} ORDER BY id LIMIT {PAGE}") if ranges else []

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # It is given up, whatever state it is in.
            with suppress(Exception):
                connection.close()

    def _rows(self, condition: str) -> list[StoredRow]:
        names, rows = self._ask(f"SELECT * FROM {{table}} WHERE {condition}")  # noqa: S608  # numbers of our own
        columns = [name.lower() for name in names]
        if missing := sorted(NEEDED_COLUMNS - {*columns}):
            raise DatabaseRefused(f"{self._name}: the table has no column {missing[0]}; is it the queue_log?")
        place = columns.index("id")
        return [StoredRow(row[place], dict(zip(columns, map(_text, row), strict=True))) for row in rows]

    def _ask(self, query: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
        """Return the names of the columns, and the rows."""
        try:
            if self._connection is None:
                self._connect()
            cursor = self._connection.cursor()
            cursor.execute(query.format(table=self._quoted))
            names = [str(column[0]) for column in cursor.description]
            return names, cursor.fetchall()
        except SettingsError:
            raise
        # Two drivers, each with errors of its own, which also let those of sockets through.
        except Exception as failure:  # noqa: BLE001  # it is raised again, explained
            self.close()
            raise self._explained(failure) from None

    def _connect(self) -> None:
        address = self._address()
        quote = QUOTES[address.dialect]
        self._quoted = ".".join(f"{quote}{part}{quote}" for part in self._name.split("."))
        self._connection = CONNECTORS[address.dialect](address, self._tls)

    def _explained(self, failure: Exception) -> Exception:
        code = _code_of(failure) or ""
        if code in _REFUSALS:
            return DatabaseRefused(f"{self._name}: {_REFUSALS[code]} (error {code})")
        cause = _cause_of(failure)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return DatabaseRefused(f"{self._name}: the server's certificate is not trusted: {cause.verify_message}")
        # Of drivers only the kind is told: what they say may quote what they were given.
        reason = getattr(cause, "strerror", None) or (f"error {code}" if code else type(cause).__name__)
        return DatabaseAway(f"{self._name}: no answer from the database: {reason}")


def _code_of(failure: Exception) -> str | None:
    """Return the code of an error of the server: pg8000 has it in a dict, PyMySQL as the first argument."""
    match failure.args:
        case ({"C": str(code)}, *_):
            return code
        case (int(code), str(), *_) if not isinstance(failure, OSError):
            return str(code)
        case _:
            return None


def _cause_of(failure: Exception) -> BaseException:
    """Return the error of the socket, if it was one."""
    # Where PyMySQL keeps it, and where pg8000 does.
    cause = getattr(failure, "original_exception", None) or failure.__cause__
    return cause if isinstance(cause, OSError) else failure


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bytes():
            return value.decode("utf-8", errors="replace")
        case _:
            return str(value)


def _to_postgresql(address: Address, tls: ssl.SSLContext | None) -> Any:  # noqa: ANN401  # the driver has no types
    try:
        from pg8000 import dbapi
    except ModuleNotFoundError:
        raise SettingsError(_NOT_INSTALLED) from None
    connection = dbapi.connect(
        address.user,
        host=address.host,
        port=address.port,
        database=address.database,
        password=address.password,
        unix_sock=address.socket,
        ssl_context=tls,
        timeout=QUERY_SECONDS,
        application_name="contact-stream",
    )
    # Each query by itself: one that stays open would hold back the clean-up of the whole database.
    connection.autocommit = True
    return connection


def _to_mysql(address: Address, tls: ssl.SSLContext | None) -> Any:  # noqa: ANN401  # the driver has no types
    try:
        import pymysql
    except ModuleNotFoundError:
        raise SettingsError(_NOT_INSTALLED) from None
    return pymysql.connect(
        user=address.user,
        password=address.password or "",
        host=address.host,
        port=address.port,
        database=address.database,
        unix_socket=address.socket,
        ssl=tls,
        charset="utf8mb4",
        connect_timeout=QUERY_SECONDS,
        read_timeout=QUERY_SECONDS,
        write_timeout=QUERY_SECONDS,
        # Else each query would see the table as it was at the first.
        autocommit=True,
        program_name="contact-stream",
    )


_NOT_INSTALLED: Final = "the drivers of databases are not installed: pip install 'contact-stream[database]'"

QUOTES: Final[Mapping[Dialect, str]] = {"postgresql": '"', "mysql": "`"}
CONNECTORS: Final[Mapping[Dialect, Callable[[Address, ssl.SSLContext | None], Any]]] = {
    "postgresql": _to_postgresql,
    "mysql": _to_mysql,
}
