"""What is recorded of customers over several workers is what the board shows of all of them."""

from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
import pytest_asyncio

from scripts.alerts.customers import AT_START, CUSTOMER_RECORDINGS, recorded
from scripts.customer_formulas import JOURNEYS, MEMBER_RATIOS, PERCENTILES, QUEUE_RATIOS, changed
from scripts.dashboards import customer_queries as ask
from scripts.dashboards.queries import Scope
from stream.app.catalogue import metric
from stream.core.collector import metric_families
from stream.core.family import Board
from stream.core.figure import Reading
from stream.families.customers import columns
from stream.families.customers.family import FAMILY
from stream.families.customers.figures import FIGURES
from stream.families.customers.labelled import CustomerFigure
from stream.families.customers.shown import CUSTOMER_FACTS
from stream.families.customers.snapshot import CustomersSnapshot
from stream.http.exposition import TextFormat, written
from tests.families.customers.spread import ENDED, share_of_workers, together
from tests.monitoring import Prometheus, configuration, prometheus
from tests.running import parsed

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKERS = 3

Labels = tuple[tuple[str, str], ...]

RECORDED = {one.name: one.expr for one in CUSTOMER_RECORDINGS}
BY_NAME = {one.metric.name: one for one in FIGURES if one.metric is not None}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watching(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    history = "".join([*sorted(lines()), "# EOF\n"])
    async with prometheus(tmp_path_factory.mktemp("customers"), configuration({}), history=history) as one:
        yield one


def lines() -> Iterator[str]:
    """What a page of each worker shows at the end of the quarter."""
    for number, share in enumerate(share_of_workers(WORKERS)):
        board = Board(at=ENDED, snapshots={"customers": tuple(share)})
        for (name, labels), value in parsed(
            written(metric_families(board, (FAMILY,)), TextFormat.TEXT).decode()
        ).items():
            text = ",".join(f'{label}="{told}"' for label, told in (*labels, ("instance", f"worker-{number}")))
            yield f"{name}{{{text}}} {value} {ENDED.timestamp():.0f}\n"


def shown(name: str, snapshots: Sequence[CustomersSnapshot]) -> dict[Labels, float]:
    """What the board shows of a figure, by the labels of its metric; of nothing there is nothing."""
    figure = BY_NAME[name]
    found = {}
    for window in windows_of(figure):
        columns_of = figure.by or ({} if figure.column is None else {"": figure.column})
        for tail, column in columns_of.items():
            assert figure.labels_of is not None
            for one, value in zip(snapshots, column(Reading(ENDED, snapshots), window), strict=True):
                labels = figure.labels_of(one)
                if labels is not None and value is not None:
                    told = (*labels, *((window,) if figure.windowed else ()), *((tail,) if tail else ()))
                    found[named(dict(zip(metric(name).labels, told, strict=True)))] = value
    return found


def windows_of(figure: CustomerFigure) -> Sequence[str]:
    return (figure.written_in or ()) if figure.windowed else ("",)


def named(labels: dict[str, str]) -> Labels:
    """Labels but for those that are empty, which Prometheus does not keep."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


async def answered(watching: Prometheus, expr: str, window: str = "") -> dict[Labels, float]:
    told = {"window": window} if window else {}
    return {named(told | one.labels): one.value for one in await watching.query(expr, at=ENDED)}


@pytest.mark.parametrize("name", [*QUEUE_RATIOS, *MEMBER_RATIOS])
async def test_a_figure_that_is_recorded_over_workers_is_that_of_the_board(name: str, watching: Prometheus) -> None:
    expected = shown(name, together(share_of_workers(WORKERS)))

    assert await answered(watching, RECORDED[recorded(name)]) == pytest.approx(expected)
    assert len(expected) > 2


@pytest.mark.parametrize("name", PERCENTILES)
async def test_a_percentile_over_workers_is_that_of_all_solutions(name: str, watching: Prometheus) -> None:
    expected = {
        labels: value
        for labels, value in shown(name, together(share_of_workers(WORKERS))).items()
        if ("window", "30d") in labels
    }

    assert await answered(watching, RECORDED[recorded(name)], "30d") == pytest.approx(expected)
    assert expected


@pytest.mark.parametrize("name", JOURNEYS)
async def test_contacts_around_purchases_are_those_of_the_board(name: str, watching: Prometheus) -> None:
    expected = shown(name, together(share_of_workers(WORKERS)))

    found = await answered(watching, RECORDED[recorded(name)], "90d")

    assert {labels: found[labels] for labels in expected} == pytest.approx(expected, rel=1e-5)
    # A channel by which nobody came for long is 0 here, and not listed there.
    assert not any(value for labels, value in found.items() if labels not in expected and "usual" not in name)
    assert len(expected) > 3


async def test_what_changed_on_a_dashboard_is_what_changed_on_the_board(watching: Prometheus) -> None:
    reading = Reading(ENDED, together(share_of_workers(WORKERS)))
    expected = {
        named({"tenant": one.tenant, "plan": one.plan, "group": one.group, "by": channel}): more
        for one, channels in zip(reading.snapshots, CUSTOMER_FACTS["journey_changed"](reading, "90d"), strict=True)
        for channel, (more, _) in channels.items()
    }

    found = await answered(watching, changed(ask.sums(Scope(variables=False), ask.MEMBERS)))

    assert found == pytest.approx(expected, rel=1e-5)
    assert len(expected) > 2


async def test_customers_at_the_start_of_a_window_are_those_of_the_board(watching: Prometheus) -> None:
    reading = Reading(ENDED, together(share_of_workers(WORKERS)))
    expected = {
        named({"tenant": one.tenant, "plan": one.plan, "group": one.group, "window": window}): number
        for window in ("30d", "month", "quarter")
        for one, number in zip(reading.snapshots, columns.at_start(reading, window), strict=True)
        if not one.queue
    }

    assert await answered(watching, RECORDED[AT_START]) == expected


async def test_a_mean_of_workers_would_be_another_figure() -> None:
    # If the shares were alike, averaging would go unnoticed.
    shares = [shown("contact_fcr_ratio", share) for share in share_of_workers(WORKERS)]
    whole = shown("contact_fcr_ratio", together(share_of_workers(WORKERS)))

    means = {labels: sum(share.get(labels, 0) for share in shares) / WORKERS for labels in whole}
    assert means != pytest.approx(whole, rel=0.01)
