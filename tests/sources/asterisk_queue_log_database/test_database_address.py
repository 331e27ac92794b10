"""Where the table is: read from files, and no password in what is printed."""

from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.sources.asterisk_queue_log.memory import Remembered
from stream.sources.asterisk_queue_log_database.address import Address, address_in
from stream.sources.asterisk_queue_log_database.source import Options
from stream.sources.intake import Intake


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "database.url"


def found(file: Path, text: str, password_file: Path | None = None) -> Address:
    file.write_text(text)
    return address_in(file, password_file)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://ann:s%40cret@db:6000/asterisk\n", ("postgresql", "db", 6000, "asterisk", "ann", "s@cret", None)),
        ("postgres://ann@db/asterisk", ("postgresql", "db", 5432, "asterisk", "ann", None, None)),
        ("mariadb://ann:x@[::1]/a%20b\r\n", ("mysql", "::1", 3306, "a b", "ann", "x", None)),
        ("mysql://ann@/asterisk?socket=/run/s", ("mysql", "localhost", 3306, "asterisk", "ann", None, "/run/s")),
    ],
)
def test_an_address_is_read(file: Path, text: str, expected: tuple[object, ...]) -> None:
    address = found(file, text)

    assert tuple(getattr(address, name) for name in Address.__struct_fields__) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "db.example",
        "oracle://ann:s3cret@db/asterisk",
        "mysql://db/asterisk",
        "mysql://ann:s3cret@db",
        "mysql://ann:s3cret@db:port/asterisk",
        "mysql://ann:s3cret@db/asterisk?host=x",
        "mysql://ann:s3cret@db/asterisk\nmysql://bob:s3cret@db/asterisk",
        "mysql://ann:s3cret@[db/asterisk",
    ],
)
def test_what_is_no_address_is_refused_without_quoting_it(file: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"database\.url: ") as refused:
        found(file, text)
    assert "s3cret" not in str(refused.value)


def test_a_password_comes_from_a_file_of_its_own(file: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(" p@ss word \n")

    address = found(file, "mysql://ann@db/asterisk", tmp_path / "password")

    assert address.password == " p@ss word "
    assert "p@ss" not in repr(address) + str(address)
    with pytest.raises(SettingsError, match="missing: the password cannot be read"):
        found(file, "mysql://ann@db/asterisk", tmp_path / "missing")
    (tmp_path / "password").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="password: the password is not UTF-8"):
        found(file, "mysql://ann@db/asterisk", tmp_path / "password")


def test_the_name_of_the_pbx_is_host_database_and_table_and_no_password(file: Path) -> None:
    file.write_text("mysql://ann:s3cret@db/asterisk")
    options = Options(file=file, table="logs.queue_log")

    assert options.mapper(Intake(), Remembered()).identity.source == "//db/asterisk/logs.queue_log"
    file.write_text(f"mysql://ann:s3cret@{'d' * 260}/asterisk")
    with pytest.raises(SettingsError, match="--source-name"):
        options.mapper(Intake(), Remembered())
