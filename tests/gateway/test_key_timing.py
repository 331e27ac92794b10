"""How long a key is looked at says nothing of it: the same work is done for every key, good or wrong, known or not."""

import hmac
from collections import Counter
from pathlib import Path

import pytest

from stream.gateway import keys
from stream.gateway.keys import KeyFile, new_key


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts digests that are made, and comparisons, which are those of constant time."""
    done: Counter[str] = Counter()
    digest = keys._digest

    def counted_digest(key: str, salt: bytes) -> str:
        done["digests"] += 1
        return digest(key, salt)

    def counted_compare(one: str, other: str) -> bool:
        done["comparisons"] += 1
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(keys, "_digest", counted_digest)
    monkeypatch.setattr(keys, "compare_digest", counted_compare)
    return done


def test_every_key_costs_the_same_work(tmp_path: Path, work: Counter[str]) -> None:
    good, digest = new_key("pbx")
    rotated, second = new_key("desk")
    path = tmp_path / "keys.toml"
    path.write_text(
        f'[keys.pbx]\ndigests = ["{digest}"]\n[keys.desk]\ndigests = ["{new_key("desk")[1]}", "{second}"]\n',
        encoding="utf-8",
    )
    file = KeyFile(path)
    tried = {
        "good": good,
        "the newer of two": rotated,
        "wrong from its first character on": f"pbx.{'x' * 43}",
        "wrong in its last character": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "of another": rotated.replace("desk", "pbx"),
        "of nobody": f"nobody.{'x' * 43}",
        "no key at all": "",
        "short": "pbx.",
    }
    costs = {}
    found = {}
    for what, key in tried.items():
        work.clear()
        found[what] = file.source_of(key) is not None
        costs[what] = work["digests"], work["comparisons"]

    assert [what for what, is_good in found.items() if is_good] == ["good", "the newer of two"]
    assert set(costs.values()) == {(2, 2)}, costs
