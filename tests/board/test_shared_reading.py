"""One reading for all who ask: how often it is taken, how old it may be, and what others may do to it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from stream.board import shared_reading as module
from stream.board.shared_reading import SharedReading, SharedRendering

LONG = 60.0
SHORT = 0.02


@dataclass
class Source:
    """Numbers its readings; each waits until it may go on."""

    began: list[float] = field(default_factory=list)
    cancelled: int = 0
    broken: Exception | None = None
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> int:
        self.began.append(asyncio.get_running_loop().time())
        number = len(self.began)
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.broken is not None:
            raise self.broken
        return number


@pytest.fixture
def source() -> Source:
    return Source()


def quick() -> Source:
    source = Source()
    source.goes_on.set()
    return source


async def asking(number: int, read: Callable[[], Awaitable[int]]) -> list[asyncio.Task[int]]:
    """Have so many ask at once, and wait until each of them waits."""

    async def ask() -> int:
        return await read()

    tasks = [asyncio.create_task(ask()) for _ in range(number)]
    for _ in range(3):  # turns of the loop: the reading has begun, too
        await asyncio.sleep(0)
    return tasks


@pytest.mark.parametrize("keep", [0.0, LONG])
async def test_fifty_who_ask_at_once_cost_one_reading(source: Source, keep: float) -> None:
    tasks = await asking(50, SharedReading(source.read, keep_seconds=keep).read)
    source.goes_on.set()

    assert await asyncio.gather(*tasks) == [1] * 50
    assert len(source.began) == 1


async def test_what_was_read_a_moment_ago_serves_who_asks_now() -> None:
    shared = SharedReading((source := quick()).read, keep_seconds=LONG)

    assert [await shared.read() for _ in range(10)] == [1] * 10
    assert len(source.began) == 1


async def test_nothing_is_kept_unless_it_is_asked_for() -> None:
    shared = SharedReading(quick().read)

    assert [await shared.read() for _ in range(3)] == [1, 2, 3]
    assert shared._latest is None


async def test_readings_begin_no_more_often_than_they_are_kept_and_no_answer_is_older() -> None:
    shared = SharedReading((source := quick()).read, keep_seconds=SHORT)
    loop = asyncio.get_running_loop()
    number, started_at = 0, loop.time()

    async with asyncio.timeout(10):
        while number < 6:
            asked_at = loop.time()
            number = await shared.read()
            assert asked_at - source.began[number - 1] < SHORT

    assert loop.time() - started_at >= 5 * SHORT


async def test_a_reading_that_takes_long_is_one_at_a_time_and_serves_who_comes_meanwhile(source: Source) -> None:
    shared = SharedReading(source.read, keep_seconds=0.0)
    early = await asking(3, shared.read)
    late = await asking(3, shared.read)
    source.goes_on.set()

    assert await asyncio.gather(*early, *late) == [1] * 6
    assert await shared.read() == 2


async def test_a_failure_is_everybodys_and_costs_one_reading(source: Source) -> None:
    source.broken = ZeroDivisionError()
    shared = SharedReading(source.read, keep_seconds=LONG)
    tasks = await asking(50, shared.read)
    source.goes_on.set()

    failures = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(failure) for failure in failures} == {ZeroDivisionError}
    assert len(source.began) == 1


async def test_a_failure_is_kept_no_longer_than_a_board() -> None:
    source = quick()
    source.broken = ZeroDivisionError()
    shared = SharedReading(source.read, keep_seconds=SHORT)
    started_at = asyncio.get_running_loop().time()
    with pytest.raises(ZeroDivisionError):
        await shared.read()
    source.broken = None

    async with asyncio.timeout(10):
        while (await asyncio.gather(shared.read(), return_exceptions=True))[0] != 2:
            pass

    assert asyncio.get_running_loop().time() - started_at >= SHORT


async def test_who_leaves_takes_the_reading_from_nobody(source: Source) -> None:
    first, *others = await asking(5, SharedReading(source.read, keep_seconds=LONG).read)
    first.cancel()
    await asyncio.wait([first])
    source.goes_on.set()

    assert first.cancelled()
    assert await asyncio.gather(*others) == [1] * 4
    assert source.cancelled == 0


async def test_when_all_have_left_the_reading_ends_and_the_next_who_asks_gets_a_new_one(source: Source) -> None:
    shared = SharedReading(source.read, keep_seconds=LONG)
    tasks = await asking(5, shared.read)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    (next_one,) = await asking(1, shared.read)
    source.goes_on.set()

    assert await next_one == 2
    assert source.cancelled == 1


async def test_a_reading_that_hangs_is_joined_by_nobody_for_ever(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = SharedReading(source.read, keep_seconds=LONG)
    (hanging,) = await asking(1, shared.read)
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.0)
    (next_one,) = await asking(1, shared.read)
    hanging.cancel()
    await asyncio.wait([hanging])
    source.goes_on.set()

    assert await next_one == 2


async def test_each_reading_is_rendered_once_in_each_form() -> None:
    rendered: list[tuple[int, str]] = []

    def render(reading: int, form: str) -> bytes:
        rendered.append((reading, form))
        return f"{reading} {form}".encode()

    shared = SharedReading(quick().read, keep_seconds=SHORT)
    with ThreadPoolExecutor(2) as executor:
        rendering = SharedRendering(shared.read, render, executor)
        async with asyncio.timeout(10):
            while len({reading for reading, _ in rendered}) < 3:
                bodies = await asyncio.gather(*(rendering.body(form) for form in ["5m", "today"] * 25))
                assert {body.split()[1] for body in bodies} == {b"5m", b"today"}

    assert len(rendered) == len(set(rendered))


async def test_a_rendering_that_fails_fails_for_all_and_is_made_anew_of_the_next_reading() -> None:
    tried: list[int] = []

    def render(reading: int, _: str) -> bytes:
        tried.append(reading)
        if reading == 1:
            raise ZeroDivisionError
        return b"right"

    readings = iter([1, 1, 2])

    async def read() -> int:
        return next(readings)

    with ThreadPoolExecutor(1) as executor:
        rendering = SharedRendering(read, render, executor)
        failures = await asyncio.gather(rendering.body(), rendering.body(), return_exceptions=True)
        right = await rendering.body()

    assert [type(failure) for failure in failures] == [ZeroDivisionError] * 2
    assert (right, tried) == (b"right", [1, 2])
