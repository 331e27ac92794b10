"""The file with the keys of customers' digests: each mistake is named by its line, and nothing of it is quoted."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from stream.app.demo import running_demo
from stream.app.service import Service
from stream.cli.options import now
from stream.core.identity import NO_SECRET, CustomerKeys
from stream.errors import SettingsError
from stream.security.customer_keys import read_customer_keys
from stream.settings import settings_from
from tests.running import settings_of_a_test, until

FIRST, SECOND = "5ec4e7" * 8, "a1b2c3" * 8

Written = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str) -> Path:
        file = tmp_path / "customer.keys"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def digests(keys: CustomerKeys) -> tuple[int, ...]:
    """What a customer is known by: first what is written, then what is found again."""
    return keys.digest("acme", "c-1"), *keys.older("acme", "c-1")


def test_without_a_file_there_is_no_secret() -> None:
    assert settings_from({}).customer_key_file is None
    assert read_customer_keys(None) is NO_SECRET


def test_keys_are_read_in_the_order_of_their_lines(written: Written) -> None:
    [first] = digests(read_customer_keys(written(FIRST)))
    [second] = digests(read_customer_keys(written(SECOND)))

    assert digests(read_customer_keys(written(f"{FIRST}\n{SECOND}\n"))) == (first, second)
    assert digests(read_customer_keys(written(f"{SECOND}\n{FIRST}\n"))) == (second, first)


def test_a_key_makes_the_same_digests_in_every_version(written: Written) -> None:
    assert digests(read_customer_keys(written(FIRST))) == (631385334047082561,)


@pytest.mark.parametrize("text", ["{}\n", "{}\r\n", "\n# made in 2026\n\n  {}  \n\n# {}\n"])
def test_blank_lines_comments_and_ends_of_lines_change_no_digest(written: Written, text: str) -> None:
    expected = digests(read_customer_keys(written(FIRST)))

    assert digests(read_customer_keys(written(text.format(FIRST, SECOND)))) == expected


def test_a_key_may_be_as_long_as_one_likes_and_counts_to_its_end(written: Written) -> None:
    long = FIRST * 10

    assert digests(read_customer_keys(written(f"{long}1"))) != digests(read_customer_keys(written(f"{long}2")))


def test_what_was_kept_without_a_secret_is_found_again_where_the_file_says_so(written: Written) -> None:
    keys = read_customer_keys(written(f"{FIRST}\nno-secret\n"))

    assert keys.older("acme", "c-1") == digests(NO_SECRET)
    assert keys.secret
    assert not read_customer_keys(written(f"no-secret\n{FIRST}\n")).secret


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("", [" is empty"]),
        ("# none yet\n", [" has no key in it; make one with: openssl rand -hex 32"]),
        ("5ec4e75ec4e7", [", line 1: a key has at least 32 characters; make one with: openssl rand -hex 32"]),
        (f"{FIRST}\n\n{FIRST}", [", line 3: the same key as in line 1"]),
        (f"\ufeff{FIRST}", [", line 1: a key is made of ASCII characters"]),
        (
            f"{FIRST[:31]}\n{SECOND}\n{FIRST}é",
            [
                ", line 1: a key has at least 32 characters; make one with: openssl rand -hex 32",
                ", line 3: a key is made of ASCII characters",
            ],
        ),
    ],
)
def test_every_mistake_is_named_by_variable_file_and_line(written: Written, text: str, mistakes: list[str]) -> None:
    file = written(text)
    with pytest.raises(SettingsError) as caught:
        read_customer_keys(file)

    beginning = f"CONTACT_STREAM_CUSTOMER_KEY_FILE: {file}"
    assert str(caught.value).splitlines() == [f"{beginning}{mistake}" for mistake in mistakes]
    assert "5ec4e7" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^CONTACT_STREAM_CUSTOMER_KEY_FILE: .*missing cannot be read: No such"):
        read_customer_keys(tmp_path / "missing")


def test_a_key_in_the_environment_is_refused_without_being_quoted() -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from({"CONTACT_STREAM_CUSTOMER_KEY": FIRST})

    said = "CONTACT_STREAM_CUSTOMER_KEY is no setting; did you mean CONTACT_STREAM_CUSTOMER_KEY_FILE?"
    assert str(caught.value) == said


async def warnings_at_start(caplog: pytest.LogCaptureFixture, file: Path | None) -> list[str]:
    """Open the pages of a worker, which needs no broker for that, and return what it warns of."""
    service = Service(settings_of_a_test(customer_key_file=file), brokers="127.0.0.1:1")
    running = asyncio.create_task(service.run())
    await until(lambda: "No broker yet" in caplog.text)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return [one.getMessage() for one in caplog.records if one.name == "stream.app.service" and one.levelname != "INFO"]


async def test_a_worker_without_keys_warns_once_when_it_starts(caplog: pytest.LogCaptureFixture) -> None:
    [said] = await warnings_at_start(caplog, None)

    assert said.startswith("CONTACT_STREAM_CUSTOMER_KEY_FILE is not set")


async def test_a_worker_with_keys_says_nothing_of_them(caplog: pytest.LogCaptureFixture, written: Written) -> None:
    caplog.set_level("DEBUG")

    assert await warnings_at_start(caplog, written(FIRST)) == []
    assert "5ec4e7" not in caplog.text


def test_a_worker_does_not_start_with_keys_that_are_none(written: Written) -> None:
    with pytest.raises(SettingsError, match="line 1"):
        Service(settings_of_a_test(customer_key_file=written("short")), brokers="127.0.0.1:1")


async def test_the_demo_makes_a_key_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    async with running_demo(settings_of_a_test(), seed=1, speed=1, clock=now):
        pass

    assert "CUSTOMER_KEY" not in caplog.text


async def test_the_demo_reads_a_file_that_is_set(written: Written) -> None:
    settings = replace(settings_of_a_test(), customer_key_file=written("short"))
    with pytest.raises(SettingsError, match="line 1"):
        async with running_demo(settings, seed=1, speed=1, clock=now):
            pytest.fail("it must not start")
