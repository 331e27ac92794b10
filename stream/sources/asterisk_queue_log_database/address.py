"""Where the table is and who reads it: from files, so that no password is on a command line, in a log or an error."""

import ssl
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

from msgspec import Meta, Struct

from stream.errors import SettingsError

__all__ = ["Address", "ConnectionAnswers", "Dialect", "address_in", "address_of", "tls_of"]

Dialect = Literal["postgresql", "mysql"]

SCHEMES: Final[dict[str, Dialect]] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
PORTS: Final[dict[Dialect, int]] = {"postgresql": 5432, "mysql": 3306}

SHAPE: Final = "postgresql://USER:PASSWORD@HOST/DATABASE or mysql://…, the password perhaps in a file of its own"


class Address(Struct, frozen=True, kw_only=True):
    """A database, and who logs in."""

    dialect: Dialect
    host: str
    port: int
    database: str
    user: str
    password: str | None
    socket: str | None = None

    def __repr__(self) -> str:
        """Name the database without the password, wherever it is printed."""
        return f"{self.dialect}://{self.host}:{self.port}/{self.database}"


class ConnectionAnswers(Struct, frozen=True, kw_only=True):
    """What a person is asked, from whom the address is not at hand."""

    dialect: Annotated[Dialect, Meta(description="mysql, of MariaDB too, or postgresql.")]
    host: Annotated[str, Meta(description="Where the database listens; with its port, if that is another.")]
    database: Annotated[str, Meta(description="Name of the database.")]
    user: Annotated[str, Meta(description="Who logs in.")]


def address_of(answers: ConnectionAnswers, _: str) -> str:
    """Return the content of a file that `address_in` reads, without a password."""
    user, database = quote(answers.user, safe=""), quote(answers.database, safe="")
    return f"{answers.dialect}://{user}@{answers.host}/{database}\n"


def address_in(file: Path, password_file: Path | None) -> Address:
    """Return the address in a file; raises SettingsError, which quotes nothing of it."""
    text = _line_of(file, "the address")
    try:
        parts = urlsplit(text)
        dialect = SCHEMES[parts.scheme]
        port = parts.port or PORTS[dialect]
        sockets = parse_qs(parts.query, strict_parsing=bool(parts.query))
    except (KeyError, ValueError):
        raise SettingsError(f"{file}: it holds no address of a database: {SHAPE}") from None
    database = unquote(parts.path.removeprefix("/"))
    if not parts.username or not database or sockets.keys() - {"socket"}:
        raise SettingsError(f"{file}: the address needs a user and a database, and may have ?socket=PATH: {SHAPE}")
    password = unquote(parts.password) if parts.password is not None else None
    if password_file is not None:
        password = _line_of(password_file, "the password")
    return Address(
        dialect=dialect,
        host=parts.hostname or "localhost",
        port=port,
        database=database,
        user=unquote(parts.username),
        password=password,
        socket=sockets["socket"][0] if sockets else None,
    )


def _line_of(file: Path, what: str) -> str:
    try:
        # A line break at the end is the editor's. Spaces may be part of a password.
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as failure:
        raise SettingsError(f"{file}: {what} cannot be read: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: {what} is not UTF-8") from None
    if not text or "\n" in text:
        raise SettingsError(f"{file}: {what} is one line")
    return text


def tls_of(ca_file: Path | None) -> ssl.SSLContext:
    """Return what checks the certificate of the server; raises SettingsError."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as failure:
        raise SettingsError(f"--ca-file: {ca_file} cannot be used: {failure.strerror}") from failure
