"""What is asked about cases: ratios as the board has them, and right however the cases are spread over workers."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from scripts.dashboards import case_queries as ask
from scripts.dashboards.case_comparisons import open_of_both
from scripts.dashboards.queries import QUEUE, Scope
from stream.core.ratio import Ratio
from stream.families.cases import columns
from stream.families.cases.tally import CaseTally
from tests.grafana.shown import substituted
from tests.monitoring import Prometheus, configuration, prometheus

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCOPE = Scope(window="case_window")
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
WHERE = 'tenant="acme",queue="mail",channel="email"'

LEVEL = "contact_case_first_response_level_ratio"
MEAN, BUSINESS = "contact_case_first_response_mean_seconds", "contact_case_first_response_business_mean_seconds"
TIMES = "contact_case_first_response_seconds"

OF_THE_BOARD: dict[str, Ratio] = {
    LEVEL: columns.FIRST_RESPONSE_LEVEL,
    "contact_case_next_response_level_ratio": columns.NEXT_RESPONSE_LEVEL,
    "contact_case_resolution_ratio": columns.RESOLUTION,
    "contact_case_assigned_resolution_ratio": columns.RESOLUTION_OF_ASSIGNED,
    "contact_case_one_touch_ratio": columns.ONE_TOUCH,
    "contact_case_messages_per_resolution": columns.MESSAGES_PER_RESOLUTION,
}


@pytest.mark.parametrize("name", OF_THE_BOARD)
async def test_a_ratio_is_made_of_the_parts_that_the_board_makes_it_of(name: str) -> None:
    told: Any = SimpleNamespace(**{field: field for field in CaseTally.__struct_fields__})

    assert OF_THE_BOARD[name].parts(told) == ask.RATIOS[name]


def day_of(worker: str, samples: dict[str, float]) -> dict[str, float]:
    """What a worker shows: by series."""
    window = 'window="today"'
    labels = {
        f"{name}{{{WHERE},{window}}}" if "window" in name or name.endswith(("_ratio", "mean_seconds")) else name: value
        for name, value in samples.items()
    }
    return {
        series.replace("{", f'{{job="contact-stream",instance="{worker}",', 1): one for series, one in labels.items()
    }


def buckets(quick: int, slow: int) -> dict[str, float]:
    """A histogram of answers within half an hour, and within a day."""
    counts = {"1800.0": quick, "86400.0": quick + slow, "+Inf": quick + slow}
    return {f'{TIMES}_bucket{{{WHERE},le="{bound}"}}': many for bound, many in counts.items()}


MANY = {
    "contact_case_window_first_responses": 990,
    "contact_case_window_first_responses_in_target": 990,
    "contact_case_window_opened": 0,
    "contact_case_window_resolved": 4,
    MEAN: 60,
    BUSINESS: 30,
    f"contact_cases_waiting{{{WHERE}}}": 3,
    f"contact_cases_past_target{{{WHERE}}}": 0,
    f"contact_cases_due_within_hour{{{WHERE}}}": 0,
    f"contact_case_target_ratio{{{WHERE}}}": 0.9,
    f"contact_open_cases{{{WHERE.replace('email', 'chat')}}}": 5,
}
FEW = {
    "contact_case_window_first_responses": 10,
    "contact_case_window_first_responses_in_target": 0,
    "contact_case_window_opened": 8,
    "contact_case_window_resolved": 0,
    MEAN: 6060,
    f"contact_cases_waiting{{{WHERE}}}": 2,
    f"contact_cases_past_target{{{WHERE}}}": 1,
    f"contact_cases_due_within_hour{{{WHERE}}}": 0,
    f"contact_case_target_ratio{{{WHERE}}}": 0.9,
}


def history() -> Iterator[str]:
    """Two workers with very unequal parts of one queue; an hour ago a partition went from one to the other."""
    yesterday = {"a": buckets(100, 0), "b": buckets(0, 100)}
    today = {"a": buckets(0, 0), "b": buckets(100, 110)}
    for days, times in ((1, yesterday), (0, today)):
        at = (NOW - timedelta(days=days)).timestamp()
        for worker, samples in (("a", MANY), ("b", FEW)):
            for series, value in day_of(worker, samples | times[worker]).items():
                yield f"{series} {value} {at:.3f}\n"
    yield "# EOF\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watching(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    told = "".join([*sorted(line for line in history() if line != "# EOF\n"), "# EOF\n"])
    async with prometheus(tmp_path_factory.mktemp("cases"), configuration({}), history=told) as one:
        yield one


async def answer(watching: Prometheus, expr: str) -> float:
    (only,) = await watching.query(substituted(expr), at=NOW)
    return only.value


async def test_a_level_over_workers_is_that_of_all_answers_not_of_the_workers(watching: Prometheus) -> None:
    assert await answer(watching, ask.ratio(SCOPE, LEVEL, QUEUE)) == 0.99  # the mean of 1 and 0 would be 0.5


async def test_what_one_worker_solves_of_what_another_has_taken_in_counts(watching: Prometheus) -> None:
    assert await answer(watching, ask.ratio(SCOPE, "contact_case_resolution_ratio")) == 0.5


async def test_a_mean_over_workers_weighs_each_answer_alike(watching: Prometheus) -> None:
    assert await answer(watching, ask.mean(SCOPE, MEAN)) == 120


async def test_a_worker_without_a_mean_in_business_time_weighs_nothing_in_it(watching: Prometheus) -> None:
    assert await answer(watching, ask.mean(SCOPE, BUSINESS, QUEUE)) == 30


async def test_a_partition_that_changes_hands_is_no_rush_of_answers(watching: Prometheus) -> None:
    # In truth ten slow answers came in that day; `increase()` of each worker would see a hundred quick ones, too.
    assert await answer(watching, ask.quantile(SCOPE, 0.5, TIMES, "1d")) > 1800


async def test_contacts_and_cases_wait_together_and_apart(watching: Prometheus) -> None:
    assert await answer(watching, open_of_both(SCOPE)) == 10
    found = await watching.query(substituted(open_of_both(SCOPE, ("channel",))), at=NOW)
    assert {one.labels["channel"]: one.value for one in found} == {"chat": 5, "email": 5}


async def test_a_queue_that_keeps_its_target_is_at_risk_while_somebody_waits_too_long(watching: Prometheus) -> None:
    assert await answer(watching, ask.state(SCOPE)) == 2
