"""What is too large, too deep, too slow or no HTTP at all: refused, with memory flat, and the gateway goes on."""

import asyncio
import gzip
import resource
import ssl
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from stream.core.cloudevents import encode
from stream.gateway import application, requests, server
from stream.gateway.body import MAX_BODY_BYTES
from stream.gateway.messages import MAX_BATCH, MAX_DEPTH, _too_deep
from stream.gateway.requests import MAX_HEAD_BYTES
from tests.gateway.posting import Posts, an_event, running_gateway
from tests.security.certificates import Certificates

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1024 * 1024
ZEROES = bytes(MIB)


def peak() -> int:
    """The most memory this process has had, the gateway's with it, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def gzip_bomb() -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return b"".join([*(packer.compress(ZEROES) for _ in range(300)), packer.flush()])


def zstd_bomb() -> bytes:
    packer = zstd.ZstdCompressor()
    return b"".join([*(packer.compress(ZEROES) for _ in range(300)), packer.flush()])


@pytest.mark.parametrize(("encoding", "bomb"), [("gzip", gzip_bomb), ("zstd", zstd_bomb)])
async def test_a_bomb_is_not_unpacked(encoding: str, bomb: Callable[[], bytes]) -> None:
    body = bomb()
    assert len(body) < MAX_BODY_BYTES
    async with running_gateway() as posts:
        before = peak()
        status, answer = await posts(body, "batch", content_encoding=encoding)

        assert (status, answer["reason"]) == (413, "too_large")
        assert peak() - before < 64 * MIB


def with_a_window_of(log: int) -> bytes:
    options = {zstd.CompressionParameter.window_log.value: log, zstd.CompressionParameter.compression_level.value: 1}
    packer = zstd.ZstdCompressor(options=options)
    return packer.compress(b"[]") + packer.flush()


async def test_a_frame_that_asks_for_a_huge_window_does_not_get_it() -> None:
    async with running_gateway() as posts:
        assert (await posts(with_a_window_of(23), "batch", content_encoding="zstd"))[0] == 202
        assert (await posts(with_a_window_of(27), "batch", content_encoding="zstd"))[0] == 400


async def test_a_hundred_megabytes_are_refused_without_being_kept() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield ZEROES

    async with running_gateway() as posts:
        before = peak()
        # The connection may be closed while the client still sends.
        with suppress(aiohttp.ClientOSError):
            assert (await posts(endless()))[0] == 413
        assert peak() - before < 64 * MIB
        assert (await posts.get("/healthz"))[0] == 200


async def test_what_all_bodies_together_may_take_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "BODIES_BYTES", 1000)
    async with running_gateway() as posts:
        status, answer = await posts(b"[" + b" " * 2000 + b"]", "batch")
        assert (status, answer["reason"], answer["retry_after"]) == (429, "busy", "1")
        # And the room is given back.
        assert [(await posts(b"[]".ljust(900), "batch"))[0] for _ in range(3)] == [202] * 3


@pytest.mark.parametrize("mode", ["structured", "batch", "binary"])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1000, 500_000])
async def test_deep_nesting_is_refused(mode: str, depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    body = {"structured": b'{"data":' + nested + b"}", "batch": b'[{"x":' + nested + b"}]", "binary": nested}[mode]
    headers = {"ce_specversion": "1.0"} if mode == "binary" else {}
    async with running_gateway() as posts:
        assert (await posts(body, mode, **headers))[0] in {400, 422}


def test_brackets_within_a_text_are_no_nesting() -> None:
    text = b'{"a":"' + b'[{\\"' * 200 + b'","b":[1]}'
    assert not _too_deep(text)
    assert _too_deep(text[:-2] + b"," + b"[" * 40 + b"]" * 40 + b"]}")


def test_a_text_without_an_end_is_read_once() -> None:
    # Quadratic, this would take hours; the limit of a test is two minutes.
    assert not _too_deep(b'"' + b'\\"' * 3_000_000 + b"[" * 40)
    assert _too_deep(b"[" * 40 + b'\\"' * 3_000_000)


async def test_too_many_events_are_refused() -> None:
    async with running_gateway() as posts:
        status, answer = await posts(b"[" + b"0," * MAX_BATCH + b"0]", "batch")
        assert (status, answer["reason"]) == (413, "too_many")


GZIPPED = gzip.compress(b"[]", mtime=0)
BROKEN_PACKED = [
    (b"", "gzip"),
    (GZIPPED[:-3], "gzip"),
    (GZIPPED + b"more", "gzip"),
    (b"[]", "gzip"),
    (b"[]", "zstd"),
    (zstd.compress(b"[]")[:-3], "zstd"),
    (zstd.compress(b"[]") + b"more", "zstd"),
]


@pytest.mark.parametrize(("body", "encoding"), BROKEN_PACKED)
async def test_a_body_that_is_not_packed_as_it_says_is_refused(body: bytes, encoding: str) -> None:
    async with running_gateway() as posts:
        status, answer = await posts(body, "batch", content_encoding=encoding)
        assert (status, answer["reason"]) == (400, "broken_body")


@pytest.mark.parametrize(
    ("body", "mode", "headers", "status"),
    [
        (b"[]", "batch", {"content_encoding": "br"}, 415),
        (b"[]", "batch", {"content_encoding": "gzip, gzip"}, 415),
        (b"{}", "text/plain", {}, 415),
        (b"{}", "application/json", {}, 415),
        (b"{}", "text/xml", {"ce_specversion": "1.0"}, 415),
        (b"{", "batch", {}, 400),
        (b"{}", "batch", {}, 400),
        (b"\xff", "batch", {}, 400),
        (b"", "batch", {}, 400),
        (b"", "structured", {}, 422),
        (b"\xff", "structured", {}, 422),
        (b'"}', "binary", {"ce_specversion": "1.0"}, 400),
        (b"{}", "binary", {"ce_specversion": "%C0%A0"}, 400),
        (b"{}", "binary", {"ce_specversion": "1.0", "ce_data": "x"}, 400),
    ],
)
async def test_what_is_no_request_of_ours_is_refused(
    body: bytes, mode: str, headers: dict[str, str], status: int
) -> None:
    async with running_gateway() as posts:
        assert (await posts(body, mode, **headers))[0] == status


async def test_oversized_headers_are_refused() -> None:
    async with running_gateway() as posts:
        assert (await posts(b"[]", "batch", x=("x" * MAX_HEAD_BYTES)))[0] == 431
        assert (await posts(b"[]", "batch", **{f"x{number}": "1" for number in range(100)}))[0] == 431


async def test_a_header_without_an_end_is_not_waited_for() -> None:
    async with running_gateway() as posts:
        reader, writer = await connected(posts)
        writer.write(b"POST /v1/events HTTP/1.1\r\nX: ")
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"x" * 10_000)
                await writer.drain()
        writer.close()


CHUNKED = (
    b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/cloudevents-batch+json\r\n"
    b"Transfer-Encoding: chunked\r\n"
)


async def test_what_stands_behind_a_body_is_bounded_as_the_head_is() -> None:
    async with running_gateway() as posts:
        reader, writer = await connected(posts)
        writer.write(CHUNKED + b"Expect: 100-continue\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"  # the body is being read
        writer.write(b"2\r\n[]\r\n0\r\n")
        sent = 0
        with suppress(ConnectionError):
            while not reader.at_eof() and sent < 20 * MIB:
                writer.write(b"X: " + b"x" * 10_000 + b"\r\n")
                await writer.drain()
                sent += 10_000
        writer.close()

    # The buffers of two sockets are between them and us.
    assert sent < 20 * MIB


async def test_what_stands_behind_a_body_is_no_header() -> None:
    async with running_gateway() as posts, asyncio.timeout(10):
        reader, writer = await connected(posts)
        writer.write(CHUNKED + b"\r\n2\r\n[]\r\n0\r\nContent-Encoding: unknown\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 202 Accepted\r\n"
        writer.close()


async def connected(posts: Posts) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = posts.address.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


@pytest.mark.parametrize("begin", [b"", b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"])
async def test_who_does_not_finish_the_head_of_a_request_is_cut_off(
    begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    async with running_gateway() as posts, asyncio.timeout(10):
        reader, writer = await connected(posts)
        writer.write(begin)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(
    ("asked", "behind"),
    [
        (b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", b"["),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n"),
    ],
)
async def test_who_sends_next_to_nothing_after_an_answer_is_cut_off(
    asked: bytes, behind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    async with running_gateway() as posts, asyncio.timeout(10):
        reader, writer = await connected(posts)
        writer.write(asked)
        assert (await reader.readline()).startswith(b"HTTP/1.1 ")
        writer.write(behind)
        with suppress(ConnectionError):
            await reader.read()
        writer.close()


async def test_who_does_not_finish_a_body_is_told_and_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.2)
    async with running_gateway() as posts, asyncio.timeout(10):
        reader, writer = await connected(posts)
        writer.write(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[")
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_who_goes_away_in_the_middle_of_a_body_holds_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "BODIES_BYTES", 1000)
    async with running_gateway() as posts:
        for _ in range(5):
            _, writer = await connected(posts)
            writer.write(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n" + b" " * 900)
            await writer.drain()
            writer.close()
        async with asyncio.timeout(10):
            while (await posts(b"[]".ljust(900), "batch"))[0] != 202:
                await asyncio.sleep(0.01)


async def test_a_page_from_elsewhere_gets_no_leave_to_post() -> None:
    async with running_gateway() as posts, aiohttp.ClientSession() as session:
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        async with session.options(posts.address + "/v1/events", headers=headers) as answer:
            assert answer.status == 405
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_over_tls_and_only_to_who_has_a_certificate(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    certificate, key = certificates.issue("gateway", "127.0.0.1")
    async with running_gateway(
        gateway_certificate_file=certificate, gateway_key_file=key, gateway_client_ca_file=certificates.authority
    ) as posts:
        assert posts.address.startswith("https://")
        stranger = ssl.create_default_context(cafile=certificates.authority)
        known = ssl.create_default_context(cafile=certificates.authority)
        known.load_cert_chain(*certificates.issue("pbx"))
        assert await status_over(posts, known) == 202
        with pytest.raises(aiohttp.ClientError):
            await status_over(posts, stranger)


async def status_over(posts: Posts, context: ssl.SSLContext) -> int:
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    connector = aiohttp.TCPConnector(ssl=context)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post(posts.address + "/v1/events", data=b"[]", headers=headers) as answer,
    ):
        return answer.status


async def test_a_report_is_bounded_and_quotes_nothing() -> None:
    bad = encode(an_event()).replace(b'"specversion":"1.0"', b'"specversion":"secret"')
    async with running_gateway() as posts:
        status, answer = await posts(b"[" + b",".join([bad] * 5000) + b"]", "batch")

    assert (status, answer["refused_count"], len(answer["refused"])) == (422, 5000, 100)
    assert "secret" not in str(answer)
