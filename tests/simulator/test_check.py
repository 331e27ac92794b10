from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.simulator.check import ENDLESS, IMPATIENT, NO_ROOM, Finding, Station, check, compare


def agree(findings: list[Finding]) -> bool:
    return all(finding.agrees for finding in findings)


def test_the_simulator_agrees_with_erlang_b_c_and_a() -> None:
    findings = check(seed=1, contacts=60_000)

    assert [(f.model, f.figure) for f in findings] == [
        ("Erlang C", "had to wait"),
        ("Erlang C", "ASA (seconds)"),
        ("Erlang C", "service level (20 s)"),
        ("Erlang A", "had to wait"),
        ("Erlang A", "abandoned"),
        ("Erlang A", "ASA (seconds)"),
        ("Erlang B", "blocked"),
    ]
    assert [finding for finding in findings if not finding.agrees] == []


@pytest.mark.parametrize("station", [ENDLESS, IMPATIENT, NO_ROOM], ids=["endless", "impatient", "no room"])
def test_a_simulator_with_one_agent_too_many_would_be_found_out(station: Station) -> None:
    more = station.agents + 1
    wrong = replace(station, agents=more, lines=more if station.lines else None)

    assert not agree(compare(wrong, station, seed=1, contacts=30_000))


def test_a_simulator_with_other_arrivals_or_patience_would_be_found_out() -> None:
    assert not agree(compare(replace(IMPATIENT, arrivals_per_hour=195.0), IMPATIENT, seed=1, contacts=30_000))
    assert not agree(compare(replace(IMPATIENT, patience=timedelta(minutes=3)), IMPATIENT, seed=1, contacts=30_000))


def test_a_figure_agrees_within_its_error_and_not_beyond() -> None:
    finding = Finding(model="m", figure="f", measured=10.0, error=0.5, expected=10.5)

    assert finding.agrees
    assert not replace(finding, expected=10.6).agrees
