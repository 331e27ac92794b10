import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import ClientSession
from prometheus_client.metrics_core import Metric as ClientMetric
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as parse_text

from stream.board import files
from stream.board.broadcast import Broadcast, Frame, Viewer
from stream.board.cluster.share import ShareCodec
from stream.board.document import Document
from stream.families.registry import FAMILIES
from stream.http import server as module
from stream.http.guard import is_known, is_loopback
from stream.http.server import Listen
from tests.board.boards import a_board, a_queue
from tests.board.conftest import Worker

parse_openmetrics: Callable[[str], Iterable[ClientMetric]] = openmetrics_parser.text_string_to_metric_families
"""The library's own function has no types."""

Served = Callable[..., AbstractAsyncContextManager[str]]


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as open_session:
        yield open_session


async def event(answer: aiohttp.ClientResponse) -> tuple[str, dict[str, object]]:
    """Read one server-sent event."""
    name, data = "", ""
    while True:
        line = (await answer.content.readline()).decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            data = line.removeprefix("data: ")
        if not line and name:
            return name, json.loads(data)


async def next_of(answer: aiohttp.ClientResponse, wanted: str) -> dict[str, object]:
    async with asyncio.timeout(5):
        while True:
            name, data = await event(answer)
            if name == wanted:
                return data


# --- /metrics -----------------------------------------------------------------------------------


async def test_a_plain_client_gets_prometheus_text(served: Served, session: ClientSession) -> None:
    async with served(Worker()) as address, session.get(f"{address}/metrics") as answer:
        families = {family.name for family in parse_text(await answer.text())}

        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert {"contact_open_cases", "contact_ready", "process_cpu_seconds"} <= families


