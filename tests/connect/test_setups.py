"""The test request of every source is one that its webhook takes, and that tells nothing, whoever wrote the source."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from stream.cli.source_options import secrets_of
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.registry import SOURCES
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, signed_request, verifier_of
from stream.sources.source import Source
from tests.sources.contract.caller import SECRET, URL, secret_file
from tests.sources.contract.callers import CALLERS
from tests.sources.new_sources import BEGIN

TRIED = [name for name, source in SOURCES.items() if source.setup.empty_request]


def kinds_of(source: Source) -> Sequence[type[Struct]]:
    return [source.options, *([source.setup.file.asks] if source.setup.file else [])]


@pytest.mark.parametrize("name", TRIED)
def test_a_test_request_is_taken_and_tells_nothing(name: str, tmp_path: Path) -> None:
    caller = CALLERS[name]
    make = caller.source.setup.empty_request
    assert make is not None
    assert caller.source.webhook is not None
    aside: list[BadLine] = []
    options = caller.options(tmp_path)
    webhook = caller.source.webhook(options, Intake(aside.append))
    request = make(options, SECRET, URL, BEGIN)

    assert webhook.verified(request)
    assert [*webhook.events(request)] == []
    assert aside == []
    assert not webhook.verified(make(options, "guessed", URL, BEGIN))
    assert secrets_of(caller.source.options)


@pytest.mark.parametrize("source", [each for each in SOURCES.values() if each.webhook], ids=lambda each: each.name)
def test_steps_name_the_address_and_the_file_of_the_secret(source: Source) -> None:
    steps = source.setup.steps

    assert not steps or "{url}" in steps
    assert not steps or source.setup.secret_of_system or "{secret_file}" in steps


@pytest.mark.parametrize("source", [each for each in SOURCES.values() if each.setup.file], ids=lambda each: each.name)
def test_what_is_asked_for_a_file_is_described(source: Source) -> None:
    assert source.setup.file is not None
    for field in msgspec.structs.fields(source.setup.file.asks):
        if field.required:
            assert any(isinstance(part, msgspec.Meta) and part.description for part in field.type.__metadata__)


METHODS = [
    VerifyTable(method="key", header="X-Key", prefix="Bearer "),
    VerifyTable(method="password"),
    VerifyTable(method="parameter", parameter="key"),
    VerifyTable(method="hmac-sha1", header="X-Signature", encoding="base64"),
    VerifyTable(method="hmac-sha256", header="X-Signature", prefix="v1="),
    VerifyTable(
        method="hmac-sha512", header="X-Signature", signed="{timestamp}.{body}.v2", timestamp_header="X-Timestamp"
    ),
]


@pytest.mark.parametrize("table", METHODS, ids=lambda table: table.method)
def test_what_is_signed_by_a_table_is_verified_by_it(table: VerifyTable, tmp_path: Path) -> None:
    secret = "a secret & more: 1+1=2"
    (tmp_path / "secret").write_text(secret)
    is_verified = verifier_of(table, SecretLines(tmp_path / "secret"))

    assert is_verified(signed_request(table, secret, URL, BEGIN, b"body"))
    assert is_verified(signed_request(table, secret, f"{URL}?a=1", BEGIN, b"body"))
    assert not is_verified(signed_request(table, "another", URL, BEGIN, b"body"))


def test_the_secret_of_a_file_is_that_of_the_tests(tmp_path: Path) -> None:
    assert SecretLines(secret_file(tmp_path)).all() == (SECRET,)
