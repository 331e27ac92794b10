"""Real records of call systems, which stand beside the project and not in it: whoever lacks them skips their tests."""

from pathlib import Path

import pytest

from tests.house_rules import EXCUSED

__all__ = ["sample"]

SHARED = Path(__file__).parents[2] / "shared"


def sample(name: str) -> Path:
    """Return the file of that name among the samples; skips the test where there are none at all."""
    if not SHARED.exists():
        pytest.skip(f"{EXCUSED}: it holds {name}")
    found = SHARED / "samples" / name
    # A test that looks in the wrong place must not pass for one that is excused.
    assert found.exists(), f"{found} is missing, and the folder of samples is not"
    return found
