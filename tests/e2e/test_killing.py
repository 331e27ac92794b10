"""Proof by killing, on Apache Kafka: whatever dies while events come in, the figures are those of `replay`."""

import asyncio
import os
import random
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.apache_kafka.cluster import Cluster
from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.core.collector import FEW_SERIES
from stream.core.family import Board
from stream.families.registry import FAMILIES
from stream.http.exposition import TextFormat, written
from tests.board.boards import families_of
from tests.e2e.busy_day import NOON, POLICY, busy_day, without_corrections
from tests.e2e.chaos import SESSION_SECONDS, Chaos, Deed, schedule, send_paced
from tests.e2e.crew import Crew
from tests.running import Figures, parsed

PARTITIONS = 12

IN_PARTS = tuple(
    figure.metric.name for family in FAMILIES if family.parts for figure in family.figures if figure.metric is not None
)
"""Series of one queue are on several workers, since keys are agents and cases. Every other series lives on one."""

FIRST_SEED = int(os.environ.get("CHAOS_SEED", "1"))
SEEDS = range(FIRST_SEED, FIRST_SEED + int(os.environ.get("CHAOS_ROUNDS", "1")))
"""One in CI; `make chaos` tries more."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.parametrize("seed", SEEDS)]


class Scenario(NamedTuple):
    """What is to happen, to one worker at first."""

    centres: int
    """How much is sent: 65,000 events of each, and the fifth part of them again."""
    at_random: Sequence[Deed]
    in_order: Sequence[Deed]


ONE_BROKER = Scenario(
    centres=5,
    at_random=[Deed.KILL] * 8 + [Deed.KILL_AT_WORK] * 10 + [Deed.KILL_ALL] + [Deed.FREEZE] * 3 + [Deed.KILL_BROKER],
    in_order=[Deed.ADD, Deed.ADD, Deed.REMOVE, Deed.REMOVE, Deed.ADD],
)
THREE_BROKERS = Scenario(
    centres=3,
    at_random=[Deed.KILL] * 3 + [Deed.KILL_AT_WORK] * 6 + [Deed.FREEZE] * 2,
    in_order=[Deed.ADD, Deed.KILL_BROKER, Deed.LOSE_BROKER],
)


async def test_workers_and_their_only_broker_are_killed_and_no_figure_differs(
    kafka_of_one: Cluster, tmp_path: Path, seed: int
) -> None:
    await prove(kafka_of_one, ONE_BROKER, tmp_path, seed)


async def test_one_of_three_brokers_is_killed_another_lost_for_good_and_no_figure_differs(
    kafka_of_three: Cluster, tmp_path: Path, seed: int
) -> None:
    await prove(kafka_of_three, THREE_BROKERS, tmp_path, seed)


async def prove(cluster: Cluster, scenario: Scenario, home: Path, seed: int) -> None:
    """Do the deeds while the day is sent, then compare; and compare what the next worker recovers."""
    chance, began = random.Random(seed), time.monotonic()
    day = busy_day(centres=scenario.centres, seed=seed)
    print(f"\nseed {seed}: {len(day)} events; logs in {home}", flush=True)
    async with (
        Crew(NOON, environment(cluster, home), home) as crew,
        Chaos(cluster, crew, chance, partitions=PARTITIONS) as chaos,
    ):
        crew.start()
        await chaos.until_ready()
        hurry = asyncio.Event()
        async with asyncio.TaskGroup() as both:
            both.create_task(send_paced(cluster.address, day, hurry))
            await chaos.run(schedule(chance, scenario.at_random, in_order=scenario.in_order))
            hurry.set()
        replayed = replay(day, policies=policies_of(POLICY, "policies"))
        expected = series_of(replayed.board(NOON))
        assert_shows(*await chaos.settled(), expected)
        # Not only the workers that are left: the changelogs, too, whatever zombies wrote into them.
        await chaos.kill_all()
        assert_shows(*await chaos.settled(), expected)
        print(f"{await chaos.summary(replayed.events)}; {time.monotonic() - began:.0f} s", flush=True)


def environment(cluster: Cluster, home: Path) -> dict[str, str]:
    (home / "policies.toml").write_text(POLICY)
    settings = {
        "broker": f"kafka://{cluster.address}",
        "group": f"killing-{uuid.uuid4().hex[:8]}",
        "partitions": PARTITIONS,
        "replication": len(cluster.nodes),
        "session_timeout": f"PT{SESSION_SECONDS:g}S",
        "checkpoint_interval": "PT0.02S",  # hardly a pause: most kills come in the middle of one
        "http_port": 0,
        "policies": home / "policies.toml",
    }
    return {f"CONTACT_STREAM_{name.upper()}": str(value) for name, value in settings.items()}


def series_of(board: Board) -> Figures:
    return parsed(written(families_of(without_corrections(board), FEW_SERIES), TextFormat.TEXT).decode())


def assert_shows(pages: Sequence[Figures], board: Board, expected: Figures) -> None:
    """On the board of all workers the same series, no more, no fewer, no other value; and on pages each once."""
    assert_same(series_of(board), expected)
    # What comes in parts is on several pages, and a ratio of parts says nothing of the whole.
    whole = {key: value for key, value in expected.items() if not key[0].startswith(IN_PARTS)}
    names = {name for name, _ in whole}
    shown = [key for page in pages for key in page if key[0] in names]
    assert [f"{key}" for key, count in Counter(shown).items() if count > 1] == []
    assert_same({key: value for page in pages for key, value in page.items() if key[0] in names}, whole)


def assert_same(shown: Figures, expected: Figures) -> None:
    differ = {
        key: (shown.get(key), expected.get(key)) for key in shown | expected if shown.get(key) != expected.get(key)
    }
    assert not differ, (
        f"{len(differ)} of {len(expected)} series differ (shown, expected): {sorted(differ.items())[:20]}"
    )
