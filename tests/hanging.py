"""Tells what every task waits for when a test hangs: the stacks of threads show event loops, and nothing else."""

import asyncio
import gc
import inspect
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

HANGS_AFTER_SECONDS = 100.0
"""Before the end that pytest-timeout makes (`pyproject.toml`), so that its report carries what is told here."""


def waits_of_tasks() -> Iterator[str]:
    """Yield, for each task of any loop, where it waits: from its own coroutine to the innermost one."""
    for task in gc.get_objects():
        if isinstance(task, asyncio.Task) and not task.done():
            yield f"{task.get_name()}: {' > '.join(_places(task.get_coro()))}"


def _places(waiting: Any) -> Iterator[str]:
    while waiting is not None:
        kind = next((kind for kind in ("cr", "ag", "gi") if hasattr(waiting, f"{kind}_frame")), None)
        if kind is None:
            yield type(waiting).__name__
            return
        if (frame := getattr(waiting, f"{kind}_frame")) is not None:
            code = inspect.getframeinfo(frame, context=0)
            yield f"{code.function} ({code.filename.rpartition('site-packages/')[2]}:{code.lineno})"
        waiting = getattr(waiting, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")


def _tell() -> None:
    for line in sorted(waits_of_tasks()):
        print(line, file=sys.stderr)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Have it told in time; only a test that fails shows it."""
    if not inspect.iscoroutinefunction(getattr(item, "function", None)):
        return (yield)
    timer = threading.Timer(HANGS_AFTER_SECONDS, _tell)
    timer.daemon = True
    timer.start()
    try:
        return (yield)
    finally:
        timer.cancel()
