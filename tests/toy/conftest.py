"""Pages are served, and looked at, as the tests of the board do."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest_asyncio

from stream.app.replay import replay
from tests.board.conftest import Worker, chromium, desk, served, visitor
from tests.toy.test_toy import NOON, SHOWN, throws

__all__ = ["chromium", "desk", "served", "served_toys", "visitor"]


@pytest_asyncio.fixture(loop_scope="session")
async def served_toys(served: Callable[..., AbstractAsyncContextManager[str]]) -> AsyncIterator[str]:
    """The board of a fair."""
    board = replay(throws(), families=SHOWN.families).board(NOON)
    async with served(Worker(board=board, shown=SHOWN)) as address:
        yield address
