import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import time, timedelta
from itertools import count
from pathlib import Path
from threading import Thread
from zlib import decompress
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace

from stream.core.calendar import EVERY_DAY, Span
from stream.core.family import Board
from stream.families.contacts.rules import Policy
from stream.families.registry import FAMILIES
from stream.http import metrics_page
from stream.http import page_writer as module
from stream.http.exposition import RenderedSection, TextFormat
from stream.http.page_input import SLICE, PageInput, write_body
from stream.http.page_writer import PageWriter
from tests.board.boards import EVERYTHING, a_board, a_queue, agents
from tests.board.conftest import Worker
from tests.families.everything import a_busy_board, ones

Served = Callable[..., AbstractAsyncContextManager[str]]

PATIENCE = 20.0
"""Seconds that a test waits for another process."""


@pytest.fixture
def writer() -> Iterator[PageWriter]:
    one = PageWriter(FAMILIES, "stream.families.registry:FAMILIES")
    yield one
    one.stop()


def a_draft(board: Board | None = None, form: TextFormat = TextFormat.TEXT, *, packed: bool = False) -> PageInput:
    first = {"build": RenderedSection(b"# build\n", 0.5)}
    last = {"feed": RenderedSection(b"# feed\n", 0.25), "process": RenderedSection(None, 0.125)}
    board = board or a_busy_board()
    return PageInput(
        form=form,
        packed=packed,
        detail=EVERYTHING,
        first=first,
        at=board.at,
        snapshots={name: [*of] for name, of in board.snapshots.items()},
        last=last,
    )


def untimed(page: bytes, *, packed: bool = False) -> bytes:
    """The page without the one thing that differs from one writing to the next."""
    page = decompress(page, wbits=31) if packed else page
    assert b"contact_section_duration_seconds{" in page
    return re.sub(rb'(?<=contact_section_duration_seconds\{section=")(\w+)"} .*', rb"\1", page)


def here(page_input: PageInput) -> bytes:
    ticks = count()
    return write_body(page_input, FAMILIES, lambda: float(next(ticks)))


def every_kind_of_queue() -> Board:
    """More queues than go in a share, and all that a queue may say."""
    hours = (Span(EVERY_DAY, time(22), time(6)),)
    policy = Policy(
        time_zone=ZoneInfo("America/Sao_Paulo"),
        opening_hours=hours,
        quiet_hours=hours,
        day_starts=time(4, 30),
        threshold=timedelta(milliseconds=12_345),
        target=1 / 3,
        team='"a"\n',
    )
    named = [a_queue(f"q{number:03}", tally=ones(number), waited=number / 7) for number in range(SLICE + 1)]
    odd = replace(a_queue("客服 💬", taken_back=ones(2), waited=0.000_001), policy=policy)
    return a_board(*named, odd, staff=(agents("q001", available=1), agents(None, acw=2)))


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A zombie that init, or whoever stands for it, has not buried yet is as good as gone.
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("form", TextFormat)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("board", [a_busy_board(), every_kind_of_queue(), a_board()], ids=["busy", "every", "none"])
def test_another_process_writes_the_same_page(writer: PageWriter, board: Board, form: TextFormat, packed: bool) -> None:  # noqa: FBT001  # a parameter of the test
    page_input = a_draft(board, form, packed=packed)

    page = writer.written(page_input)

    assert page is not None
    assert untimed(page, packed=packed) == untimed(here(page_input), packed=packed)


def test_one_process_writes_page_after_page(writer: PageWriter) -> None:
    writer.written(a_draft())
    first = writer.pid
    writer.written(a_draft(every_kind_of_queue()))

    assert first is not None
    assert writer.pid == first


def test_pages_that_are_asked_for_at_the_same_time_are_all_written(writer: PageWriter) -> None:
    page_inputs = [a_draft(a_board(a_queue(f"queue-{number}"))) for number in range(8)]
    pages: dict[int, bytes | None] = {}
    asking = [
        Thread(target=lambda number=number, page_input=page_input: pages.update({number: writer.written(page_input)}))
        for number, page_input in enumerate(page_inputs)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()

    assert {number: untimed(page or b"") for number, page in pages.items()} == {
        number: untimed(here(page_input)) for number, page_input in enumerate(page_inputs)
    }


def test_a_process_that_died_is_started_again(writer: PageWriter) -> None:
    writer.written(a_draft())
    first = writer.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)

    page = writer.written(a_draft())

    assert page is not None
    assert writer.pid not in {None, first}


