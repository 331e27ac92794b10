"""Real servers of PostgreSQL and MariaDB in tests: Debian's, on a free port of loopback. They die with us."""

import os
import shutil
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pymysql
import pytest
import trustme
from pg8000 import dbapi

from stream.broker.child import HOST, dies_with_parent, free_port

__all__ = ["PASSWORD", "SERVERS", "DatabaseServer", "MariaDb", "PostgreSql", "database_server"]

PASSWORD: Final = "un/g:uess@ble"
"""Of the owner of everything; in an address it has to be quoted."""

START_SECONDS: Final = 60
AUTHORITY: Final = trustme.CA()


class DatabaseServer(ABC):
    """One that runs, and can be stopped and started again."""

    program: str
    install: str
    scheme: str

    account: str | None = None
    """Who runs it, where it may not be root."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.ca_file = home / "ca.pem"
        self._process: subprocess.Popen[bytes] | None = None
        AUTHORITY.cert_pem.write_to_path(str(self.ca_file))
        certificate = AUTHORITY.issue_cert(HOST)
        certificate.cert_chain_pems[0].write_to_path(str(home / "server.pem"))
        certificate.private_key_pem.write_to_path(str(home / "server.key"))
        (home / "server.key").chmod(0o600)
        if self.account is not None:
            for path in (home, *home.iterdir()):
                shutil.chown(path, self.account)

    @property
    @abstractmethod
    def socket(self) -> Path:
        """Where programs of the same machine connect to."""

    @abstractmethod
    def make(self) -> None:
        """Make an empty database."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return what runs the server."""

    @abstractmethod
    def connection(self) -> Any:
        """Connect as the owner, with transactions."""

    def url(
        self, *, user: str = "owner", password: str | None = "un%2Fg%3Auess%40ble", database: str = "asterisk"
    ) -> str:
        """Return an address as a person writes it."""
        secret = f":{password}" if password is not None else ""
        return f"{self.scheme}://{user}{secret}@{HOST}:{self.port}/{database}"

    def run(self, *queries: str) -> None:
        """Run queries as the owner, and commit them."""
        with closing(self.connection()) as connection:
            cursor = connection.cursor()
            for query in queries:
                cursor.execute(query)
            connection.commit()

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is not None:
            return
        self._process = self._child(self.command())
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connection().close()
            except (dbapi.Error, pymysql.Error, OSError):
                if self._process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"{self.program} does not start:\n{self.log()[-2000:]}") from None
                time.sleep(0.05)  # a server that opens its port tells nobody
            else:
                return

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def _child(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.home / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                user=self.account,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509  # it allocates nothing
            )

    def _run(self, command: list[str]) -> None:
        assert self._child(command).wait() == 0, self.log()[-2000:]


class PostgreSql(DatabaseServer):
    """PostgreSQL, which refuses to run as root."""

    program = "postgres"
    install = "apt-get install -y --no-install-recommends postgresql"
    scheme = "postgresql"
    account = "postgres" if os.geteuid() == 0 else None

    @property
    def socket(self) -> Path:
        return self.home / f".s.PGSQL.{self.port}"

    def make(self) -> None:
        (self.home / "password").write_text(PASSWORD)
        where = ("--pgdata", str(self.home / "data"), "--username", "owner", "--pwfile", str(self.home / "password"))
        self._run([_found("initdb"), *where, "--auth", "scram-sha-256", "--no-sync", "--encoding", "UTF8"])

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": str(self.home),
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": str(self.home / "server.pem"),
            "ssl_key_file": str(self.home / "server.key"),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [_found("postgres"), "-D", str(self.home / "data"), "-p", str(self.port), *options]

    def connection(self, database: str = "asterisk") -> Any:
        with suppress(dbapi.DatabaseError):
            return self._connected(database)
        # The first time: a new server has only the database of this name.
        connection = self._connected("postgres")
        connection.autocommit = True
        with suppress(dbapi.DatabaseError):
            connection.cursor().execute("CREATE DATABASE asterisk")
        connection.close()
        return self._connected(database)

    def _connected(self, database: str) -> Any:
        return dbapi.connect("owner", host=HOST, port=self.port, database=database, password=PASSWORD, timeout=30)


class MariaDb(DatabaseServer):
    """MariaDB, which speaks as MySQL does."""

    program = "mariadbd"
    install = "apt-get install -y --no-install-recommends mariadb-server"
    scheme = "mysql"

    @property
    def socket(self) -> Path:
        return self.home / "socket"

    def make(self) -> None:
        where = ("--no-defaults", f"--datadir={self.home / 'data'}")
        how = ("--auth-root-authentication-method=normal", "--skip-test-db", *self._as())
        self._run([_found("mariadb-install-db"), *where, *how])
        # One query a line. Without the nameless users, who would be found before those of any host.
        queries = (
            "CREATE DATABASE IF NOT EXISTS asterisk CHARACTER SET utf8mb4",
            "DELETE FROM mysql.global_priv WHERE user = ''",
            "FLUSH PRIVILEGES",
            f"CREATE USER IF NOT EXISTS owner@'%' IDENTIFIED BY '{PASSWORD}'",
            "GRANT ALL ON *.* TO owner@'%' WITH GRANT OPTION",
        )
        (self.home / "owner.sql").write_text("".join(f"{query};\n" for query in queries))

    def _as(self) -> list[str]:
        return ["--user=root"] if os.geteuid() == 0 else []

    def command(self) -> list[str]:
        return [
            _found("mariadbd"),
            "--no-defaults",
            f"--datadir={self.home / 'data'}",
            f"--socket={self.socket}",
            f"--bind-address={HOST}",
            f"--port={self.port}",
            f"--init-file={self.home / 'owner.sql'}",
            f"--ssl-cert={self.home / 'server.pem'}",
            f"--ssl-key={self.home / 'server.key'}",
            "--innodb-buffer-pool-size=16M",
            *self._as(),
        ]

    def connection(self) -> Any:
        return pymysql.connect(
            host=HOST, port=self.port, user="owner", password=PASSWORD, database="asterisk", charset="utf8mb4"
        )


SERVERS: Final = {"postgresql": PostgreSql, "mariadb": MariaDb}


def _found(program: str) -> str:
    """Return where a program is: Debian keeps those of PostgreSQL apart, by version."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return shutil.which(program, path=os.pathsep.join([*map(str, places), os.environ["PATH"], "/usr/sbin"])) or ""


@contextmanager
def database_server(name: str) -> Iterator[DatabaseServer]:
    """A server for as long as it is wanted, one of SERVERS; who has none is told how to get it."""
    kind = SERVERS[name]
    if not _found(kind.program):
        pytest.skip(f"{kind.program} is missing: {kind.install}")
    # Not below the folders of tests, which only we may enter: as root we run PostgreSQL by an account of its own.
    with tempfile.TemporaryDirectory(prefix="contact-stream-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = kind(Path(folder))
        try:
            server.make()
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session", params=SERVERS)
def database(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """A server of each kind, for the whole run."""
    with database_server(request.param) as server:
        yield server
