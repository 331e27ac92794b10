"""How long the gateway looks at a key: it must not tell who guesses how much of a guess is right."""

import statistics
import tempfile
from pathlib import Path
from random import Random
from time import perf_counter_ns
from typing import Final

from bench.judged import Judged
from bench.report import at_most, fact
from stream.gateway.keys import KeyFile, new_key

__all__ = ["measure"]

LOOKS: Final = 200_000
MOST_APART: Final = 1.02
"""So many times as long one wrong key may take as another; no network tells as little."""


def measure() -> list[Judged]:
    """Look at keys of four kinds, mixed by chance, and compare the medians."""
    right, digest = new_key("pbx")
    name, _, secret = right.partition(".")
    kinds = {
        "the right one": right,
        "its first letter wrong": f"{name}.{_other(secret[0])}{secret[1:]}",
        "its last letter wrong": right[:-1] + _other(right[-1]),
        "a name that there is not": f"pby.{secret}",
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "keys.toml"
        file.write_text(f'[keys.{name}]\ndigests = ["{digest}"]\n', encoding="utf-8")
        medians = _medians(KeyFile(file), kinds)
    first, last = medians["its first letter wrong"], medians["its last letter wrong"]
    return [
        *(fact(f"a look at a key: {kind}, median, µs", f"{median / 1000:.3f}") for kind, median in medians.items()),
        at_most("… last letter wrong : first letter wrong", max(first, last) / min(first, last), MOST_APART, "{:.3f}"),
    ]


def _medians(keys: KeyFile, kinds: dict[str, str]) -> dict[str, float]:
    taken: dict[str, list[int]] = {kind: [] for kind in kinds}
    chance, names = Random(1), list(kinds)
    for _ in range(LOOKS):
        kind = chance.choice(names)
        began = perf_counter_ns()
        keys.source_of(kinds[kind])
        taken[kind].append(perf_counter_ns() - began)
    return {kind: statistics.median(times) for kind, times in taken.items()}


def _other(letter: str) -> str:
    return "A" if letter != "A" else "B"
