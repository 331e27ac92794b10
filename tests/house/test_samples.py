"""A test that finds no samples may skip; one that looks for them in the wrong place may not."""

from pathlib import Path

import pytest

from tests import samples
from tests.house.tree import ROOT
from tests.house_rules import EXCUSED


def test_without_samples_a_test_skips_with_the_excuse_that_ci_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "SHARED", tmp_path / "missing")

    with pytest.raises(pytest.skip.Exception, match=EXCUSED):  # that it skips is what is tested
        samples.sample("a.log")


def test_a_sample_that_is_not_where_a_test_looks_is_no_excuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SHARED", tmp_path)

    with pytest.raises(AssertionError, match=r"a\.log is missing"):
        samples.sample("a.log")


def test_no_other_test_has_that_excuse_or_a_path_of_its_own() -> None:
    own = {ROOT / "tests" / name for name in ("samples.py", "house_rules.py", "house/test_house_rules.py")}
    found = [
        file
        for file in (ROOT / "tests").rglob("*.py")
        if file not in own
        and file != Path(__file__)
        and ("shared is missing" in (text := file.read_text()) or '/ "shared"' in text)
    ]

    assert found == []
