"""What a spool keeps aside, since neither its topic nor that of dead letters takes it: to be read, and sent again."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from stream.errors import SettingsError
from stream.gateway.spool import open_spool_file

__all__ = ["AsideEvent", "kept_aside", "queue_again"]


class AsideEvent(Struct, frozen=True):
    """An event that goes nowhere; `value` may hold personal data."""

    number: int
    at: datetime
    topic: str
    reason: str
    value: bytes


def kept_aside(path: Path) -> list[AsideEvent]:
    """Return what the file of a gateway that does not run keeps aside; raises SettingsError."""
    _refuse_missing(path)
    db = open_spool_file(path)
    try:
        rows = db.execute("SELECT id, at, topic, reason, value FROM aside ORDER BY id").fetchall()
    finally:
        db.close()
    return [AsideEvent(number, datetime.fromtimestamp(at, UTC), *rest) for number, at, *rest in rows]


def queue_again(path: Path) -> int:
    """Put all of it back into the queue, to be sent when the gateway starts, and return how much that is."""
    _refuse_missing(path)
    db = open_spool_file(path)
    try:
        db.execute("BEGIN IMMEDIATE")
        columns = "at, topic, key, value, headers"
        queued = db.execute(f"INSERT INTO events({columns}) SELECT {columns} FROM aside ORDER BY id").rowcount  # noqa: S608  # a constant
        db.execute("DELETE FROM aside")
        db.execute("COMMIT")
    finally:
        db.close()
    return queued


def _refuse_missing(path: Path) -> None:
    # SQLite would make a new one.
    if not path.is_file():
        raise SettingsError(f"{path}: there is no such spool")
