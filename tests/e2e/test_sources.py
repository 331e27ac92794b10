"""The commands of the sources against a broker and a worker, as an operator runs them."""

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.brokers import Broker
from tests.running import Figures, running_service, scrape, until

ROOT = Path(__file__).parents[2]
FAULTS = ROOT / "tests" / "sources" / "asterisk_queue_log" / "faults"
EVENING = datetime(2025, 10, 24, 10, 30, tzinfo=UTC)
QUEUE = (("channel", "voice"), ("queue", "q1"), ("tenant", "default"))


@asynccontextmanager
async def following(log: Path, broker: Broker) -> AsyncIterator[asyncio.subprocess.Process]:
    command = (
        "source",
        "asterisk-queue-log",
        str(log),
        "--follow",
        "--broker",
        broker.setting,
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "stream", *command, cwd=ROOT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


def counted(figures: Figures) -> tuple[float | None, ...]:
    return tuple(figures.get((f"contact_{name}_total", QUEUE)) for name in ("offered", "answered", "abandoned"))


async def test_two_pbxs_that_are_followed_have_two_callers_of_the_same_id_and_go_on_where_they_ended(
    fresh_broker: Broker, tmp_path: Path
) -> None:
    logs = [tmp_path / pbx / "queue_log" for pbx in ("a", "b")]
    for log in logs:
        log.parent.mkdir()
        shutil.copy(FAULTS / f"two_pbx_same_uniqueid_{log.parent.name}.log", log)
    async with running_service(fresh_broker, at=EVENING) as service:
        async with following(logs[0], fresh_broker), following(logs[1], fresh_broker):
            await until(lambda: service.feed.events.total() >= 8)
            assert counted(await scrape(service)) == (2, 1, 1)
        with logs[1].open("a") as grown:
            grown.write(
                "1761300200|1761300200.9|q1|NONE|ENTERQUEUE||200|1\n1761300230|1761300200.9|q1|NONE|ABANDON|1|1|30\n"
            )
        async with following(logs[1], fresh_broker):
            await until(lambda: service.feed.events.total() >= 10)

            assert counted(await scrape(service)) == (3, 1, 2)
            assert service.feed.duplicates == 0
