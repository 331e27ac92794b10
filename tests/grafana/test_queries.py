"""Every query of every dashboard is asked of a real Prometheus that watches real workers."""

import math
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import pytest_asyncio

from scripts.dashboards.frame import page_of
from scripts.dashboards.queries import STATE
from scripts.dashboards.ways_in import SOURCE_SPEEDS, SPEEDS
from stream.app.catalogue import BY_NAME
from tests.brokers import Broker
from tests.grafana.shown import Shown, dashboards, names_in, queries_of, substituted, variables_of
from tests.grafana.watching import Watched, watched
from tests.monitoring import Prometheus, Sample

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

MAY_BE_EMPTY: Mapping[str, str] = {
    **{
        page_of("en").words[key]: "neither a gateway nor a source of its own runs beside these workers"
        for key in (
            *SPEEDS,
            *SOURCE_SPEEDS,
            "spool",
            "spool_age",
            "spool_used",
            "spool_broken",
            "source_age",
            "source_connected",
        )
    },
    "Age of the newest record where records wait": "none waits once all are applied",
    "Alerts": "nothing is wrong; tests/e2e/test_alerting.py asks while something is",
    "Not counted": "all customers are within the limits",
    "What changed": "with few customers all may be chance; tests/alerts/test_customer_recordings.py compares the parts",
}
"""Panels without an answer on a good day, and why."""

QUERIES = [query for name, board in dashboards().items() for query in queries_of(name, board)]
QUEUE = ("tenant", "queue", "channel")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crews(own_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Watched, Watched]]:
    """One worker, and two that share the same work."""
    async with watched(own_broker, tmp_path_factory.mktemp("prometheus"), (1, 2)) as (one, two):
        yield one, two


async def asked(watching: Prometheus, query: Shown) -> list[Sample]:
    """Return the answer that a panel shows last: of a range, its newest point."""
    expr = substituted(query.expr)
    if query.instant:
        return await watching.query(expr)
    now = datetime.now(UTC)
    found = await watching.query_range(expr, start=now - timedelta(seconds=5), end=now, step=timedelta(seconds=1))
    return [Sample(one.labels, one.points[-1][1]) for one in found]


def wrong_with(query: Shown, answer: list[Sample]) -> str | None:
    """Say what a panel could not show; None when all is well."""
    if all(math.isnan(sample.value) for sample in answer):
        return None if query.panel in MAY_BE_EMPTY else f"no answer: {query}"
    known = {label for name in names_in(query.expr) for label in labels_of(name)} | {"le", "instance"}
    named = set(re.findall(r"\{\{(\w+)\}\}", query.legend)) if query.kind != "table" else set(query.columns)
    for sample in answer:
        if not named <= set(sample.labels) <= known:
            return f"labels {sorted(sample.labels)}: shown are {sorted(named)}, there are {sorted(known)}: {query}"
    return None


def labels_of(name: str) -> tuple[str, ...]:
    return (BY_NAME.get(name) or BY_NAME[name.rpartition("_")[0]]).labels


def depends_on_workers(query: Shown) -> bool:
    """Whether the answer tells of workers or of the second it was asked, and may therefore differ."""
    return query.dashboard == "pipeline" or any(sign in query.expr for sign in ("time", "$__", "[1h]"))


def rounded(answer: list[Sample]) -> dict[tuple[tuple[str, str], ...], str]:
    return {tuple(sorted(sample.labels.items())): f"{sample.value:.9g}" for sample in answer}


async def test_every_query_of_every_panel_has_an_answer_with_the_labels_it_shows(
    crews: tuple[Watched, Watched],
) -> None:
    wrong = [wrong_with(query, await asked(crew.prometheus, query)) for crew in crews for query in QUERIES]

    assert not any(wrong), "\n".join(filter(None, wrong))


async def test_two_workers_give_the_answers_of_one(crews: tuple[Watched, Watched]) -> None:
    one, two = (crew.prometheus for crew in crews)
    compared = [query for query in QUERIES if not depends_on_workers(query)]

    differing = [query for query in compared if rounded(await asked(one, query)) != rounded(await asked(two, query))]

    assert not differing, "\n".join(map(str, differing))
    assert len(compared) > 100


async def test_every_variable_offers_what_there_is(crews: tuple[Watched, Watched]) -> None:
    offered = {}
    for board in dashboards().values():
        for name, query in variables_of(board).items():
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
            assert found is not None, query
            offered[name] = await crews[0].prometheus.ask(
                f"label/{found[2]}/values", **{"match[]": substituted(found[1])}
            )

    assert {name: len(values) for name, values in offered.items()} == {
        "job": 1,
        "instance": 1,
        "tenant": 2,
        "queue": 6,
        "channel": 3,
        "window": 2,
        "case_window": 3,
        "days": 2,
        "customer_window": 3,
        "period": 3,
        "plan": 3,
        "group": 2,
    }


async def test_a_queue_has_the_state_that_the_live_board_gives_it(crews: tuple[Watched, Watched]) -> None:
    watching, (worker, *_) = crews[0]
    async with aiohttp.ClientSession() as session, session.get(f"{worker.address}/board.json?window=30m") as answer:
        rows = (await answer.json())["panels"]["contacts"]["rows"]

    shown = {
        tuple(sample.labels[label] for label in QUEUE): word_of(sample.value)
        for sample in await watching.query(substituted(page_of("en").scope.state()))
    }

    assert shown == {tuple(row[label] for label in QUEUE): f"state_{row['state']}" for row in rows}
    assert len(set(shown.values())) > 1


def word_of(number: float) -> str:
    return next(key for key, (low, high) in STATE.items() if low <= number <= high)


async def test_the_formula_of_a_queue_gives_its_service_level(crews: tuple[Watched, Watched]) -> None:
    (table,) = (query for query in QUERIES if query.panel == "Service level by formula" and query.legend == "C")
    watching = crews[0].prometheus
    by_formula = {
        tuple(sample.labels[label] for label in QUEUE): sample.value for sample in await asked(watching, table)
    }
    levels = await watching.query('contact_service_level_ratio{window="30m"}')

    assert len(by_formula) > 3
    assert by_formula == pytest.approx(
        {tuple(sample.labels[label] for label in QUEUE): sample.value for sample in levels}
    )
