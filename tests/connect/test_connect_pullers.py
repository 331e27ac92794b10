"""`contact-stream connect` for what is listened to or asked: the file is written, and one connection is tried."""

import shlex
import tomllib
from pathlib import Path

from tests.connect.commands import connected
from tests.sources.freeswitch.switch import Session, switch
from tests.sources.manager_messages import WELCOME, serving

PASSWORD = "pa55word"
REFUSED = b"Asterisk Call Manager/7.0.3\r\nResponse: Error\r\nActionID: login\r\nMessage: Authentication failed\r\n\r\n"


async def connect(folder: Path, *arguments: str, stdin: str = f"{PASSWORD}\n") -> tuple[int | None, str]:
    return await connected(folder, *arguments, "--wait", "0", stdin=stdin)


def ami(port: int, *more: str) -> list[str]:
    flags = ["--name", "berlin", "--host", "127.0.0.1", "--port", str(port), "--user", "board", "--secret-stdin"]
    return ["asterisk-ami", *flags, *more]


async def test_a_pbx_gets_a_file_is_heard_and_the_command_is_said(tmp_path: Path) -> None:
    async with serving(WELCOME) as pbx:
        code, said = await connect(tmp_path, *ami(pbx.port))

    assert code == 0, said
    assert "it hears berlin" in said
    assert f"contact-stream source asterisk-ami berlin.toml {shlex.join(['--metrics-port', '9110'])}" in said
    assert "ExecStart=" in said
    written = {"host": "127.0.0.1", "port": pbx.port, "user": "board", "secret_file": "berlin.secret"}
    assert tomllib.loads((tmp_path / "berlin.toml").read_text()) == {"pbx": {"berlin": written}}
    assert (tmp_path / "berlin.secret").read_text() == f"{PASSWORD}\n"
    assert (tmp_path / "berlin.secret").stat().st_mode & 0o777 == 0o600
    # A trial keeps no position.
    assert {path.name for path in tmp_path.iterdir()} == {"berlin.toml", "berlin.secret"}


async def test_a_login_that_is_refused_is_said_in_the_words_of_the_source(tmp_path: Path) -> None:
    async with serving(REFUSED) as pbx:
        code, said = await connect(tmp_path, *ami(pbx.port))

    assert code == 1
    assert "bad      connection: berlin: the login was refused; look at user and secret" in said


async def test_a_pbx_that_is_not_there_is_said(tmp_path: Path) -> None:
    code, said = await connect(tmp_path, *ami(1))

    assert code == 1
    assert "berlin: no connection" in said


async def test_a_file_that_is_there_is_used_and_never_written_over(tmp_path: Path) -> None:
    async with serving(WELCOME) as pbx:
        file = pbx.write_file(tmp_path)
        before = file.read_text()
        code, said = await connect(tmp_path, "asterisk-ami", "--file", file.name)
        refused, why = await connect(tmp_path, *ami(pbx.port), "--file", file.name)

    assert code == 0, said
    assert "pbx.toml is there, and used as it is" in said
    assert (refused, "pbx.toml is there already: take another --file, or --replace it" in why) == (1, True)
    assert file.read_text() == before


async def test_what_is_missing_is_named_by_its_flag_and_nothing_is_asked_or_written(tmp_path: Path) -> None:
    code, said = await connect(tmp_path, "asterisk-ami", "--user", "board", stdin="")
    other, why = await connect(tmp_path, "asterisk-queue-log-database", "--user", "board", "--secret-stdin")

    assert code == other == 1
    assert "--host is missing: Where its manager interface listens." in said
    assert "--dialect is missing: mysql, of MariaDB too, or postgresql." in why
    assert [*tmp_path.iterdir()] == []


async def test_a_switch_needs_no_file_but_that_of_its_password(tmp_path: Path) -> None:
    (tmp_path / "freeswitch.secret").write_text("secret\n")
    async with switch(Session(said=b"", stays=True)) as port:
        flags = ("--port", str(port), "--source-name", "/fs")
        code, said = await connect(tmp_path, "freeswitch", *flags)

    assert code == 0, said
    assert "it hears /fs" in said
    assert "chmod 600 freeswitch.secret" in said
    assert f"source freeswitch --port {port} --password-file freeswitch.secret --source-name /fs" in said


async def test_a_database_gets_an_address_without_the_password(tmp_path: Path) -> None:
    flags = (
        "--dialect",
        "mysql",
        "--host",
        "127.0.0.1:1",
        "--database",
        "asterisk",
        "--user",
        "board",
        "--secret-stdin",
    )
    code, said = await connect(tmp_path, "asterisk-queue-log-database", *flags)

    assert code == 1
    assert "bad      connection" in said
    address = tmp_path / "asterisk-queue-log-database.address"
    assert address.read_text() == "mysql://board@127.0.0.1:1/asterisk\n"


async def test_what_only_reads_files_is_not_connected(tmp_path: Path) -> None:
    code, said = await connect(tmp_path, "jsonl")

    assert code == 2
    assert "contact-stream source jsonl FILE" in said


async def test_a_refusal_quotes_nothing_of_the_secret(tmp_path: Path) -> None:
    code, said = await connect(tmp_path, *ami(1), stdin="\n")

    assert code == 1
    assert "a secret is one line, and not empty" in said
    assert [*tmp_path.iterdir()] == []
