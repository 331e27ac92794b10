"""What many ask for at once is read once, and rendered once: all who ask share it.

A reading runs in a task of its own, so that no client who leaves takes it away from the others.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final, Generic, TypeVar

__all__ = ["EVERY_SECONDS", "SharedReading", "SharedRendering"]

T = TypeVar("T")

EVERY_SECONDS: Final = 1.0
"""However many look at a board, it is read once in this time: a supervisor cannot tell it from one that is newer."""

STUCK_SECONDS: Final = 15.0
"""A reading that takes longer is joined by nobody else: whoever waits for it has given up by then."""


class _Reading(Generic[T]):
    """One reading, under way or done."""

    __slots__ = ("began_at", "task", "waiting")

    def __init__(self, task: asyncio.Task[T], began_at: float) -> None:
        self.task = task
        self.began_at = began_at
        self.waiting = 0

    def serves(self, now: float, max_age: float) -> bool:
        """Tell whether who asks now may have this one."""
        age = now - self.began_at
        if self.task.done():
            # A failure is shared as a result is; a reading that was cancelled has neither.
            return age < max_age and not self.task.cancelled()
        # One that everybody has left is being cancelled, and is no use to who comes now.
        return age < STUCK_SECONDS and not self.task.cancelling()


class SharedReading(Generic[T]):
    """
    Calls *read* once for all who ask meanwhile, and serves the result until *keep_seconds* after it began.

    Age counts from the beginning, so there is at most one reading in *keep_seconds*, and no answer is older when it
    is given than that, or than the reading took. A failure is shared in the same way. When everybody who waited has
    left, the reading is cancelled.
    """

    def __init__(self, read: Callable[[], Awaitable[T]], *, keep_seconds: float = 0.0) -> None:
        self._read = read
        self._keep_seconds = keep_seconds
        self._latest: _Reading[T] | None = None

    async def read(self) -> T:
        """Return what was read lately, or is being read, or else what is read now."""
        now = asyncio.get_running_loop().time()
        reading = self._latest
        if reading is None or not reading.serves(now, self._keep_seconds):
            reading = self._latest = _Reading(asyncio.create_task(self._begun()), now)
        reading.waiting += 1
        try:
            # Not awaited itself: who is cancelled while waiting would cancel it for all.
            await asyncio.wait([reading.task])
        finally:
            reading.waiting -= 1
            if not reading.waiting:
                self._leave(reading)
        return reading.task.result()

    async def _begun(self) -> T:
        # A coroutine around it, since a task takes no other awaitable.
        return await self._read()

    def _leave(self, reading: _Reading[T]) -> None:
        """Cancel a reading for which nobody waits any more; let go of what will serve nobody else."""
        # Does nothing where the task is done, which is how most readings end.
        reading.task.cancel()
        if self._latest is reading and not self._keep_seconds:
            self._latest = None


class SharedRendering(Generic[T]):
    """
    Renders each reading once in each form that is asked for, in a thread.

    *read* returns the same object as long as there is nothing newer; *render* makes bytes of it.
    """

    def __init__(self, read: Callable[[], Awaitable[T]], render: Callable[[T, str], bytes], executor: Executor) -> None:
        self._read = read
        self._render = render
        self._executor = executor
        self._rendered: T | None = None
        self._bodies: dict[str, SharedReading[bytes]] = {}

    async def body(self, form: str = "") -> bytes:
        """Return the newest reading in a form, such as a window: there must be few of them."""
        reading = await self._read()
        # By identity: a newer reading is another object, and comparing boards would cost more than rendering one.
        if reading is not self._rendered:
            self._rendered, self._bodies = reading, {}
        if form not in self._bodies:
            # Kept for ever, which is as long as its reading: the next one takes all of them away.
            self._bodies[form] = SharedReading(partial(self._in_thread, reading, form), keep_seconds=math.inf)
        return await self._bodies[form].read()

    async def _in_thread(self, reading: T, form: str) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._render, reading, form)