def test_a_process_that_does_not_answer_is_ended_and_the_page_left_to_the_worker(
    writer: PageWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    writer.written(a_draft())
    hanging = writer.pid
    assert hanging is not None
    os.kill(hanging, signal.SIGSTOP)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)

    page = writer.written(a_draft())

    assert page is None
    assert gone(hanging)
    assert "not in a process of their own" in caplog.text


def test_what_goes_wrong_at_each_page_is_logged_once_until_it_goes_right(
    writer: PageWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def pages(executable: str) -> list[bool]:
        monkeypatch.setattr(sys, "executable", executable)
        written = [writer.written(a_draft()) is not None for _ in range(3)]
        writer._end()
        return written

    python = sys.executable

    assert pages("/nowhere/python") == [False] * 3
    assert len(caplog.records) == 1
    assert pages(python) == [True] * 3
    assert pages("/nowhere/python") == [False] * 3
    assert len(caplog.records) == 2


def test_what_cannot_be_sent_is_left_to_the_worker_and_harms_no_other_page(writer: PageWriter) -> None:
    unsendable = a_draft(a_board(*every_kind_of_queue().snapshots["contacts"], a_queue("\udfff")))

    assert writer.written(unsendable) is None
    assert b"contact_open_cases" in here(unsendable)
    assert writer.written(a_draft()) is not None


def test_what_fails_there_is_logged_here(writer: PageWriter, caplog: pytest.LogCaptureFixture) -> None:
    page = writer.written(a_draft(a_board(a_queue(), staff=(replace(agents("support"), states={}),))))

    assert page is not None
    assert b'contact_section_success{section="agents"} 0' in page
    assert b'contact_section_success{section="windows"} 1' in page
    assert "section agents of the metrics page failed" in caplog.text
    assert "Traceback" in caplog.text


def test_a_page_after_the_stop_starts_no_process(writer: PageWriter, caplog: pytest.LogCaptureFixture) -> None:
    writer.written(a_draft())
    last = writer.pid
    assert last is not None

    writer.stop()
    writer.stop()

    assert gone(last)
    assert writer.written(a_draft()) is None
    assert writer.pid is None
    assert caplog.text == ""


WORKER = """
import sys, threading
from stream.http.page_writer import PageWriter
from stream.families.registry import FAMILIES
from tests.http.test_page_writer import a_draft
writer = PageWriter(FAMILIES, "stream.families.registry:FAMILIES")
writer.written(a_draft())
try:
    print(writer.pid, flush=True)
    threading.Event().wait()
except KeyboardInterrupt:
    print("interrupted", writer.written(a_draft()) is not None, flush=True)
    writer.stop()
"""


def a_worker() -> subprocess.Popen[str]:
    """A worker at a terminal of its own, so that a Ctrl-C there reaches all that it started, and not us."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )


async def test_it_ends_with_its_worker_however_that_ends() -> None:
    with a_worker() as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        assert not gone(pid)

        worker.kill()
        worker.wait()

        await until(lambda: gone(pid))


async def test_an_interrupt_at_the_terminal_is_for_the_worker_alone() -> None:
    with a_worker() as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())

        os.killpg(worker.pid, signal.SIGINT)
        rendered, complaints = worker.communicate(timeout=PATIENCE)

        assert rendered == "interrupted True\n"
        assert complaints == ""
        assert worker.returncode == 0
        assert gone(pid)


# --- as the server uses it -----------------------------------------------------------------------


async def page_of(address: str, session: ClientSession) -> bytes:
    async with session.get(f"{address}/metrics", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status == 200
        return await answer.read()


def comparable(page: bytes) -> bytes:
    """The page without what tells of the worker's process, and of time."""
    return re.sub(rb"(?m)^(process|python|contact_section_duration)_.*\n", b"", page)


async def test_a_large_page_is_the_same_as_a_small_one_and_only_it_costs_a_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = Worker(board=every_kind_of_queue())
    server = worker.server()
    await server.start()
    async with ClientSession() as session:
        small = await page_of(server.address, session)
        before = server._metrics._page_writer.pid
        monkeypatch.setattr(metrics_page, "LARGE", len(worker.board.snapshots["contacts"]))
        large = await page_of(server.address, session)
        writer = server._metrics._page_writer.pid
    await server.stop()

    assert comparable(large) == comparable(small)
    assert before is None
    assert writer is not None
    assert gone(writer)


async def test_without_the_process_a_large_page_is_written_all_the_same(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(board=every_kind_of_queue())
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    async with served(worker) as address, ClientSession() as session:
        small = await page_of(address, session)
        monkeypatch.setattr(metrics_page, "LARGE", 1)
        large = await page_of(address, session)

    assert comparable(large) == comparable(small)
    assert "not in a process of their own" in caplog.text
