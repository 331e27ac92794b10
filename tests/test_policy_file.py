"""Policies from TOML: what they change, and how their mistakes are named."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from stream.app.policy_file import KEYS, load_policies, policies_of
from stream.errors import SettingsError
from stream.families.contacts.rules import RULES, Formula

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
    policies = policies_of(_FILE, "policies.toml")

    vip = policies.of(RULES, "acme", "sales-vip", "voice")
    other = policies.of(RULES, "other", "sales-vip", "voice")

    assert (vip.target, vip.threshold, vip.formula) == (0.85, timedelta(seconds=15), Formula.ABANDONS_IN_TARGET_MET)
    assert (vip.short_abandon, vip.day_starts) == (timedelta(0), time(6, 30))
    assert (other.formula, other.day_starts) == (Formula.SHORT_ABANDONS_EXCLUDED, time(0))
    assert str(other.time_zone) == "Europe/Ljubljana"


def test_limits_of_alerts_are_policy() -> None:
    text = """
    [defaults]
    minimum_volume = 10
    longest_wait_limit_seconds = 90
    abandonment_limit = 0.05
    blocking_limit = 0.02
    team = "claims-team"
    """
    policy = policies_of(text, "p").of(RULES, "t", "q", "voice")

    assert (policy.minimum_volume, policy.longest_wait_limit) == (10, timedelta(seconds=90))
    assert (policy.abandonment_limit, policy.blocking_limit, policy.team) == (0.05, 0.02, "claims-team")


def test_limits_are_lenient_where_nobody_said_anything() -> None:
    policies = load_policies(None)

    assert policies.of(RULES, "t", "q", "voice").longest_wait_limit == timedelta(minutes=10)
    assert policies.of(RULES, "t", "q", "email").longest_wait_limit == timedelta(days=2)
    assert policies.of(RULES, "t", "q", "voice").is_open(datetime(2026, 3, 1, tzinfo=UTC))
    assert policies.of(RULES, "t", "q", "voice").is_quiet(datetime(2026, 3, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("hours", "local", "is_open"),
    [
        ("Mon-Fri 08:00-20:00", "2026-03-02T08:00", True),  # a Monday
        ("Mon-Fri 08:00-20:00", "2026-03-02T07:59", False),
        ("Mon-Fri 08:00-20:00", "2026-03-06T19:59", True),
        ("Mon-Fri 08:00-20:00", "2026-03-06T20:00", False),
        ("Mon-Fri 08:00-20:00", "2026-03-07T12:00", False),
        ("Sat-Mon 10:00-12:00", "2026-03-08T11:00", True),
        ("Sat-Mon 10:00-12:00", "2026-03-03T11:00", False),
        ("Sat 22:00-02:00", "2026-03-07T23:00", True),
        ("Sat 22:00-02:00", "2026-03-08T01:59", True),  # on Sunday, but it is Saturday's span
        ("Sat 22:00-02:00", "2026-03-07T01:00", False),
        ("Sat 22:00-02:00", "2026-03-08T02:00", False),
        ("00:00-24:00", "2026-03-08T23:59", True),
        ("20:00-24:00", "2026-03-09T00:00", False),
        # Clocks go forward on 29 March at 02:00, and back on 25 October at 03:00.
        ("Sun 02:30-04:00", "2026-03-29T03:29", False),
        ("Sun 02:30-04:00", "2026-03-29T03:30", True),
        ("Sat 22:00-02:30", "2026-10-25T02:29", True),
        ("Sat 22:00-02:30", "2026-10-25T02:30", False),
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(hours: str, local: str, *, is_open: bool) -> None:
    text = f'[defaults]\ntime_zone = "Europe/Ljubljana"\nopening_hours = ["{hours}"]\nquiet_hours = "{hours}"'
    policy = policies_of(text, "p").of(RULES, "t", "q", "voice")
    at = datetime.fromisoformat(local).replace(tzinfo=policy.time_zone).astimezone(UTC)

    assert policy.is_open(at) is policy.is_quiet(at) is is_open


def test_where_the_clock_is_set_back_nobody_opens_twice() -> None:
    text = '[defaults]\ntime_zone = "Europe/Ljubljana"\nopening_hours = "Sat 22:00-02:30"'
    policy = policies_of(text, "p").of(RULES, "t", "q", "voice")
    evening = datetime(2026, 10, 24, 20, tzinfo=UTC)
    minutes = [policy.is_open(evening + timedelta(minutes=minute)) for minute in range(8 * 60)]

    assert minutes == [True] * 270 + [False] * 210


def test_holidays_and_special_days_are_policy() -> None:
    text = """
    [defaults]
    time_zone = "Europe/Ljubljana"
    opening_hours = "Mon-Fri 08:00-16:00"
    public_holidays = "SI"
    special_days = { 2026-12-31 = ["08:00-10:00", "11:00-12:00"], 2026-12-28 = "closed" }
    """
    policy = policies_of(text, "p").of(RULES, "t", "q", "voice")

    def is_open(local: str) -> bool:
        return policy.is_open(datetime.fromisoformat(local).replace(tzinfo=policy.time_zone).astimezone(UTC))

    assert is_open("2026-12-24T09:00")
    assert not is_open("2026-12-25T09:00")
    assert not is_open("2026-12-28T09:00")
    assert [is_open(f"2026-12-31T{hour:02}:30") for hour in (9, 10, 11, 12)] == [True, False, True, False]


def test_without_a_file_digital_contacts_may_stay_open_for_longer() -> None:
    policies = load_policies(None)

    assert policies.of(RULES, "t", "q", "voice").ghost_after == timedelta(hours=4)
    assert policies.of(RULES, "t", "q", "email").ghost_after == timedelta(days=14)


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
        ("[defaults]\nduplicate_window_seconds = 599", "from 600 to 2678400 seconds"),
        ("[defaults]\nshort_abandon_seconds = true", "short_abandon_seconds"),
        ("[defaults]\nminimum_volume = 0", "defaults: minimum_volume"),
        ("[defaults]\nlongest_wait_limit_seconds = 0", "more than 0"),
        ("[defaults]\nabandonment_limit = 20", "defaults: abandonment_limit"),
        ("[defaults]\nblocking_limit = 'much'", "defaults: blocking_limit"),
        ("[defaults]\nopening_hours = []", "must be hours such as"),
        ("[defaults]\nopening_hours = [8]", "must be hours such as"),
        ("[defaults]\nopening_hours = '8-20'", "must be hours such as"),
        ("[defaults]\nopening_hours = '08:00-25:00'", "must be hours such as"),
        ("[defaults]\nopening_hours = 'Mon-Fry 08:00-20:00'", "must name days as Mon"),
        ("[defaults]\nquiet_hours = '08:00-08:00'", "the whole day is 00:00-24:00"),
        ("[defaults]\npublic_holidays = 'Slovenia'", 'such as "SI"'),
        ("[defaults]\npublic_holidays = 'DE-XX'", "no public holidays are known of DE-XX"),
        ("[defaults]\nspecial_days = ['2026-12-24']", "must be days such as"),
        ("[defaults]\nspecial_days = {2026-13-24 = 'closed'}", "not 2026-13-24"),
        ("[defaults]\nspecial_days = {2026-12-24 = 'shut'}", "not 2026-12-24"),
        ("[defaults]\nspecial_days = {2026-12-24 = 'Mon-Fri 08:00-12:00'}", "not 2026-12-24"),
        ("[defaults]\nteam = 'a team'", "defaults: team"),
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
        policies_of(text, "policies.toml")

    assert named in str(caught.value)
    assert str(caught.value).startswith("policies.toml")


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        policies_of("[defaults]\ntarget = 2\nformula = 'x'\n[[queue]]\nnmae = 'a'", "p")

    assert len(str(caught.value).splitlines()) == 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml"):
        load_policies(tmp_path / "missing.toml")


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_of_a_policy_is_documented(key: str) -> None:
    page = Path(__file__).parents[1] / "docs" / "operations.md"

    assert f"| `{key}` |" in page.read_text()
