"""Since when brokers do not answer: of what was asked, and of nothing else."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import NodeNotReadyError
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest

from stream.runtime.kafka.broker_silence import BrokerSilence

HEARTBEAT = HeartbeatRequest("group", 1, "me")
JOIN = JoinGroupRequest("group", 10_000, 10_000, "", None, "consumer", [])


class Brokers:
    """Two brokers; those that are up answer when they are let."""

    def __init__(self) -> None:
        self.up = {1, 2}
        self.let = asyncio.Event()
        self.let.set()
        self.fails = False
        self.now = 0.0
        self.answers = BrokerSilence(lambda: self.now)
        self.answers.watch(self)

    async def send(self, node: int, request: Any) -> str:
        if node not in self.up:
            raise NodeNotReadyError
        await self.let.wait()
        if self.fails:
            raise NodeNotReadyError
        return f"answer to {type(request).__name__}"

    async def _metadata_update(self, *_: object) -> bool:
        return bool(self.up)

    def silences(self) -> tuple[float, float, float]:
        """Of all, of the first, of the second."""
        return self.answers.silence(), self.answers.silence_of(1), self.answers.silence_of(2)


async def test_who_asks_nothing_is_not_left_without_an_answer() -> None:
    brokers = Brokers()
    await brokers.send(1, HEARTBEAT)
    brokers.now = 3600

    assert brokers.silences() == (0, 0, 0)


async def test_a_broker_that_is_gone_is_silent_since_the_first_request_until_it_answers_one() -> None:
    brokers = Brokers()
    brokers.up.clear()
    for brokers.now in (5, 6, 7):  # the clock goes on
        with pytest.raises(NodeNotReadyError):
            await brokers.send(1, HEARTBEAT)

    assert brokers.silences() == (2, 2, 0)
    brokers.up.add(1)
    await brokers.send(1, HEARTBEAT)
    assert brokers.silences() == (0, 0, 0)


async def test_one_broker_that_answers_is_enough_for_all_but_not_for_the_other() -> None:
    brokers = Brokers()
    brokers.up.remove(2)
    with pytest.raises(NodeNotReadyError):
        await brokers.send(2, HEARTBEAT)
    await brokers.send(1, HEARTBEAT)
    brokers.now = 8

    assert brokers.silences() == (0, 0, 8)


@pytest.mark.parametrize(("request_", "silence"), [(HEARTBEAT, 9), (JOIN, 0)])
async def test_a_request_that_hangs_is_silence_unless_the_broker_waits_for_other_members(
    request_: Any, silence: float
) -> None:
    brokers = Brokers()
    brokers.let.clear()
    hanging = asyncio.create_task(brokers.send(1, request_))
    await asyncio.sleep(0)
    brokers.now = 9

    assert brokers.silences() == (silence, silence, 0)
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    assert brokers.silences() == (0, 0, 0)  # nobody waits for it any more


@pytest.mark.parametrize("request_", [HEARTBEAT, JOIN])
async def test_a_request_that_fails_late_brings_no_silence_back_that_an_answer_has_ended(request_: Any) -> None:
    brokers = Brokers()
    brokers.let.clear()
    failing = asyncio.create_task(brokers.send(1, request_))
    await asyncio.sleep(0)
    brokers.now = 39
    held, brokers.let = brokers.let, asyncio.Event()
    brokers.let.set()
    await brokers.send(1, HEARTBEAT)
    brokers.now = 40
    brokers.fails = True
    held.set()
    with pytest.raises(NodeNotReadyError):
        await failing
    brokers.now = 43

    assert brokers.silences() == (3, 3, 0)


async def test_a_request_that_was_held_back_and_fails_is_silence_from_then_on_only() -> None:
    brokers = Brokers()
    brokers.let.clear()
    failing = asyncio.create_task(brokers.send(1, JOIN))
    await asyncio.sleep(0)
    brokers.now = 40
    brokers.fails = True
    brokers.let.set()
    with pytest.raises(NodeNotReadyError):
        await failing
    brokers.now = 41

    assert brokers.silences() == (1, 1, 0)


async def test_who_is_told_which_brokers_there_are_has_an_answer() -> None:
    brokers = Brokers()
    brokers.up.clear()
    with pytest.raises(NodeNotReadyError):
        await brokers.send(1, HEARTBEAT)
    brokers.now = 20
    assert not await brokers._metadata_update()
    assert brokers.silences() == (20, 20, 0)

    brokers.up.add(2)
    assert await brokers._metadata_update()
    assert brokers.silences() == (0, 20, 0)


async def test_who_gives_up_a_request_again_and_again_hides_none_that_still_waits() -> None:
    """A hung broker was not seen for half a minute: commits that were given up each five seconds came first."""
    brokers = Brokers()
    brokers.let.clear()
    commit = asyncio.create_task(brokers.send(1, HEARTBEAT))
    await asyncio.sleep(0)
    brokers.now = 1
    heartbeat = asyncio.create_task(brokers.send(1, HEARTBEAT))
    await asyncio.sleep(0)
    for brokers.now in (5, 10, 15):
        commit.cancel()
        await asyncio.gather(commit, return_exceptions=True)
        commit = asyncio.create_task(brokers.send(1, HEARTBEAT))
        await asyncio.sleep(0)

    assert brokers.silences() == (14, 14, 0)
    brokers.let.set()
    await asyncio.gather(commit, heartbeat)
    assert brokers.silences() == (0, 0, 0)


async def test_one_that_waits_is_silence_from_the_last_answer_on() -> None:
    brokers = Brokers()
    answering, held = brokers.let, asyncio.Event()
    brokers.let = held
    fetch = asyncio.create_task(brokers.send(1, HEARTBEAT))
    await asyncio.sleep(0)
    brokers.let = answering
    brokers.now = 4
    await brokers.send(1, HEARTBEAT)
    brokers.now = 6

    assert brokers.silences() == (2, 2, 0)
    held.set()
    await fetch
    assert brokers.silences() == (0, 0, 0)