async def test_prometheus_gets_openmetrics_packed(served: Served, session: ClientSession) -> None:
    headers = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.6,*/*;q=0.2", "Accept-Encoding": "gzip"}

    async with served(Worker()) as address, session.get(f"{address}/metrics", headers=headers) as answer:
        families = list(parse_openmetrics(await answer.text()))

        assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "contact_open_cases" in {family.name for family in families}


async def test_who_takes_no_gzip_gets_none(served: Served, session: ClientSession) -> None:
    headers = {"Accept-Encoding": "gzip;q=0, identity"}

    async with served(Worker()) as address, session.get(f"{address}/metrics", headers=headers) as answer:
        assert "Content-Encoding" not in answer.headers


async def test_a_board_that_cannot_be_had_leaves_the_feed_on_the_page(
    served: Served, session: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(broken=ZeroDivisionError("board"))

    async with served(worker) as address, session.get(f"{address}/metrics") as answer:
        text = await answer.text()

    assert answer.status == 200
    assert 'contact_section_success{section="board"} 0' in text
    assert 'contact_section_success{section="feed"} 1' in text
    assert "contact_ready 1" in text
    assert "ZeroDivisionError" in caplog.text


async def test_a_feed_that_cannot_be_read_leaves_the_board_on_the_page(served: Served, session: ClientSession) -> None:
    worker = Worker()
    worker.feed.newest_event = "nonsense"  # type: ignore[assignment] # a defect of the worker

    async with served(worker) as address, session.get(f"{address}/metrics") as answer:
        text = await answer.text()

    assert 'contact_section_success{section="feed"} 0' in text
    assert "contact_open_cases{" in text


# --- health --------------------------------------------------------------------------------------


async def test_a_worker_that_flows_is_alive_and_ready(served: Served, session: ClientSession) -> None:
    async with served(Worker()) as address:
        for path, question in (("healthz", "alive"), ("readyz", "ready")):
            async with session.get(f"{address}/{path}") as answer:
                assert (answer.status, await answer.json()) == (200, {question: True, "reasons": []})


async def test_a_worker_that_recovers_is_alive_but_not_ready(served: Served, session: ClientSession) -> None:
    worker = Worker()
    worker.feed.recovery = "recovering"

    async with served(worker) as address:
        async with session.get(f"{address}/healthz") as answer:
            assert answer.status == 200
        async with session.get(f"{address}/readyz") as answer:
            assert answer.status == 503
            assert "recovering" in (await answer.json())["reasons"][0]


async def test_a_worker_that_stands_still_is_not_alive(served: Served, session: ClientSession) -> None:
    worker = Worker()
    partition = worker.feed.partitions["contacts", 0]
    partition.highwater = 10
    partition.recovered_at = partition.applied_at = worker.clock() - timedelta(minutes=5)

    async with served(worker) as address, session.get(f"{address}/healthz") as answer:
        assert answer.status == 503
        assert "10 records wait" in (await answer.json())["reasons"][0]


# --- the board -----------------------------------------------------------------------------------


async def test_board_json_is_the_board_worst_queue_first(served: Served, session: ClientSession) -> None:
    async with served(Worker()) as address, session.get(f"{address}/board.json?window=today") as answer:
        document = msgspec.json.decode(await answer.read(), type=Document)

    assert (document.window, document.panels["contacts"].rows[0]["queue"], document.notices) == ("today", "support", ())
    assert document.panels["contacts"].rows[0]["longest_wait_seconds"] == 161


@pytest.mark.parametrize("path", ["board.json?window=2h", "events?window=%00"])
async def test_an_unknown_window_is_refused(served: Served, session: ClientSession, path: str) -> None:
    async with served(Worker()) as address, session.get(f"{address}/{path}") as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    ("shown", "asked", "told"),
    [
        (("5m", "30m", "today"), "1h", "30m"),
        (("5m", "today"), "1h", "5m"),
        (("5m", "today"), "30m", "5m"),
        (("5m", "today"), "today", "today"),
    ],
)
async def test_a_window_that_is_not_shown_leads_to_the_usual_one_or_the_first(
    served: Served, session: ClientSession, shown: tuple[str, ...], asked: str, told: str
) -> None:
    async with served(Worker(windows=shown)) as address:
        async with session.get(f"{address}/board.json?window={asked}") as answer:
            document = msgspec.json.decode(await answer.read(), type=Document)
        async with session.get(f"{address}/events?window={asked}") as answer:
            kind, picture = await event(answer)
        async with session.get(f"{address}/detail.json?key=acme/support/voice") as answer:
            detail = await answer.json()

    assert (document.window, document.panels["contacts"].windows) == (told, shown)
    assert (kind, picture["window"]) == ("board", told)
    assert [row["window"] for row in detail["windows"]] == [*shown]


@pytest.mark.parametrize(
    ("shown", "asked", "contacts", "cases"),
    [
        (("5m", "7d"), "5m", "5m", "7d"),
        (("5m", "7d"), "7d", "5m", "7d"),
        (("5m", "15m"), "5m", "5m", "today"),  # a family that has none of those that are shown keeps its own
        (("5m", "15m"), "30d", "15m", "30d"),
    ],
)
async def test_each_panel_is_in_one_of_the_windows_that_it_offers(
    served: Served, session: ClientSession, shown: tuple[str, ...], asked: str, contacts: str, cases: str
) -> None:
    async with (
        served(Worker(windows=shown)) as address,
        session.get(f"{address}/board.json?window={asked}") as answer,
    ):
        panels = msgspec.json.decode(await answer.read(), type=Document).panels

    assert (panels["contacts"].window, panels["cases"].window) == (contacts, cases)
    assert all(panel.window in panel.windows for panel in panels.values())


async def test_a_viewer_gets_the_board_and_then_beats(served: Served, session: ClientSession) -> None:
    async with served(Worker()) as address, session.get(f"{address}/events?window=5m") as answer:
        first, second, third, fourth = [await event(answer) for _ in range(4)]

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert [first[0], second[0], third[0], fourth[0]] == ["board", "beat", "beat", "beat"]
    assert first[1]["window"] == "5m"
    assert second[1]["notices"] == []


async def test_a_change_is_sent_to_everybody_who_looks(served: Served, session: ClientSession) -> None:
    worker = Worker()

    async with (
        served(worker) as address,
        session.get(f"{address}/events") as one,
        session.get(f"{address}/events") as other,
    ):
        await next_of(one, "board")
        await next_of(other, "board")
        worker.board = a_board(a_queue("new"))
        seen = [await next_of(one, "board"), await next_of(other, "board")]

    assert seen[0] == seen[1]
    assert "new" in json.dumps(seen[0])


async def test_many_viewers_cost_one_board_a_beat(served: Served, session: ClientSession) -> None:
    worker = Worker()

    async with served(worker) as address:
        answers = [await session.get(f"{address}/events") for _ in range(20)]
        for answer in answers:
            await next_of(answer, "board")
        worker.taken = 0
        for _ in range(5):
            for answer in answers:
                await next_of(answer, "beat")
        taken = worker.taken
        for answer in answers:
            answer.close()

    assert taken <= 7


async def test_nobody_looks_and_nothing_is_rendered(served: Served) -> None:
    worker = Worker()

    async with served(worker):
        await asyncio.sleep(0.2)

    assert worker.taken == 0


async def test_the_wall_learns_that_its_figures_stand_still(served: Served, session: ClientSession) -> None:
    worker = Worker()

    async with served(worker) as address, session.get(f"{address}/events") as answer:
        await next_of(answer, "beat")
        worker.broken = ZeroDivisionError()
        while not (beat := await next_of(answer, "beat"))["notices"]:
            pass
        worker.broken = None
        while (await next_of(answer, "beat"))["notices"]:
            pass

    assert '"code": "broken", "severity": "stale"' in json.dumps(beat)


async def test_a_client_that_does_not_read_is_dropped_and_holds_up_nobody(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = lambda render, every: Broadcast(render, every=every, patience=timedelta(seconds=0.2))  # noqa: E731
    monkeypatch.setattr(module, "Broadcast", impatient)
    worker = Worker()
    number = 0

    async def changing() -> object:
        nonlocal number
        number += 1
        return a_board(*(a_queue(f"{number}-{other:04}-{'x' * 100}") for other in range(300)))

    monkeypatch.setattr(worker, "read_own_board", changing)
    server = worker.server()
    await server.start()
    host, port = server.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as deaf:
        deaf.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with session.get(f"{server.address}/events") as answer:
            async with asyncio.timeout(20):
                await next_of(answer, "board")
                both = server.viewers
                while server.viewers > 1:
                    await next_of(answer, "board")
            await next_of(answer, "board")
    await server.stop()

    assert both == 2


async def test_only_the_newest_board_waits_for_a_slow_client() -> None:
    viewer = Viewer()
    for number in (b"1", b"2", b"2"):
        viewer.offer(Frame(number, b"beat"))
    first = await viewer.next()
    viewer.offer(Frame(b"", b"late"))
    second = await viewer.next()
    viewer.close()

    assert first == b"event: board\ndata: 2\n\nevent: beat\ndata: beat\n\n"
    assert second == b"event: beat\ndata: late\n\n"
    assert await viewer.next() is None


async def test_stopping_ends_the_streams_and_frees_the_port(session: ClientSession) -> None:
    server = Worker().server()
    await server.start()
    port = int(server.address.rpartition(":")[2])
    async with session.get(f"{server.address}/events") as answer:
        await next_of(answer, "beat")
        async with asyncio.timeout(10):  # aiohttp alone would wait for a minute
            await server.stop()
        await answer.read()
    again = Worker().server(Listen(port=port))
    await again.start()
    await again.stop()
    await again.stop()


async def test_stopping_ends_also_where_somebody_comes_at_that_very_moment(session: ClientSession) -> None:
    server = Worker().server()
    await server.start()
    async with session.get(f"{server.address}/events") as answer:
        await next_of(answer, "beat")
        coming = asyncio.create_task(session.get(f"{server.address}/events").__aenter__())
        while server.viewers < 2:
            await asyncio.sleep(0)
        stopping = asyncio.create_task(server.stop())
        stopped, _ = await asyncio.wait([stopping], timeout=10)
        (await coming).close()

        assert stopped == {stopping}


async def test_a_port_that_is_taken_is_an_error(served: Served) -> None:
    async with served(Worker()) as address:
        second = Worker().server(Listen(port=int(address.rpartition(":")[2])))

        with pytest.raises(OSError, match="address already in use"):
            await second.start()


# --- safety --------------------------------------------------------------------------------------

PATHS = ["", "metrics", "healthz", "readyz", "board.json", "static/board.js", "static/none", "nowhere", "events"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_tells_browsers_to_be_careful(served: Served, session: ClientSession, path: str) -> None:
    async with served(Worker()) as address, session.get(f"{address}/{path}") as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:9108", 200),
        ("[::1]:9108", 200),
        ("LOCALHOST.", 200),
        ("evil.example", 421),
        ("evil.example:9108", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("board.internal", 421),
    ],
)
async def test_a_foreign_name_for_loopback_is_refused(
    served: Served, session: ClientSession, host: str, status: int
) -> None:
    async with served(Worker()) as address, session.get(f"{address}/board.json", headers={"Host": host}) as answer:
        assert answer.status == status


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("10.0.0.7:9108", True),
        ("10.0.0.8:9108", False),  # that of somebody else
        ("evil.example:9108", False),
        ("10.0.0.7.evil.example", False),
        ("board.internal", True),
    ],
)
def test_other_workers_get_in_by_the_address_at_which_they_arrive(host: str, known: bool) -> None:  # noqa: FBT001  # a parameter of the test
    assert is_known(host, frozenset({"board.internal"}), "10.0.0.7") is known


async def test_who_can_see_the_board_can_see_the_part_and_nobody_else(served: Served, session: ClientSession) -> None:
    async with served(worker := Worker()) as address:
        async with session.get(f"{address}/part", headers={"Host": "evil.example"}) as foreign:
            refused = foreign.status
        async with session.get(f"{address}/part") as answer:
            told = ShareCodec(FAMILIES).decoded(await answer.read())

    assert refused == 421
    assert {one.feed.topic: one.snapshots for one in told.partitions} == worker.board.snapshots


async def test_a_share_is_read_and_rendered_once_a_second_however_many_ask(
    served: Served, session: ClientSession
) -> None:
    async with served(worker := Worker(every=timedelta(minutes=1))) as address:
        for _ in range(20):
            async with session.get(f"{address}/part") as answer:
                assert answer.status == 200

    assert worker.taken == 1


async def test_names_that_are_allowed_are_answered(served: Served, session: ClientSession) -> None:
    listen = Listen(port=0, allowed_hosts=("Board.internal",))

    async with (
        served(Worker(), listen) as address,
        session.get(f"{address}/metrics", headers={"Host": "board.internal"}) as answer,
    ):
        assert answer.status == 200


@pytest.mark.parametrize("path", ["static/../server.py", "static/%2e%2e%2fserver.py", "static/%2Fetc%2Fpasswd"])
async def test_only_the_files_of_the_page_are_served(served: Served, path: str) -> None:
    async with served(Worker()) as address:
        reader, writer = await asyncio.open_connection(*address.removeprefix("http://").split(":"))
        writer.write(f"GET /{path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()

    assert b" 404 " in answer.splitlines()[0]


async def test_nothing_can_be_sent_here(served: Served, session: ClientSession) -> None:
    async with served(Worker()) as address, session.post(f"{address}/board.json", data=b"x" * 10_000) as answer:
        assert answer.status == 405


async def test_a_worker_that_does_not_answer_is_told_in_time(
    served: Served, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.1)
    worker = Worker()
    monkeypatch.setattr(worker, "read_own_board", asyncio.Event().wait)

    async with served(worker) as address, session.get(f"{address}/board.json") as answer:
        assert answer.status == 503


def test_loopback_is_what_this_machine_calls_itself() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "example.org", ""]))


def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_code() -> None:
    static = Path(files.__file__).parent / "static"
    page = (static / "board.html").read_text(encoding="utf-8")

    assert "http" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert "onclick" not in page
    assert page.count("<script") == page.count('<script type="module" src="static/') == 1
    for name in ("board.js", "format.js", "board.css"):
        assert "http" not in (static / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "request_bytes",
    [b"GET / HTTP/9.9.9\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n", b"\x16\x03\x01\x00\r\n\r\n"],
    ids=["version", "header", "tls"],
)
async def test_a_request_that_is_no_http_is_refused_and_logs_no_error(
    served: Served, caplog: pytest.LogCaptureFixture, request_bytes: bytes
) -> None:
    async with served(Worker()) as address:
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request_bytes)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await writer.wait_closed()

    assert answer.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    assert caplog.records == []
