"""Policies from TOML: what they change, and how their mistakes are named."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from stream.domain.policy import Formula
from stream.errors import SettingsError
from stream.policy_file import KEYS, load_policies, parse_policies

_FILE = """
[defaults]
target = 0.85
time_zone = "Europe/Ljubljana"

[[queue]]
name = "sales-*"
threshold_seconds = 15

[[queue]]
tenant = "acme"
name = "sales-vip"
channel = "voice"
formula = "E"
short_abandon_seconds = 0
day_starts = "06:30"
"""


def test_later_and_closer_rules_win_over_the_defaults() -> None:
    policies = parse_policies(_FILE, "policies.toml")

    vip = policies.of("acme", "sales-vip", "voice")
    other = policies.of("other", "sales-vip", "voice")

    assert (vip.target, vip.threshold, vip.formula) == (0.85, timedelta(seconds=15), Formula.ABANDONS_IN_TARGET_MET)
    assert (vip.short_abandon, vip.day_starts) == (timedelta(0), time(6, 30))
    assert (other.formula, other.day_starts) == (Formula.SHORT_ABANDONS_EXCLUDED, time(0))
    assert str(other.time_zone) == "Europe/Ljubljana"


def test_without_a_file_digital_contacts_may_stay_open_for_longer() -> None:
    policies = load_policies(None)

    assert policies.of("t", "q", "voice").ghost_after == timedelta(hours=4)
    assert policies.of("t", "q", "email").ghost_after == timedelta(days=14)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[defaults]\ntarget = \n", "line 2"),
        ("[defaults]\ntarget = 80", "defaults: target"),
        ("[defaults]\nthreshold_secs = 20", "did you mean threshold_seconds?"),
        ("[defaults]\nformula = 'Z'", "defaults: formula must be one of A, B"),
        ("[[queue]]\nname = 'a'\n[[queue]]\nthreshold_seconds = -1", "queue 2: threshold_seconds"),
        ("[[queue]]\nchannel = 'fax'", "queue 1: channel must be one of voice"),
        ("[[queue]]\nname = 7", "queue 1: name"),
        ("[defaults]\ntime_zone = 'Europe/Atlantis'", "defaults: time_zone"),
        ("[defaults]\nday_starts = '25:00'", "defaults: day_starts"),
        ("[defaults]\nday_starts = 06:00:30", "whole minutes"),
        ("[defaults]\nghost_after_seconds = 0", "more than 0"),
        ("[defaults]\nshort_abandon_seconds = true", "short_abandon_seconds"),
        ("queue = 3", "[[queue]]"),
        ("queue = [1]", "queue 1 must be a table: [[queue]]"),
        ("queue = [{name = 'a'}, 'b']", "queue 2 must be a table: [[queue]]"),
        ("[queues]\n", "queues is unknown"),
        ("[defaults]\ntarget = " + "9" * 5000, "too many digits"),
        ("queue = " + "[" * 100_000, "nested too deeply"),
    ],
)
def test_a_mistake_is_named_by_its_line_or_key(text: str, named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_policies(text, "policies.toml")

    assert named in str(caught.value)
    assert str(caught.value).startswith("policies.toml")


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_policies("[defaults]\ntarget = 2\nformula = 'x'\n[[queue]]\nnmae = 'a'", "p")

    assert len(str(caught.value).splitlines()) == 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml"):
        load_policies(tmp_path / "missing.toml")


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_of_a_policy_is_documented(key: str) -> None:
    page = Path(__file__).parents[1] / "docs" / "operations.md"

    assert f"| `{key}` |" in page.read_text()
