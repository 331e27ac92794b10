"""A queue that changes hands: for one scrape two workers may show it, and it still counts once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from scripts.dashboards.queries import Scope
from tests.grafana.shown import substituted
from tests.monitoring import configuration, prometheus

SCOPE = Scope()


def history(at: datetime) -> str:
    """Two workers at one instant: both show the queue `sales`, where 5 wait and the target is missed."""
    lines = []
    for minute in range(-3, 1):
        for worker in ("a", "b"):
            where = f'job="contact-stream",instance="{worker}",tenant="t",queue="sales",channel="voice"'
            samples = {
                f"contact_open_cases{{{where}}}": 5,
                f'contact_service_level_ratio{{{where},window="30m"}}': 0.7,
                f"contact_service_level_target_ratio{{{where}}}": 0.8,
                f"contact_waiting_past_threshold{{{where}}}": 2,
            }
            when = (at + timedelta(minutes=minute)).timestamp()
            lines += [f"{series} {value} {when:.3f}\n" for series, value in samples.items()]
    return "".join([*sorted(lines), "# EOF\n"])


async def test_a_queue_that_two_workers_show_counts_once(tmp_path: Path) -> None:
    at = datetime.now(UTC) - timedelta(hours=3)
    async with prometheus(tmp_path, configuration({}), history=history(at)) as watching:
        twice = await watching.query("sum (contact_open_cases)", at=at)
        (waiting,) = await watching.query(substituted(SCOPE.total("contact_open_cases")), at=at)
        (state,) = await watching.query(substituted(SCOPE.state()), at=at)

    assert twice[0].value == 10
    assert waiting.value == 5
    assert 3 < state.value < 4
    assert state.labels == {"tenant": "t", "queue": "sales", "channel": "voice"}
