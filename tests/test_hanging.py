"""A test that hangs says where: not the event loop, but what each task waits for."""

import asyncio

from tests.hanging import waits_of_tasks


async def test_the_innermost_wait_of_a_task_is_told() -> None:
    never = asyncio.Event()

    async def inner() -> None:
        await never.wait()

    async def outer() -> None:
        async with asyncio.timeout(60):
            await inner()

    task = asyncio.create_task(outer(), name="stuck")
    await asyncio.sleep(0)
    (told,) = (line for line in waits_of_tasks() if line.startswith("stuck: "))
    never.set()
    await task

    assert [place.split(" ")[0] for place in told.removeprefix("stuck: ").split(" > ")][:3] == [
        "outer",
        "inner",
        "wait",
    ]
