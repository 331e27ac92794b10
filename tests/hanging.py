"""Tells of a test that hangs what every task waits for: the stacks of threads show event loops, and nothing else."""

import asyncio
import gc
import inspect
from collections.abc import Iterator
from typing import Any

import pytest


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Add it to the failure by which pytest-timeout ends a test; the tasks are still where they were."""
    try:
        return (yield)
    except pytest.fail.Exception as failure:
        if "pytest-timeout" in str(failure):
            for line in sorted(waits_of_tasks()):
                failure.add_note(line)
        raise
