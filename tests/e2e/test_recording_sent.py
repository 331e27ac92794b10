"""`contact-stream produce --speed …` against a broker and a worker: stopped, killed and started again."""

import asyncio
import os
import pty
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.simulator import office_centre, simulate
from stream.sources.files import jsonl
from stream.sources.intake import Intake
from tests.brokers import Broker
from tests.running import running_service, scrape, until

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
    recording: Path, broker: Broker, *options: str, stderr: int = asyncio.subprocess.PIPE
) -> asyncio.subprocess.Process:
    command = ("produce", "--from", str(recording), "--broker", broker.setting, *options)
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
            process = await begun(recording, fresh_broker, "--speed", "120")
            await until(partial(lambda least: arrived() >= least, after))
            process.send_signal(ended_by)
            _, said = await process.communicate()
            assert process.returncode == (0 if ended_by == signal.SIGINT else -signal.SIGKILL)
            assert (b"the same command goes on from" in said) == (ended_by == signal.SIGINT)
            assert arrived() < replayed.events - replayed.duplicates
            assert recording.with_name("day.jsonl.sending").exists()
        last = await begun(recording, fresh_broker, "--speed", "max")
        _, said = await last.communicate()
        await until(lambda: arrived() >= replayed.events - replayed.duplicates)

        assert last.returncode == 0
        assert f"{len(DAY)} events were acknowledged in all".encode() in said
        assert await service.board() == replayed.board(at)
        # Of the batch under way when it was killed, and no more.
        assert service.feed.duplicates - replayed.duplicates < 50
    assert [path.name for path in recording.parent.iterdir()] == ["day.jsonl"]


async def test_a_log_of_years_ago_is_moved_to_now_and_goes_on_at_its_own_pace(
    fresh_broker: Broker, tmp_path: Path
) -> None:
    log = tmp_path / "queue_log"
    log.write_text(
        "1300000000|c1|q1|NONE|ENTERQUEUE||x|1\n1300000000|c2|q1|NONE|ENTERQUEUE||x|2\n"
        "1300000001|c1|q1|m1|CONNECT|1|c3|1\n1300000002|c2|q1|NONE|ABANDON|1|2|2\n"
    )
    began = datetime.now(UTC)
    async with running_service(fresh_broker) as service:
        sending = await begun(log, fresh_broker, "--times", "now", "--source", "asterisk-queue-log")
        _, said = await sending.communicate()
        lasted = datetime.now(UTC) - began
        await until(lambda: service.feed.events.total() >= 6)
        figures = await scrape(service)

    assert (sending.returncode, said) == (0, b"6 events were acknowledged in all\n")
    assert lasted >= timedelta(seconds=2)
    queue = (("channel", "voice"), ("queue", "q1"), ("tenant", "default"))
    counted = [figures[f"contact_{name}_total", queue] for name in ("offered", "answered", "abandoned")]
    assert counted == [2, 1, 1]
    # In the windows of now: what is of years ago would be in none.
    assert figures["contact_window_decided", tuple(sorted((*queue, ("window", "15m"))))] == 2


async def test_on_a_terminal_a_bar_shows_how_far_it_is_and_elsewhere_none_does(
    fresh_broker: Broker, recording: Path
) -> None:
    async with running_service(fresh_broker, at=DAY[-1].time):
        ours, terminal = pty.openpty()
        shown = await begun(recording, fresh_broker, "--speed", "max", stderr=terminal)
        os.close(terminal)
        # The terminal is read until all that write to it have closed it, which Linux tells as an error.
        bar = await asyncio.to_thread(_read_terminal, ours)
        assert await shown.wait() == 0
        _, said = await (await begun(recording, fresh_broker, "--speed", "max")).communicate()

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
