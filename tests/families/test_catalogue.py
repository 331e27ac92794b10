from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import metrics_page as page
from stream.app.catalogue import BY_NAME, CATALOGUE, SECTIONS
from stream.core.metric import Kind, Metric
from stream.core.samples import MetricFamily
from stream.core.windows import EPOCH
from stream.gateway.gateway_metrics import PostCounts, gateway_families
from stream.http.build import build_families
from stream.http.client_library import registry_of
from stream.sources.intake import Intake
from stream.sources.intake_metrics import puller_families
from stream.status.metrics import feed_families
from tests.board.boards import families_of
from tests.families.everything import a_busy_board, a_busy_feed

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"

each_metric = pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)


def test_every_name_is_there_once() -> None:
    assert len(BY_NAME) == len(CATALOGUE)


@each_metric
def test_names_follow_the_rules_of_prometheus(metric: Metric) -> None:
    assert metric.name.startswith("contact_")
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.name.endswith("_info") == (metric.kind is Kind.INFO)
    assert metric.name.endswith("_ratio") == (metric.unit == "ratio")
    assert ("_seconds" in metric.name) == (metric.unit == "seconds")


@each_metric
def test_a_meaning_is_a_sentence(metric: Metric) -> None:
    assert metric.meaning.endswith(".")
    assert metric.meaning[0].isupper() or metric.meaning[0].isdigit()


@each_metric
def test_no_label_tells_who_it_was(metric: Metric) -> None:
    bounded = {
        *("tenant", "queue", "channel", "window", "reason", "state", "formula", "figure", "event", "source", "team"),
        *("topic", "partition", "section", "family", "version", "python", "status", "priority", "age", "clock"),
        *("kind", "bound", "group", "plan", "by", "le", "up_to", "currency", "outcome", "system"),
    }

    assert set(metric.labels) <= bounded


def test_the_pages_show_what_the_catalogue_names_and_nothing_else() -> None:
    of_a_worker = [*families_of(a_busy_board()), *feed_families(a_busy_feed()), *build_families()]
    families = [*of_a_worker, *of_a_busy_gateway(), *of_a_busy_source()]
    told_by_the_writer = {one.name for one in SECTIONS["page"]}

    assert {family.metric.name for family in families} | told_by_the_writer == set(BY_NAME)


def of_a_busy_gateway() -> Iterator[MetricFamily]:
    counts = PostCounts(Counter({202: 1}), Counter({"pbx": 1}), Counter({("pbx", "not_json"): 1}))
    spool = SimpleNamespace(events=1, bytes=1, limit_bytes=1, broken=None, oldest=1.0, aside=1)
    return gateway_families(counts, SimpleNamespace(spool=spool, set_aside_counts={}))  # type: ignore[arg-type]  # its figures


def of_a_busy_source() -> Iterator[MetricFamily]:
    intake = Intake(used=Counter({"Join": 1}), newest=EPOCH, connected={"berlin": True})
    return puller_families("pbx", intake, 0)


def test_every_sample_has_the_labels_of_the_catalogue() -> None:
    by_family = {one.family: one for one in CATALOGUE}
    families = list(registry_of(lambda: families_of(a_busy_board())).collect())

    for family in families:
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(by_family[family.name].labels)


def test_docs_metrics_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == page.written(), "run: python -m scripts.metrics_page > docs/metrics.md"
