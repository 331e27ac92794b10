"""What requests of LiveAgent become: templates with their variables put in, those that were not, and others."""

import json
from pathlib import Path
from typing import Any

import pytest

from stream.core.cloudevents import Event
from stream.errors import SettingsError
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from tests.samples import sample
from tests.sources.desk_boards import said
from tests.sources.liveagent.office import KEY, TEMPLATES, TICKETS, Ticket, rendered, request, webhook_in


def tell(folder: Path, content: Any, **options: Any) -> tuple[list[Event], list[BadLine]]:
    aside: list[BadLine] = []
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [*webhook_in(folder, Intake(aside.append), **options).events(request(body))], aside


def changed(**fields: Any) -> dict[str, Any]:
    """Return what a rule posts, with other fields."""
    content: dict[str, Any] = json.loads(Ticket("abc1", 0).told("ticket_changed", 10))
    return content | fields


def test_a_template_tells_what_was_written_by_hand(tmp_path: Path) -> None:
    events, aside = tell(tmp_path, Ticket("abc1", 0).told("agent_message", 4, agent_id="ana1", status="R"))

    customer = "customer=/liveagent/of-abc1"
    assert [said(event) for event in events] == [
        # After four minutes: an earlier request, if there was one, says better how it was opened.
        f"02 09:00:00 case.opened channel=email {customer} opened_by=system priority=normal queue=Support",
        f"02 09:04:00 case.assigned agent=ana1 {customer} queue=Support",
        f"02 09:04:00 case.resolved agent=ana1 channel=email {customer} queue=Support",
        "02 09:04:00 message.sent agent=ana1 author=agent automatic=False public=True",
    ]
    assert [event.time.microsecond for event in events] == [8_000, 0, 0, 0]
    assert aside == []
    assert [checked(event) for event in events]


def test_templates_say_what_they_are_about_and_are_alike_otherwise() -> None:
    told = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in TEMPLATES.glob("*.json")}

    assert {name: content.pop("event_type") for name, content in told.items()} == {name: name for name in told}
    assert told.keys() == {json.loads(body)["event_type"] for body in TICKETS}
    assert len({json.dumps(content) for content in told.values()}) == 1


NAMES = {"ticket_id": "id", "department_id": "departmentid", "contact_id": "owner_contactid"}
"""What a template calls that of which a variable is called otherwise."""


@pytest.mark.parametrize("name", ["status", "date_changed", *NAMES])
def test_a_variable_that_was_not_put_in_is_named(tmp_path: Path, name: str) -> None:
    names = ("ticket_id", "status", "department_id", "agent_id", "contact_id", "channel_type", "date_created")
    values = dict.fromkeys((*names, "date_changed"), "1")
    del values[name]

    events, aside = tell(tmp_path, rendered("ticket_changed", values))

    assert events == []
    assert [(bad.reason, bad.detail) for bad in aside] == [
        ("unresolved_variable", f"a variable that the desk did not put in - at `$.{NAMES.get(name, name)}`")
    ]


def test_templates_of_others_are_set_aside_and_say_why(tmp_path: Path) -> None:
    unresolved = sample("liveagent/rule_http_request_agent_reply_unresolved_variables.json").read_bytes()
    other = sample("liveagent/rule_http_request_message_added.json").read_bytes()

    asides = [bad for body in (unresolved, other) for bad in tell(tmp_path, body)[1]]

    assert [(bad.reason, bad.detail) for bad in asides] == [
        ("unresolved_variable", "a variable that the desk did not put in - at `$.agent_name`"),
        ("unknown_kind", "a document of a kind that is not known"),
    ]


def test_only_who_shows_the_key_gets_in(tmp_path: Path) -> None:
    webhook = webhook_in(tmp_path)

    assert webhook.verified(request(b"{}"))
    assert not webhook.verified(request(b"{}", key=KEY + "x"))


def test_times_are_of_the_zone_that_is_said(tmp_path: Path) -> None:
    content = changed(date_created="2026-03-02 10:00:00", date_changed="2026-03-02 10:00:00")

    events, _ = tell(tmp_path, content, time_zone="Europe/Ljubljana")

    assert {f"{event.time:%H:%M}" for event in events} == {"09:00"}


def test_letters_are_channels(tmp_path: Path) -> None:
    ways = {"E": "email", "M": "email", "B": "chat", "I": "chat", "C": "voice", "W": "voice"}
    ways |= {"A": "messaging", "F": "social", "T": "social"}
    told: Any = {way: tell(tmp_path, changed(channel_type=way))[0][0] for way in ways}

    assert {way: event.data.channel for way, event in told.items()} == ways
    opened: Any = tell(tmp_path, changed(channel_type="Q"), other_channel="task")[0][0]
    assert opened.data.channel == "task"


@pytest.mark.parametrize("nobody", ["", "system00"])
def test_what_rules_do_no_agent_has_done(tmp_path: Path, nobody: str) -> None:
    told: Any = [tell(tmp_path, changed(agentid=name))[0][1] for name in (nobody, "ana1")]

    assert [event.data.agent for event in told] == [None, "ana1"]


def test_a_department_without_a_name_is_called_by_its_id(tmp_path: Path) -> None:
    told: Any = [tell(tmp_path, changed(departmentid=name))[0][0] for name in ("b1", "b2", "")]

    assert [event.data.queue for event in told] == ["Billing", "b2", "unassigned"]


def test_a_file_of_departments_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"departments": []}')

    with pytest.raises(SettingsError, match="queues_file"):
        webhook_in(tmp_path, queues_file=tmp_path / "x.json")


STATES = {
    **{letter: ["case.reopened", "case.status_changed"] for letter in "INTPCAW"},
    "R": ["case.resolved"],
    "L": ["case.closed"],
    "X": ["case.deleted"],
    "B": ["case.deleted"],
}


@pytest.mark.parametrize("status", STATES)
def test_a_letter_says_what_has_become_of_a_ticket(tmp_path: Path, status: str) -> None:
    events, _ = tell(tmp_path, changed(status=status))

    assert [type(event).__struct_config__.tag for event in events[2:]] == STATES[status]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (changed(status="?"), "`$.status`"),
        (changed(date_changed="yesterday"), "`$.date_changed`"),
        (changed(date_created=""), "`$.date_created`"),
        (changed(id=""), "`$.id`"),
        (changed(id=7), "`$.id`"),
        (changed(departmentid="d" * 65), "`$.departmentid`"),
        ({"event_type": "ticket_changed"}, "missing required field `id`"),
        ({"event_type": 7}, "`$.event_type`"),
    ],
)
def test_what_is_not_as_it_should_be_is_named(tmp_path: Path, content: Any, named: str) -> None:
    events, aside = tell(tmp_path, content)

    assert events == []
    assert [named in bad.detail for bad in aside] == [True]
