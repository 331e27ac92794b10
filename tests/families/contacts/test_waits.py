"""Percentiles of waits: what Prometheus would say of the same histogram."""

import json
import subprocess
from pathlib import Path
from random import Random

import pytest

from stream.core.distribution import distribution_of, quantile
from stream.families.contacts.tally import WAIT_BOUNDS_SECONDS, Tally, bucket_of_wait
from tests.monitoring import program


def test_within_a_bucket_a_percentile_lies_on_a_straight_line() -> None:
    counts, bounds = (5, 2, 4, 1), (10, 20, 100)

    assert [quantile(share, counts, bounds) for share in (0.2, 0.5, 0.8)] == pytest.approx([4.8, 15, 72])


def test_where_nobody_was_answered_there_is_no_percentile() -> None:
    nothing = distribution_of(Tally().waits, WAIT_BOUNDS_SECONDS)

    assert (nothing.p50, nothing.p95) == (None, None)


def test_of_a_wait_above_every_bound_the_highest_bound_is_known() -> None:
    tally = Tally(answered=1)
    tally.waits[bucket_of_wait(7_200_000)] = 1

    assert distribution_of(tally.waits, WAIT_BOUNDS_SECONDS).p50 == WAIT_BOUNDS_SECONDS[-1]


def cases() -> list[tuple[int, ...]]:
    """Histograms with gaps, with one bucket, with much above all bounds, and of every kind between."""
    chance = Random(7)
    size = len(WAIT_BOUNDS_SECONDS) + 1
    alone = [tuple(int(place == bucket) for place in range(size)) for bucket in range(size)]
    half = tuple(int(place in (0, 3)) for place in range(size))  # half of the waits end right at a bound
    return [half, *alone, *(tuple(chance.choice((0, 0, 1, 2, 9, 400)) for _ in range(size)) for _ in range(25))]


def test_percentiles_are_those_of_prometheus(tmp_path: Path) -> None:
    les = [*map(str, WAIT_BOUNDS_SECONDS), "+Inf"]
    series, checks = [], []
    for number, counts in enumerate(cases()):
        for place, le in enumerate(les):
            series.append(
                {"series": f'waits_bucket{{case="{number}",le="{le}"}}', "values": str(sum(counts[: place + 1]))}
            )
        for share in (0.5, 0.9, 0.95):
            expected = {"labels": f'{{case="{number}"}}', "value": quantile(share, counts, WAIT_BOUNDS_SECONDS)}
            expr = f'histogram_quantile({share}, waits_bucket{{case="{number}"}})'
            checks.append({"expr": expr, "eval_time": "0s", "exp_samples": [expected]})
    file = tmp_path / "test.json"  # JSON is YAML
    file.write_text(json.dumps({"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": checks}]}))

    judged = subprocess.run([program("promtool"), "test", "rules", file], capture_output=True, text=True, check=False)

    assert judged.returncode == 0, judged.stdout + judged.stderr
