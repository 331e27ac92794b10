"""Systems that call the gateway in a language of their own: a webhook for each, from a file."""

import asyncio
import hashlib
import hmac
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import msgspec
import pytest
from msgspec import Meta, Struct

from stream.core.cloudevents import Event, encode
from stream.errors import SettingsError
from stream.families.registry import DECODER
from stream.gateway import webhook_file
from stream.gateway.spool import Spool
from stream.gateway.webhook_file import webhooks_of
from stream.runtime.routing.dead_letter_reader import read_letters
from stream.sdk.encoding import EncodedEvent
from stream.security import watched_file
from stream.sources.intake import Intake
from stream.sources.registry import SOURCES
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.source import Received, Reply, Source
from tests.gateway.posting import Posts, an_event, arrived, figures, running_gateway
from tests.house.tree import ROOT
from tests.sources.new_sources import BEGIN, DESK, Desk, DeskOptions


class ReceptionOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a reception."""

    tenant: Annotated[str, Meta(description="Whose it is.", min_length=1)] = "default"
    key_file: Annotated[Path, Meta(description="A key in each line.")]


class Reception(Desk):
    """As a desk; it signs the address, too, shows a key, and wants a body in the answer."""

    def __init__(self, options: ReceptionOptions, intake: Intake) -> None:
        super().__init__(intake)
        self._keys = SecretLines(options.key_file)

    def verified(self, request: Received) -> bool:
        signed = hmac.new(b"secret", request.url.encode(), hashlib.sha256).hexdigest()
        return self._keys.match(request.headers.get("x-key", "")) and hmac.compare_digest(
            signed, request.headers.get("x-signature", "")
        )

    def reply(self, request: Received, status: int) -> Reply:
        return Reply(200 if status == 204 else status, msgspec.json.encode({"bytes": len(request.body)}))


class Stumbling(Desk):
    """A webhook with a defect: it ends in the middle of a request that it has set something aside of."""

    def events(self, request: Received) -> Iterator[Event]:
        yield from super().events(request)
        if request.body == b"stumble":
            raise RuntimeError


STUMBLING = Source(
    name="stumbling", about="Stumbles.", options=DeskOptions, webhook=lambda _, intake: Stumbling(intake)
)
RECEPTION = Source(name="reception", about="Signs addresses.", options=ReceptionOptions, webhook=Reception)


@pytest.fixture(autouse=True)
def _further_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        webhook_file, "SOURCES", {**SOURCES, DESK.name: DESK, RECEPTION.name: RECEPTION, "stumbling": STUMBLING}
    )
    monkeypatch.setattr(watched_file, "CHECKED_EVERY_SECONDS", 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text("first\nsecond\n")
    path = tmp_path / "webhooks.toml"
    path.write_text('[webhooks.front]\nsource = "desk"\n[webhooks.lobby]\nsource = "reception"\nkey_file = "key"\n')
    return path


def signature(of: bytes) -> str:
    return hmac.new(b"secret", of, hashlib.sha256).hexdigest()


async def test_a_signed_request_is_on_the_broker_when_it_is_answered(declared: str, file: Path) -> None:
    body = b'{"call": "ann"}'
    async with running_gateway(declared, gateway_webhooks=file) as posts:
        taken, _, _ = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        again, _, _ = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        shown = await figures(posts)

    assert (taken, again) == (204, 204)
    assert {event.id for event in await arrived(declared, "default")} == {"enqueued-ann"}
    assert shown["contact_gateway_events_accepted_total", (("source", "front"),)] == 2
    assert shown["contact_source_events_total", (("source", "front"),)] == 2
    assert shown["contact_source_newest_event_timestamp_seconds", (("source", "front"),)] == BEGIN.timestamp()
    assert shown["contact_source_inputs_total", (("kind", "call"), ("outcome", "used"), ("source", "front"))] == 2


async def test_what_is_of_no_use_is_a_dead_letter_without_its_content(declared: str, file: Path) -> None:
    body = b'{"phone": "+38640000001"}'
    async with running_gateway(declared, gateway_webhooks=file) as posts:
        status, _, _ = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        shown = await figures(posts)
    [letter] = [one async for one in read_letters([declared]) if one.reason == "not_json"]

    assert status == 204
    assert letter.place.startswith("/v1/webhooks/front/gateway/")
    assert letter.error == "the body tells of no call"
    assert not letter.value
    assert shown["contact_gateway_set_aside_total", (("reason", "not_json"),)] == 1

    show = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream", "dead-letters", "--broker", declared, "--show", letter.place),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    content, told = await show.communicate()

    assert (content, show.returncode) == (b"", 0)
    assert b"without its content" in told


async def test_of_ten_thousand_parts_of_no_use_a_hundred_have_letters(declared: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    (tmp_path / "hooks.toml").write_text('[webhooks.flood]\nsource = "genesys-cloud"\nkey_file = "key"')
    settings: dict[str, Any] = {"gateway_webhooks": tmp_path / "hooks.toml"}
    body = msgspec.json.encode(list(range(10_000)))
    async with running_gateway(declared, **settings) as posts:
        for _ in range(2):
            status, _, _ = await posts.raw("/v1/webhooks/flood", body, {"X-API-Key": "secret"})
            assert status == 204
        shown = await figures(posts)
    letters = [one async for one in read_letters([declared]) if one.place.startswith("/v1/webhooks/flood/")]

    # Sent again it has the same letters, in the same places.
    assert Counter(Counter(letter.place for letter in letters).values()) == {2: 101}
    assert Counter(letter.reason for letter in letters) == {"not_an_object": 200, "too_many": 2}
    assert letters[100].error == "9900 more parts of this request are of no use"
    assert shown["contact_gateway_set_aside_total", (("reason", "not_an_object"),)] == 20_000
    assert ("contact_gateway_set_aside_total", (("reason", "too_many"),)) not in shown


@pytest.mark.parametrize("path", ["front/", "front/x", "back", "..%2Fevents", "%66ront%00", "FRONT"])
async def test_another_path_gets_to_no_webhook(file: Path, path: str) -> None:
    async with running_gateway(gateway_webhooks=file) as posts:
        status, _, _ = await posts.raw(f"/v1/webhooks/{path}", b"{}", {})

    assert status == 404


async def test_a_request_that_nobody_signed_is_refused_without_a_reason_and_counted(file: Path) -> None:
    async with running_gateway(gateway_webhooks=file) as posts:
        status, body, _ = await posts.raw("/v1/webhooks/front", b'{"call": "ann"}', {"X-Signature": "guessed"})
        shown = await figures(posts)

    unsigned = (("kind", "not_verified"), ("outcome", "refused"), ("source", "front"))
    assert (status, body) == (401, b"")
    assert shown["contact_source_inputs_total", unsigned] == 1


async def test_while_neither_broker_nor_spool_takes_it_the_sender_is_to_try_again(file: Path) -> None:
    body = b'{"call": "ann"}'
    async with running_gateway(gateway_webhooks=file, patience=0.2) as posts:
        status, _, headers = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})

    assert status == 503
    assert int(headers["Retry-After"]) > 0


async def test_the_spool_takes_it_while_the_broker_is_away(file: Path, tmp_path: Path) -> None:
    body = b'{"call": "ann"}'
    async with running_gateway(gateway_webhooks=file, patience=0.2, gateway_spool=tmp_path / "spool") as posts:
        status, _, _ = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        shown = await figures(posts)

    assert status == 204
    assert shown["contact_gateway_spool_events", ()] == 1


def spooled(file: Path) -> dict[str, Any]:
    """Say that what is of no use, as all that the lobby sends is, has a place to go."""
    return {"gateway_spool": file.with_name("spool"), "patience": 0.1}


async def lobby(posts: Posts, url: str, key: str) -> tuple[int, bytes]:
    headers = {"X-Signature": signature(url.encode()), "X-Key": key}
    status, body, _ = await posts.raw("/v1/webhooks/lobby?a=%20b", b"[]", headers)
    return status, body


async def test_the_address_that_is_signed_is_the_one_that_was_called(file: Path) -> None:
    async with running_gateway(gateway_webhooks=file, **spooled(file)) as posts:
        assert await lobby(posts, f"{posts.address}/v1/webhooks/lobby?a=%20b", "first") == (200, b'{"bytes":2}')
        assert (await lobby(posts, f"{posts.address}/v1/webhooks/lobby", "first"))[0] == 401


async def test_behind_a_proxy_it_is_that_of_the_setting(file: Path) -> None:
    public = "https://calls.example.org/in/"
    async with running_gateway(gateway_webhooks=file, gateway_public_url=public, **spooled(file)) as posts:
        assert (await lobby(posts, f"{public}v1/webhooks/lobby?a=%20b", "first"))[0] == 200
        assert (await lobby(posts, f"{posts.address}/v1/webhooks/lobby?a=%20b", "first"))[0] == 401


async def test_a_secret_is_replaced_while_the_gateway_runs(file: Path) -> None:
    async with running_gateway(gateway_webhooks=file, **spooled(file)) as posts:
        url = f"{posts.address}/v1/webhooks/lobby?a=%20b"
        assert [(await lobby(posts, url, key))[0] for key in ("first", "second", "third")] == [200, 200, 401]
        (file.parent / "new").write_text("second\nthird")
        (file.parent / "new").replace(file.parent / "key")
        assert [(await lobby(posts, url, key))[0] for key in ("first", "second", "third")] == [401, 200, 200]
        (file.parent / "key").write_text("")
        assert [(await lobby(posts, url, key))[0] for key in ("first", "second", "")] == [401, 200, 401]


async def test_who_only_asks_for_an_address_is_told_whether_it_is_there_and_nothing_of_its_secret(file: Path) -> None:
    right = hmac.new(b"secret", b"", hashlib.sha256).hexdigest()
    async with running_gateway(gateway_webhooks=file) as posts, aiohttp.ClientSession() as session:

        async def asked(path: str, **headers: str) -> tuple[int, bytes]:
            async with session.head(f"{posts.address}/v1/webhooks/{path}", headers=headers) as answer:
                return answer.status, await answer.read()

        answers = [await asked("front"), await asked("front", **{"X-Signature": right})]
        answers += [await asked("front?token=wrong"), await asked("lobby", **{"X-Key": "third"})]
        nowhere, crowded = await asked("nobody"), await asked("front", X="x" * 16_384)
        kept = await posts.raw("/v1/webhooks/front", b"", {"X-Signature": signature(b"other")})
        shown = await figures(posts)

    assert answers == [(200, b"")] * 4
    assert (nowhere, crowded) == ((404, b""), (431, b""))
    # The connection is still in step: the next request gets its own answer.
    assert kept[0] == 401
    refused = (("kind", "not_verified"), ("outcome", "refused"), ("source", "front"))
    assert shown["contact_source_inputs_total", refused] == 1


BROKEN = [
    ("webhooks = 1", "webhooks"),
    ("[webhooks.a]\nsource = 1", r"webhooks\.a\.source: name one of the sources that take webhooks: .*desk"),
    ('[webhooks.a]\nsource = "jsonl"', r"webhooks\.a\.source: name one of"),
    ('[webhooks."a b"]\nsource = "desk"', "matching regex"),
    ('[webhooks.a]\nsource = "desk"\ncolour = "red"', r"webhooks\.a: desk has no option colour"),
    ('[webhooks.a]\nsource = "reception"', r"webhooks\.a: .*key_file"),
    ('[webhooks.a]\nsource = "reception"\nkey_file = "none"', r"webhooks\.a: .*none cannot be read"),
    ('[webhooks.a]\nsource = "reception"\nkey_file = "key"\ntenant = ""', r"webhooks\.a: .*tenant"),
    (
        '[webhooks.a]\nsource = "reception"\nkey_file = 7',
        r"webhooks\.a: Expected the path of a file - at `\$\.key_file`",
    ),
    ("[webhooks", "Expected"),
]


@pytest.mark.parametrize(("text", "told"), BROKEN, ids=[text[:40] for text, _ in BROKEN])
def test_a_file_that_is_none_is_refused_at_the_start_with_its_place(file: Path, text: str, told: str) -> None:
    file.write_text(text)

    with pytest.raises(SettingsError, match=told) as refused:
        webhooks_of(file)
    assert str(file) in str(refused.value)


async def test_json_that_is_nested_too_deeply_reaches_no_parser(file: Path) -> None:
    body = b'{"call":' + b"[" * 100_000
    headers = {"X-Signature": signature(body), "Content-Type": "application/json"}
    async with running_gateway(gateway_webhooks=file) as posts:
        status, _, _ = await posts.raw("/v1/webhooks/front", body, headers)

    assert status == 400


async def test_a_dry_run_says_where_to_post_prints_what_that_tells_and_needs_no_broker(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a key")
    (tmp_path / "hooks.toml").write_text('[webhooks.calls]\nsource = "amazon-connect"\nkey_file = "key"')
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream", "gateway", "--port", "0", "--dry-run"),
        *("--webhooks", str(tmp_path / "hooks.toml")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert run.stdout is not None
    assert run.stderr is not None
    while not (found := re.search(r"(http://\S+)/v1", (await run.stderr.readline()).decode())):
        pass
    async with aiohttp.ClientSession() as session:
        status, answer = await Posts(found[1], session)(encode(an_event("ann")))
        line = await run.stdout.readline()
    run.terminate()
    _, log = await run.communicate()

    assert f"{found[1]}/v1/webhooks/calls" in log.decode()
    assert "SPOOL" not in log.decode()
    assert (status, answer["accepted"]) == (202, 1)
    assert DECODER.decode(line) == an_event("ann")
    assert run.returncode == 0


async def test_what_a_request_that_broke_off_had_set_aside_is_not_told_of_the_next(file: Path) -> None:
    file.write_text('[webhooks.front]\nsource = "stumbling"\n')
    async with running_gateway(gateway_webhooks=file, **spooled(file)) as posts:
        for body, expected in ((b"stumble", 500), (b'{"call": "ann"}', 204)):
            # What breaks off ends its connection, too.
            headers = {"X-Signature": signature(body), "Connection": "close"}
            status, _, _ = await posts.raw("/v1/webhooks/front", body, headers)
            assert status == expected
        shown = await figures(posts)

    assert shown["contact_gateway_spool_events", ()] == 1
    assert ("contact_gateway_set_aside_total", (("reason", "not_json"),)) not in shown


async def test_an_answer_waits_until_the_disk_has_the_events(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, may_write, append = asyncio.Event(), asyncio.Event(), Spool.append

    async def waiting(spool: Spool, events: Sequence[EncodedEvent]) -> None:
        asked.set()
        await may_write.wait()
        await append(spool, events)

    monkeypatch.setattr(Spool, "append", waiting)
    body = b'{"call": "ann"}'
    async with running_gateway(gateway_webhooks=file, **spooled(file)) as posts:
        post = asyncio.create_task(posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)}))
        await asked.wait()
        done, _ = await asyncio.wait([post], timeout=0.3)  # an answer that did not wait would be there by then
        assert not done
        may_write.set()
        assert (await post)[0] == 204


async def test_a_webhook_that_is_added_is_served_without_a_restart_and_the_others_go_on_counting(file: Path) -> None:
    body = b'{"call": "ann"}'
    async with running_gateway(gateway_webhooks=file, **spooled(file)) as posts:
        before, _, _ = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        file.write_text(file.read_text() + '[webhooks.back]\nsource = "desk"\n')
        added, _, _ = await posts.raw("/v1/webhooks/back", body, {"X-Signature": signature(body)})
        again, _, _ = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        shown = await figures(posts)

    assert (before, added, again) == (204, 204, 204)
    assert shown["contact_source_inputs_total", (("kind", "call"), ("outcome", "used"), ("source", "front"))] == 2
    assert shown["contact_source_events_total", (("source", "back"),)] == 1


async def test_a_file_at_fault_changes_nothing_and_one_that_was_mended_counts_on(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = b'{"call": "ann"}'
    good = file.read_text()
    async with running_gateway(gateway_webhooks=file, **spooled(file)) as posts:
        await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        file.write_text(good.replace('"desk"', '"dusk"'))
        kept, _, _ = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        file.write_text(good.replace("front", "porch"))
        gone, _, _ = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        file.write_text(good)
        back, _, _ = await posts.raw("/v1/webhooks/front", body, {"X-Signature": signature(body)})
        shown = await figures(posts)

    assert (kept, gone, back) == (204, 404, 204)
    assert shown["contact_source_events_total", (("source", "front"),)] == 3
    assert "webhooks.front.source: name one of the sources that take webhooks" in caplog.text
