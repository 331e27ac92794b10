"""Logs that once gave wrong figures, found in public reports and by reading Asterisk; each with its right ones."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stream.cli import group
from stream.core.cloudevents import Event, encode
from stream.families.contacts import events as e
from stream.sources.asterisk_queue_log.source import Options, read
from stream.sources.intake import Intake
from tests.sources.queue_logs import folded, places_of, states

FAULTS = Path(__file__).parent / "faults"

LEFT_ALL_QUEUES = ["98799 offered=2 answered=1 abandoned=1 asa_seconds=12 aht_seconds=120 service_level=0.5"]

FIGURES = {
    "agent_on_contact.log": ["q1 talking=2 open_cases=1"],
    # The agent who hangs up during the announcement was offered the call; the caller waits on.
    "agentdump_then_connect.log": [
        "q1 offered=2 answered=1 abandoned=1 dequeued=0 handled=1 service_level=0.5 asa_seconds=15 aht_seconds=60"
    ],
    # Asterisk gave two calls each other's id.
    "attended_transfer_other_callid.log": [
        "1501 offered=1 answered=1 asa_seconds=12 handled=1 aht_seconds=120 talking=0",
        "1509 offered=1 answered=1 asa_seconds=7 handled=1 aht_seconds=173 open_cases=0 expired=0",
    ],
    "bom_first_line.log": ["q1 offered=1 answered=1 asa_seconds=10 aht_seconds=60"],
    "caller_on_hold.log": ["q1 answered=1 handled=1 aht_seconds=100"],
    "complete_without_connect.log": [
        "q01 answered=1 answered_in_target=0 service_level=0 asa_seconds=300 aht_seconds=6"
    ],
    "left_all_queues.log": LEFT_ALL_QUEUES,
    "rotated.log.1.gz": LEFT_ALL_QUEUES,
    "log_begins_mid_call.log": ["q offered=2 answered=1 abandoned=1 asa_seconds=10 aht_seconds=50 service_level=0.5"],
    # One queue, though it is logged as it is configured, and as it was dialled.
    "queue_name_case.log": [
        "Sales offered=2 answered=1 abandoned=1 open_cases=0 service_level=0.5 asa_seconds=10 aht_seconds=60"
    ],
    "realtime_rows.csv": ["q1 offered=1 answered=1 asa_seconds=2"],
    "realtime_rows_piped.log": ["q1 offered=1 answered=1 asa_seconds=2 handled=1 aht_seconds=12"],
    "remove_paused_add_again.log": ["q1 offered=1 answered=1 handled=1"],
    "restart_while_talking.log": ["sales offered=3 answered=2 dequeued=1 talking=0 open_cases=0"],
    "static_members.log": ["q1 offered=1 answered=1 aht_seconds=20"],
    "two_pbx_same_uniqueid_a.log": ["q1 offered=1 answered=1 abandoned=0"],
    "two_pbx_same_uniqueid_b.log": ["q1 offered=1 answered=0 abandoned=1"],
    # Whom an agent calls was neither offered nor answered; the conversation counts.
    "vicidial_calloutbound.log": [
        "sales offered=1 answered=1 answered_in_target=0 service_level=0 asa_seconds=60 handled=3 aht_seconds=73.33333"
    ],
    "wazo_logoff_then_unpause.log": ["q1 offered=1 abandoned=1"],
    "wazo_wrapupstart.log": ["q11 answered=1 handled=1 aht_seconds=17"],
    "withdraw.log": ["q1 offered=2 answered=1 dequeued=1 abandoned=0 open_cases=0"],
}

AGENTS = {
    "agent_on_contact.log": ("q1", {"Alice": "on_contact", "Bob": "on_contact"}),
    "static_members.log": ("q1", {"Bob": "not_ready", "Alice": "available"}),
    "left_all_queues.log": (None, {"Agente/98799": "offline"}),
    "remove_paused_add_again.log": ("q1", {"Alice": "available"}),
    "wazo_logoff_then_unpause.log": ("q1", {"Agent/3001": "offline"}),
    "wazo_wrapupstart.log": ("q11", {"Agent/11": "available"}),
}


def rows_of(*arguments: str, stdin: bytes = b"") -> dict[str, dict[str, Any]]:
    run = CliRunner().invoke(
        group, ["replay", *arguments, "--window", "all", "--json"], input=stdin, catch_exceptions=False
    )
    return {row["queue"]: row for row in json.loads(run.stdout)["queues"]}


def events_of(name: str, intake: Intake | None = None, *, source_name: str | None = None) -> list[Event]:
    options = Options(file=FAULTS / name, time_zone="UTC", source_name=source_name)
    return list(read(options, intake or Intake()))


def test_every_log_of_the_folder_has_its_figures() -> None:
    assert {path.name for path in FAULTS.iterdir()} == FIGURES.keys()


@pytest.mark.parametrize("name", FIGURES)
def test_a_log_that_was_misread_gives_its_figures(name: str) -> None:
    rows = rows_of(str(FAULTS / name), "--source", "asterisk-queue-log", "--time-zone", "UTC")

    assert rows.keys() == {line.split()[0] for line in FIGURES[name]}
    for queue, *figures in map(str.split, FIGURES[name]):
        expected = {figure: float(value) for figure, _, value in (each.partition("=") for each in figures)}
        assert {figure: rows[queue][figure] for figure in expected} == pytest.approx(expected)


@pytest.mark.parametrize("name", FIGURES)
def test_of_a_log_that_was_misread_no_line_is_set_aside(name: str) -> None:
    intake = Intake()
    events_of(name, intake)

    assert not intake.refused
    assert not intake.unknown


@pytest.mark.parametrize("name", AGENTS)
def test_a_log_that_was_misread_tells_where_its_agents_are(name: str) -> None:
    queue, expected = AGENTS[name]

    assert states(events_of(name), queue) == expected


def test_who_has_logged_off_is_offline_everywhere() -> None:
    (row,) = folded(events_of("wazo_logoff_then_unpause.log")).agents.values()

    assert {*places_of(row).values()} == {"offline"}


def test_whose_ids_were_exchanged_is_transferred_once() -> None:
    events = events_of("attended_transfer_other_callid.log")

    assert [event.data.queue for event in events if isinstance(event, e.ContactTransferred)] == ["1501"]


def test_a_wrap_up_lasts_as_long_as_the_log_says() -> None:
    events = events_of("wazo_wrapupstart.log")
    (wrapup,) = [event for event in events if isinstance(event, e.ContactWrapupEnded)]
    until = [event for event in events if event.time < wrapup.time]

    assert wrapup.data.acw_ms == 15_000
    assert states(until, "q11") == {"Agent/11": "acw"}


def test_hold_is_no_talk() -> None:
    (ended,) = [event for event in events_of("caller_on_hold.log") if isinstance(event, e.ContactEnded)]

    assert (ended.data.talk_ms, ended.data.hold_ms) == (70_000, 30_000)


def test_between_a_dump_and_the_answer_the_caller_waits() -> None:
    rows = rows_of(str(FAULTS / "agentdump_then_connect.log"), "--source", "asterisk-queue-log", "--at", "10:00:12")

    assert rows["q1"]["open_cases"] == 1


@pytest.mark.parametrize("names", [("/berlin", "/paris"), (None, None)], ids=["named", "by their files"])
def test_two_pbxs_with_the_same_call_ids_have_two_callers(names: tuple[str | None, str | None]) -> None:
    a = events_of("two_pbx_same_uniqueid_a.log", source_name=names[0])
    b = events_of("two_pbx_same_uniqueid_b.log", source_name=names[1])
    both = sorted([*a, *b], key=lambda event: event.time)
    lines = b"\n".join(map(encode, both))

    (row,) = rows_of("-", stdin=lines).values()

    assert (row["offered"], row["answered"], row["abandoned"]) == (2, 1, 1)
    assert Counter(event.source for event in both).keys() == {a[0].source, b[0].source}


@pytest.mark.parametrize("name", ["realtime_rows.csv", "realtime_rows_piped.log"])
def test_local_times_without_a_zone_are_refused_with_the_option_to_give(name: str) -> None:
    run = CliRunner().invoke(group, ["replay", str(FAULTS / name), "--source", "asterisk-queue-log"])

    assert "name its zone, such as --time-zone Europe/Berlin" in str(run.exception)
