"""What requests of Freshdesk become: templates with their variables put in, those that were not, and others."""

import json
from pathlib import Path
from typing import Any

import pytest

from stream.core.cloudevents import Event
from stream.errors import SettingsError
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from tests.samples import sample
from tests.sources.desk_boards import said
from tests.sources.freshdesk.helpdesk import KEY, TEMPLATES, Ticket, rendered, request, webhook_in


def tell(folder: Path, content: Any, **options: Any) -> tuple[list[Event], list[BadLine]]:
    aside: list[BadLine] = []
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [*webhook_in(folder, Intake(aside.append), **options).events(request(body))], aside


def changed(**fields: Any) -> dict[str, Any]:
    """Return what a rule posts, with other fields."""
    content: dict[str, Any] = json.loads(Ticket(2001, 0).told("changed", 10))
    return {"freshdesk_webhook": content["freshdesk_webhook"] | fields}


def test_a_template_tells_what_was_written_by_hand(tmp_path: Path) -> None:
    events, aside = tell(tmp_path, Ticket(2001, 0).told("created", 0))

    assert [said(event) for event in events] == [
        "02 09:00:00 case.opened channel=email opened_by=customer priority=normal queue=Support",
        "02 09:00:00 case.assigned queue=Support",
        "02 09:00:00 case.status_changed priority=normal",
        "02 09:00:00 case.reopened ",
        "02 09:00:00 case.status_changed status=open",
        "02 09:00:00 message.received automatic=False message=0",
    ]
    assert aside == []


def test_templates_say_what_they_are_about_and_are_alike_otherwise() -> None:
    told = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in TEMPLATES.glob("*.json")}

    assert {name: content["freshdesk_webhook"].pop("what") for name, content in told.items()} == {n: n for n in told}
    assert len(told) == 6
    assert len({json.dumps(content) for content in told.values()}) == 1


@pytest.mark.parametrize("name", ["id", "status", "group.name", "requester.email", "modified_on"])
def test_a_variable_that_was_not_put_in_is_named(tmp_path: Path, name: str) -> None:
    names = ("id", "status", "priority", "source", "group.name", "agent.email", "requester.email")
    values = dict.fromkeys((*names, "created_on", "modified_on"), "1")
    del values[name]

    events, aside = tell(tmp_path, rendered("changed", values))

    assert events == []
    assert [(bad.reason, bad.detail) for bad in aside] == [
        (
            "unresolved_variable",
            f"a variable that the desk did not put in - at `$.freshdesk_webhook.ticket_{name.replace('.', '_')}`",
        )
    ]


def test_what_freshdesk_calls_simple_is_set_aside_and_says_what_is_missing(tmp_path: Path) -> None:
    body = sample("freshdesk/automation_webhook_CONSTRUCTED.json").read_bytes()

    events, aside = tell(tmp_path, body)

    assert events == []
    assert [bad.detail for bad in aside] == [
        "Object missing required field `what` - at `$.freshdesk_webhook`",
    ]


def test_only_who_shows_the_key_gets_in(tmp_path: Path) -> None:
    webhook = webhook_in(tmp_path)

    assert webhook.verified(request(b"{}"))
    assert not webhook.verified(request(b"{}", key=KEY + "x"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 10:00:00 +0100",
        "2026-03-02 10:00:00+01:00",
        "2026-03-02T09:00:00Z",
        "2026-03-02 09:00:00 UTC",
        "2026-03-02 10:00:00",
    ],
)
def test_a_time_without_an_offset_is_of_the_zone_of_the_account(tmp_path: Path, text: str) -> None:
    content = changed(ticket_created_on=text, ticket_modified_on=text)

    events, _ = tell(tmp_path, content, time_zone="Europe/Ljubljana")

    assert {f"{event.time:%H:%M}" for event in events} == {"09:00"}


def test_a_zone_that_is_none_is_named(tmp_path: Path) -> None:
    for name in ("Europe/Nowhere", "../secret", ""):
        with pytest.raises(SettingsError, match="time_zone"):
            webhook_in(tmp_path, time_zone=name)


def test_customers_and_agents_are_ids_made_of_their_addresses_if_there_is_a_key(tmp_path: Path) -> None:
    (tmp_path / "address.key").write_text("key")
    body = Ticket(2001, 0).told("changed", 1, agent_email="ana@example.org")
    assigned: Any = [
        tell(tmp_path, body, **told)[0][1] for told in ({}, {"address_key_file": tmp_path / "address.key"})
    ]

    assert (assigned[0].data.agent, assigned[0].data.customer) == (None, None)
    assert len(assigned[1].data.agent) == len(assigned[1].data.customer) == 32
    assert assigned[1].data.agent != assigned[1].data.customer


def test_sources_are_channels(tmp_path: Path) -> None:
    ways = {
        "Email": "email",
        "Phone": "voice",
        "3": "voice",
        "Chat": "chat",
        "WhatsApp": "messaging",
        "13": "messaging",
        "SMS": "sms",
        "Portal": "email",
    }
    ways |= {
        "Twitter": "social",
        "Facebook": "social",
        "5": "social",
        "6": "social",
        "Outbound Email": "email",
        "Bot": "email",
    }
    told: Any = {way: tell(tmp_path, changed(ticket_source=way))[0][0] for way in ways}

    assert {way: event.data.channel for way, event in told.items()} == ways
    opened: Any = tell(tmp_path, changed(ticket_source="Portal"), other_channel="task")[0][0]
    assert opened.data.channel == "task"


STATES = {
    "Open": ["case.reopened", "case.status_changed"],
    "2": ["case.reopened", "case.status_changed"],
    "Waiting on Third Party": ["case.reopened", "case.status_changed"],
    "Resolved": ["case.resolved"],
    "Closed": ["case.closed"],
    "Shipped": ["case.resolved"],
}


@pytest.mark.parametrize("status", STATES)
def test_a_status_says_what_has_become_of_a_ticket(tmp_path: Path, status: str) -> None:
    events, _ = tell(tmp_path, changed(ticket_status=status), states={"shipped": "resolved"})

    assert [type(event).__struct_config__.tag for event in events[3:]] == STATES[status]


def test_priorities_may_be_translated(tmp_path: Path) -> None:
    told: Any = [
        tell(tmp_path, changed(ticket_priority=word), priorities={"Dringend": "urgent"})[0][2]
        for word in ("Urgent", "3", "dringend", "egal")
    ]

    assert [event.data.priority for event in told] == ["urgent", "high", "urgent", "normal"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (changed(ticket_status="Rumoured"), "option states - at `$.freshdesk_webhook.ticket_status`"),
        (changed(ticket_modified_on="yesterday"), "`$.freshdesk_webhook.ticket_modified_on`"),
        (changed(ticket_created_on="0001-01-01 00:00:00"), "`$.freshdesk_webhook.ticket_created_on`"),
        (changed(ticket_id="A-1"), "`$.freshdesk_webhook.ticket_id`"),
        (changed(ticket_group_name=None), "`$.freshdesk_webhook.ticket_group_name`"),
        (changed(what="rumour"), "`$.freshdesk_webhook.what`"),
        ({"ticket_id": "1"}, "`$.freshdesk_webhook`"),
    ],
)
def test_what_is_not_as_it_should_be_is_named(tmp_path: Path, content: Any, named: str) -> None:
    events, aside = tell(tmp_path, content)

    assert events == []
    assert [named in bad.detail for bad in aside] == [True]
