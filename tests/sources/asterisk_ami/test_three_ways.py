"""The same calls of an Asterisk that ran: by its queue_log, by that in a database, and by its manager interface."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from stream.core.cloudevents import Event
from stream.sources.asterisk_queue_log.source import Options, read
from stream.sources.intake import Intake
from tests.samples import sample
from tests.sources.asterisk_ami.test_ami_connection import pulled
from tests.sources.asterisk_queue_log_database.tables import FakeTable, events_of, puller, rows_of
from tests.sources.manager_messages import recorded, serving
from tests.timeline import fold_of, shown

LOG = "asterisk-ami/session_queue_log.txt"
SESSIONS = ("session_filtered", "session_filtered_after_reconnect", "restart_before", "restart_after")
CLOCKS = (1_795_781_249, 1_795_781_337.5, 1_795_781_505, 1_795_781_536)
"""When each session begins: between the first two the connection was lost, behind the third Asterisk was restarted."""

LATER = datetime(2026, 11, 27, 13, tzinfo=UTC)

BY_HAND = {
    "sales": {"offered": 9, "answered": 2, "answer_wait_ms": 4_000, "abandoned": 4},
    "support": {"offered": 7, "answered": 4, "answer_wait_ms": 14_000, "abandoned": 3},
}
ONLY_LIVE = "blocked"
"""Whom a queue did not let in the log of this Asterisk does not say."""


def figures(events: list[Event]) -> dict[str, dict[str, Any]]:
    """Return everything that is counted of each queue."""
    calls = [event for event in events if event.topic == "contacts"]
    totals = {queue.queue: asdict(queue.total) for queue in shown(fold_of(calls), LATER)}
    return {
        queue: {name: number for name, number in totals[queue].items() if not name.startswith(ONLY_LIVE)}
        for queue in BY_HAND
    }


async def test_the_same_calls_have_the_same_figures_by_log_by_table_and_by_manager_interface(tmp_path: Path) -> None:
    by_log = list(read(Options(file=sample(LOG)), Intake()))
    by_table = await events_of(puller(FakeTable(rows_of(sample(LOG).read_text(encoding="utf-8")))))
    async with serving(*map(recorded, SESSIONS), clocks=CLOCKS) as pbx:
        by_manager, _ = await pulled(
            pbx, pbx.write_file(tmp_path), lambda told: told[-1].time.timestamp() > 1_795_781_525.662
        )

    assert figures(by_log) == figures(by_table) == figures(by_manager)
    assert {queue: {name: figures(by_log)[queue][name] for name in told} for queue, told in BY_HAND.items()} == BY_HAND
