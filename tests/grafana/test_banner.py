"""The banner says whatever is wrong with the feed: a real Prometheus is asked about feeds that once were."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from scripts.dashboards.banner import feed_state
from scripts.dashboards.frame import page_of
from tests.grafana.shown import substituted
from tests.monitoring import Prometheus, configuration, prometheus

pytestmark = pytest.mark.asyncio(loop_scope="module")

PART = 'topic="contacts",partition="0"'
FEEDS: Mapping[str, Mapping[str, float]] = {
    "well": {},
    "late": {"contact_newest_event_timestamp_seconds": -400},
    "silent": {"contact_applied_timestamp_seconds": -31, "contact_newest_event_timestamp_seconds": -400},
    "behind": {"contact_record_timestamp_seconds": -31, "contact_consumer_lag_records": 7},
    "behind, but all is applied": {"contact_record_timestamp_seconds": -31},
    "recovering": {"contact_ready": 0, "contact_consumer_lag_records": 7},
    "worker gone": {"up": 0},
    "its container gone, too": {},
    "broker away": {"contact_broker_silent_timestamp_seconds": -5, "contact_ready": 0},
    "partition away": {"contact_partition_silent_timestamp_seconds": -5},
}
"""What differs from a feed that is well: seconds from now for instants."""

STATES = {"well": 0, "late": 1, "silent": 2, "behind": 3, "behind, but all is applied": 0}
STATES |= {"recovering": 4, "worker gone": 4, "its container gone, too": 4}
STATES |= {"broker away": 5, "partition away": 5}

WELL = {
    "up": 1.0,
    "contact_ready": 1.0,
    "contact_partition_owned": 1.0,
    "contact_consumer_lag_records": 0.0,
    "contact_record_timestamp_seconds": -1.0,
    "contact_applied_timestamp_seconds": -1.0,
    "contact_newest_event_timestamp_seconds": -1.0,
}
OF_A_PARTITION = ("consumer_lag", "record", "applied", "partition_")

BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)


def instant_of(feed: str) -> datetime:
    """When a feed was so: far enough from the others for nobody to look back that far."""
    return BEGIN + timedelta(minutes=20 * list(FEEDS).index(feed))


def history() -> str:
    lines = []
    for feed, different in FEEDS.items():
        at = instant_of(feed).timestamp()
        for name, number in {**WELL, **different}.items():
            part = "," + PART if name.removeprefix("contact_").startswith(OF_A_PARTITION) else ""
            value = at + number if "timestamp" in name else number
            lines.append(f'{name}{{job="contact-stream",instance="a"{part}}} {value} {at:.3f}\n')
    # Of a container that is gone nothing is left but what it owned: Prometheus has no target to call down.
    before = instant_of("its container gone, too").timestamp() - 600
    lines.append(
        f'contact_partition_owned{{job="contact-stream",instance="b",topic="contacts",partition="1"}} 1 {before:.3f}\n'
    )
    return "".join([*lines, "# EOF\n"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def remembering(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    async with prometheus(tmp_path_factory.mktemp("feeds"), configuration({}), history=history()) as watching:
        yield watching


@pytest.mark.parametrize("variables", [True, False], ids=["chosen", "shared"])
@pytest.mark.parametrize("feed", FEEDS)
async def test_the_worst_that_is_wrong_is_said(feed: str, variables: bool, remembering: Prometheus) -> None:  # noqa: FBT001  # a parameter
    query = substituted(feed_state(page_of("en", variables=variables)))

    (said,) = await remembering.query(query, at=instant_of(feed))

    assert said.value == STATES[feed]


async def test_without_figures_there_is_no_answer_which_the_panel_says_in_words(remembering: Prometheus) -> None:
    query = substituted(feed_state(page_of("en")))

    assert await remembering.query(query, at=BEGIN - timedelta(minutes=1)) == []
