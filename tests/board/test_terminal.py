import asyncio
import io
import unicodedata
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from stream.board.document import document_of
from stream.board.terminal import follow, print_board, screen_of
from stream.board.view import panels_of
from stream.core.family import Board
from stream.core.format import NO_SAMPLE
from stream.families.registry import FAMILIES
from stream.status.freshness import Notice
from tests.board.boards import NOON, a_board, a_queue, wall
from tests.board.conftest import Worker
from tests.families.everything import cases
from tests.running import until

Served = Callable[..., AbstractAsyncContextManager[str]]


def printed(board: Board, width: int, *, colour: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    print_board(panels_of(board, FAMILIES, "30m"), FAMILIES, "30m", console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_wide_terminal_shows_every_figure() -> None:
    text = printed(wall(), 160)

    assert text.splitlines()[0].split() == [
        *("queue", "channel", "state", "SL", "target", "open", "longest", "ASA", "aband.", "blocked", "AHT"),
        *("offered", "answered", "free/busy"),
    ]
    assert "▼ breach     58 %  80 % in 20 s C     7     2:41   0:47    17 %    3.6 %  4:05" in text


@pytest.mark.parametrize("width", range(45, 161, 5))
def test_figures_are_never_cut_and_lines_never_wrap(width: int) -> None:
    lines = printed(wall(), width).splitlines()

    assert len(lines) == 10
    assert all(len(line) <= width for line in lines)
    assert "2:41" in lines[1]
    assert "58 %" in lines[1]


def test_states_differ_by_sign_where_there_is_no_colour() -> None:
    text = printed(wall(), 100)

    assert all(sign in text for sign in ("▼ breach", "● at risk", "▲ OK", f"{NO_SAMPLE} no sample"))
    assert "\x1b[" not in text
    assert "\x1b[1;31m▼ breach" in printed(wall(), 100, colour=True)


def test_tenants_are_named_where_there_are_several() -> None:
    assert "tenant" in printed(a_board(a_queue(), a_queue(tenant="globex")), 100)
    assert "tenant" not in printed(a_board(a_queue()), 100)


@pytest.mark.parametrize("width", [60, 65, 70, 80])
def test_where_one_queue_has_several_channels_they_are_named_rather_than_more_figures(width: int) -> None:
    desk = [replace(cases("support", 2), channel=channel) for channel in ("email", "social")]
    told = printed(Board(at=NOON, snapshots={"cases": tuple(desk)}), width)

    assert "email" in told
    assert "social" in told


def test_an_empty_board_says_so() -> None:
    assert printed(a_board(), 80) == "No queue: no event of a contact was read.\n"


def test_a_queue_name_is_text_and_never_markup() -> None:
    assert "[red]x" in printed(a_board(a_queue("[red]x")), 80)


HOSTILE = "\x1b]0;owned\x07\x9b2J\n\u202e\u2028"


def test_a_name_cannot_steer_the_terminal() -> None:
    text = printed(a_board(a_queue(HOSTILE), a_queue(HOSTILE, tenant=HOSTILE)), 160)

    assert "\ufffd]0;owned\ufffd\ufffd2J\ufffd\ufffd\ufffd" in text
    assert not set(text) & set("\x1b\x07\x9b\u202e\u2028")
    assert len(text.splitlines()) == 4


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_name_brings_a_control_character_to_the_terminal(queue: str, tenant: str) -> None:
    text = printed(a_board(a_queue(queue), a_queue(tenant=tenant)), 120)

    assert not [
        one for one in text if one != "\n" and unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    ]
    assert text.count("\n") == 4


def test_a_notice_cannot_steer_the_terminal() -> None:
    console = Console(file=io.StringIO(), width=120)
    notice = Notice(code="x", severity="stale", text=f"No board ({HOSTILE})", since=None)
    document = document_of(a_board(a_queue()), FAMILIES, "30m", ())

    console.print(screen_of(document, FAMILIES, [notice], now=document.at, width=120))

    assert isinstance(console.file, io.StringIO)
    assert "No board (\ufffd]0;owned" in console.file.getvalue()
    assert "\x1b" not in console.file.getvalue()


async def test_the_terminal_follows_a_worker_and_says_since_when_it_is_gone(served: Served) -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)  # told as it goes on
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue

    async with served(Worker()) as address:
        following = asyncio.create_task(
            follow(address, console, FAMILIES, clock=lambda: datetime.now(UTC), every=timedelta(milliseconds=20))
        )
        await until(lambda: "▼ breach" in told())
    await until(lambda: f"No board from {address}" in told())
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following

    last = told().rpartition(f"No board from {address}")[2]
    assert ", since " in last
    assert "▼ breach" in last, "the last board stays"


async def test_a_worker_that_never_answered_is_named() -> None:
    console = Console(file=io.StringIO(), width=120)
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            await follow(
                "http://127.0.0.1:1/",
                console,
                FAMILIES,
                clock=lambda: datetime.now(UTC),
                every=timedelta(milliseconds=50),
            )

    assert isinstance(console.file, io.StringIO)
    assert "No board from http://127.0.0.1:1/" in console.file.getvalue()
