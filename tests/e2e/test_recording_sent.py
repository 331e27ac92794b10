"""`contact-stream produce --speed …` against a broker and a worker: stopped, killed and started again."""

import asyncio
import os
import pty
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.simulator import office_centre, simulate
from stream.sources import jsonl
from stream.sources.intake import Intake
from tests.brokers import Broker
from tests.running import running_service, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = list(simulate(office_centre(), start=BEGIN, end=BEGIN.replace(hour=11), seed=3))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "day.jsonl"
    with path.open("wb") as file:
        jsonl.write(DAY, file)
    return path


async def begun(
    recording: Path, broker: Broker, speed: str, *, stderr: int = asyncio.subprocess.PIPE
) -> asyncio.subprocess.Process:
    command = ("produce", "--from", str(recording), "--speed", speed, "--broker", broker.setting)
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "stream", *command, cwd=ROOT, stderr=stderr)


async def test_stopped_and_killed_and_begun_again_the_board_equals_the_replay_of_the_file(
    fresh_broker: Broker, recording: Path
) -> None:
    at = DAY[-1].time
    replayed = replay(_read(recording))
    async with running_service(fresh_broker, at=at) as service:

        def arrived() -> int:
            return service.feed.events.total() - service.feed.duplicates

        # At this speed the two hours last for a minute: each of the first two is stopped in the middle of them.
        for ended_by, after in ((signal.SIGINT, 10), (signal.SIGKILL, 30)):
            process = await begun(recording, fresh_broker, "120")
            await until(partial(lambda least: arrived() >= least, after))
            process.send_signal(ended_by)
            _, said = await process.communicate()
            assert process.returncode == (0 if ended_by == signal.SIGINT else -signal.SIGKILL)
            assert (b"the same command goes on from" in said) == (ended_by == signal.SIGINT)
            assert arrived() < replayed.events - replayed.duplicates
            assert recording.with_name("day.jsonl.sending").exists()
        last = await begun(recording, fresh_broker, "max")
        _, said = await last.communicate()
        await until(lambda: arrived() >= replayed.events - replayed.duplicates)

        assert last.returncode == 0
        assert f"{len(DAY)} events were acknowledged in all".encode() in said
        assert await service.board() == replayed.board(at)
        # Of the batch under way when it was killed, and no more.
        assert service.feed.duplicates - replayed.duplicates < 50
    assert [path.name for path in recording.parent.iterdir()] == ["day.jsonl"]


async def test_on_a_terminal_a_bar_shows_how_far_it_is_and_elsewhere_none_does(
    fresh_broker: Broker, recording: Path
) -> None:
    async with running_service(fresh_broker, at=DAY[-1].time):
        ours, terminal = pty.openpty()
        shown = await begun(recording, fresh_broker, "max", stderr=terminal)
        os.close(terminal)
        # The terminal is read until all that write to it have closed it, which Linux tells as an error.
        bar = await asyncio.to_thread(_read_terminal, ours)
        assert await shown.wait() == 0
        _, said = await (await begun(recording, fresh_broker, "max")).communicate()

    bar_at_its_end = f"{len(DAY)}/{len(DAY)}".encode()
    assert bar_at_its_end in bar
    assert said == f"{len(DAY)} events were acknowledged in all\n".encode()


def _read_terminal(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb", buffering=0) as terminal:
        found = b""
        with suppress(OSError):
            while chunk := terminal.read(4096):
                found += chunk
        return found


def _read(recording: Path) -> list[Event]:
    return list(jsonl.read(jsonl.Options(file=recording), Intake()))
