"""What requests of Zendesk become: those that were recorded, those that are of no use, and those that nobody signed."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.errors import SettingsError
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.source import Received
from tests.samples import sample
from tests.sources.desk_boards import said
from tests.sources.zendesk.account import BEGIN, RECORDED, SUPPORT, TICKETS, Ticket, recorded, signed, webhook_in


def tell(folder: Path, content: Any, **options: Any) -> tuple[list[Event], Intake, list[BadLine]]:
    aside: list[BadLine] = []
    intake = Intake(aside.append)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [*webhook_in(folder, intake, **options).events(signed(body))], intake, aside


MIA, CUSTOMER = "agent=8447388090496", "customer=/zendesk/8447388090494"
GOLDEN = {
    "ticket.created": [
        f"08 10:12:07 case.opened channel=email {CUSTOMER} opened_by=customer priority=urgent queue=Support"
    ],
    "ticket.agent_assignment_changed": [f"08 12:15:44 case.assigned {MIA} {CUSTOMER} queue=Support"],
    "ticket.group_assignment_changed": [f"08 10:12:07 case.assigned {MIA} {CUSTOMER} queue=Support"],
    "ticket.comment_added_internal": [
        f"08 10:40:00 message.sent {MIA} author=agent automatic=False {CUSTOMER} message=8447402345679 public=False"
    ],
    "ticket.comment_added_public_agent": [
        f"08 11:02:03 message.sent {MIA} author=agent automatic=False {CUSTOMER} message=8447402345678 public=True"
    ],
    "ticket.status_changed_solved": [f"08 13:00:00 case.resolved {MIA} channel=email {CUSTOMER} queue=Support"],
    "ticket.status_changed_reopened": [
        f"09 08:00:00 case.reopened {CUSTOMER}",
        f"09 08:00:00 case.status_changed {CUSTOMER} status=open",
    ],
    "ticket.merged_CONSTRUCTED": [f"10 08:00:00 case.merged {CUSTOMER} into=/zendesk/5160"],
    "ticket.marked_as_spam_CONSTRUCTED": [f"10 08:00:00 case.deleted {CUSTOMER} reason=spam"],
    "ticket.soft_deleted_CONSTRUCTED": [f"10 08:00:00 case.deleted {CUSTOMER} reason=deleted"],
    "ticket.undeleted_CONSTRUCTED": [f"10 08:00:00 case.reopened {CUSTOMER}"],
}


def test_every_recorded_payload_is_here() -> None:
    assert {file.stem for file in RECORDED.iterdir()} == GOLDEN.keys()


@pytest.mark.parametrize("name", GOLDEN)
def test_a_recorded_payload_tells_what_was_written_by_hand(tmp_path: Path, name: str) -> None:
    events, intake, aside = tell(tmp_path, recorded(name))

    assert [said(event) for event in events] == GOLDEN[name]
    assert {event.subject for event in events} <= {"/zendesk/5158"}
    assert aside == []
    assert intake.ignored == Counter()


def test_the_published_vector_is_a_signature(tmp_path: Path) -> None:
    (vector,) = [one for one in json.loads(sample("vectors.json").read_bytes()) if one["system"] == "zendesk"]
    body = sample(vector["body"]).read_bytes()
    signed_at = datetime.fromisoformat(vector["timestamp"])
    headers = {vector["header"].lower(): vector["value"], vector["header"].lower() + "-timestamp": vector["timestamp"]}
    request = Received(body, headers, "https://gateway.example/v1/webhooks/zendesk", signed_at.astimezone(UTC))
    (tmp_path / "vector").write_text(vector["secret"])
    webhook = webhook_in(tmp_path, secret_file=tmp_path / "vector")

    assert webhook.verified(request)
    assert not webhook.verified(replace(request, body=body + b" "))


@pytest.mark.parametrize(
    ("minutes", "options", "expected"), [(4, {}, True), (6, {}, False), (6, {"tolerance_seconds": 600}, True)]
)
def test_a_signature_is_good_for_some_minutes(
    tmp_path: Path, minutes: int, options: dict[str, Any], expected: object
) -> None:
    webhook = webhook_in(tmp_path, **options)

    for at in (BEGIN - timedelta(minutes=minutes), BEGIN + timedelta(minutes=minutes)):
        assert webhook.verified(signed(TICKETS[0], at=at)) is expected
    assert not webhook.verified(signed(TICKETS[0], secret="another"))


def test_what_a_ticket_came_in_by_is_its_channel(tmp_path: Path) -> None:
    ways = {
        "mail": "email",
        "email": "email",
        "web_form": "email",
        "web_service": "email",
        "a_new_one": "email",
        "whatsapp": "messaging",
        "instagram_dm": "messaging",
        "sunshine_conversations_facebook_messenger": "messaging",
        "twitter": "social",
        "facebook_post": "social",
        "sms": "sms",
        "twilio_sms": "sms",
        "api_phone_call_inbound": "voice",
        "voicemail": "voice",
        "native_messaging": "chat",
    }
    told = {via: tell(tmp_path, Ticket(1, via).created(0))[0][0].data.channel for via in ways}

    assert told == ways
    ((event,), _, _) = tell(tmp_path, Ticket(1, "web_service").created(0), other_channel="chat")
    assert event.data.channel == "chat"


def test_a_group_without_a_name_is_called_by_its_id_and_none_at_all_as_the_option_says(tmp_path: Path) -> None:
    ((named,), _, _) = tell(tmp_path, Ticket(1, "mail").group(0, "77"))
    ((none,), _, _) = tell(tmp_path, Ticket(1, "mail").group(0, None), default_queue="triage")
    ((without_file,), _, _) = tell(tmp_path, Ticket(1, "mail").group(0, SUPPORT), queues_file=None)

    assert [event.data.queue for event in (named, none, without_file)] == ["77", "triage", SUPPORT]


def test_a_file_of_groups_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"groups": [{"id": "x"}]}')

    with pytest.raises(SettingsError, match=r"queues_file: .* `\$.groups\[0\].id`"):
        webhook_in(tmp_path, queues_file=tmp_path / "x.json")


def test_one_of_our_own_who_asks_is_a_customer_and_what_an_outsider_writes_to_agents_alone_is_no_message(
    tmp_path: Path,
) -> None:
    asks = Ticket(1, "mail", customer="2001")
    ((asked,), _, _) = tell(tmp_path, asks.comment(1, "2001"))
    (aside, intake, _) = tell(tmp_path, Ticket(2, "mail").comment(1, "1001", public=False))

    assert said(asked).split()[2] == "message.received"
    assert (aside, intake.ignored) == ([], Counter({"ticket.comment_added": 1}))


def test_what_zendesk_itself_writes_is_automatic(tmp_path: Path) -> None:
    ((event,), _, _) = tell(tmp_path, Ticket(1, "mail").comment(1, "-1"))

    assert "automatic=True" in said(event)


def test_a_ticket_that_was_deleted_and_is_open_is_opened_again(tmp_path: Path) -> None:
    (told, _, _) = tell(tmp_path, Ticket(1, "mail", status="DELETED").status(1, "OPEN"))

    assert [said(event) for event in told] == [
        "02 09:01:00 case.reopened customer=/zendesk/1001",
        "02 09:01:00 case.status_changed customer=/zendesk/1001 status=open",
    ]


@pytest.mark.parametrize("nobody", ["", "0", "-1", 0, -1, None])
def test_an_id_of_nobody_is_none(tmp_path: Path, nobody: Any) -> None:
    """Zendesk writes it in several ways: it is no queue, no agent and no customer."""
    asks = "customer=/zendesk/1001"
    alone = Ticket(1, "mail", group_id=nobody, assignee_id=nobody, submitter_id=nobody)
    told = [
        tell(tmp_path, body)
        for body in (
            *(alone.created(0), alone.group(1, nobody), alone.agent(2, nobody), alone.status(3, "SOLVED")),
            Ticket(1, "mail", customer=nobody).comment(4, "2001"),
        )
    ]

    assert [said(event) for events, _, _ in told for event in events] == [
        f"02 09:00:00 case.opened channel=email {asks} opened_by=customer priority=normal queue=unassigned",
        f"02 09:00:59 case.assigned {asks} queue=unassigned",
        f"02 09:01:59 case.assigned {asks} queue=unassigned",
        f"02 09:03:00 case.resolved channel=email {asks} queue=unassigned",
        "02 09:04:00 message.sent agent=2001 author=agent automatic=False message=c10 public=True",
    ]
    assert [aside for _, _, aside in told] == [[]] * len(told)


def test_ids_may_be_numbers(tmp_path: Path) -> None:
    texts = changed("ticket.comment_added_public_agent", "detail.group_id", None)
    numbers = json.loads(
        re.sub(
            r'"id": "(\d+)"|_id": "(\d+)"', lambda m: m[0].replace(f'"{m[1] or m[2]}"', m[1] or m[2]), json.dumps(texts)
        )
    )

    assert isinstance(numbers["detail"]["id"], int)
    assert tell(tmp_path, numbers)[0] == tell(tmp_path, texts)[0] != []


@pytest.mark.parametrize("status", ["ARCHIVED", "SCRUBBED"])
def test_what_becomes_of_a_ticket_in_the_archive_is_of_no_use(tmp_path: Path, status: str) -> None:
    events, intake, aside = tell(tmp_path, Ticket(1, "mail", status="CLOSED").status(1, status))

    assert (events, aside, intake.ignored) == ([], [], Counter({"ticket.status_changed": 1}))


def test_what_one_action_did_happened_at_once(tmp_path: Path) -> None:
    """An answer that solves is two events, and nothing says which of them is told with the earlier fraction."""
    ticket = Ticket(1, "mail")
    bodies = [ticket.status(0.0001, "SOLVED"), ticket.comment(0.0002, "2001")]

    assert {event.time for body in bodies for event in tell(tmp_path, body)[0]} == {BEGIN}
    ((assigned,), _, _) = tell(tmp_path, ticket.agent(0.0003, "2001"))
    assert timedelta(milliseconds=-10) <= assigned.time - BEGIN < timedelta()


def changed(name: str, path: str, value: Any) -> dict[str, Any]:
    """Return a recorded payload of which one field is something else."""
    content = recorded(name)
    *parents, last = path.split(".")
    place = content
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return content


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (changed("ticket.created", "id", 17), "invalid_field", "Expected `str`, got `int` - at `$.id`"),
        (changed("ticket.created", "detail.id", ...), "invalid_field", "missing required field `id` - at `$.detail`"),
        (changed("ticket.created", "detail.id", ""), "invalid_field", "at `$.detail.id`"),
        (
            changed("ticket.merged_CONSTRUCTED", "event.target_ticket_id", 0),
            "invalid_field",
            "`$.event.target_ticket_id`",
        ),
        (changed("ticket.created", "time", "yesterday"), "invalid_field", "at `$.time`"),
        (changed("ticket.created", "time", "2025-01-08T10:12:07"), "invalid_field", "at `$.time`"),
        (changed("ticket.created", "detail.via", []), "invalid_field", "at `$.detail.via`"),
        (
            changed("ticket.created", "detail.priority", "DIRE"),
            "invalid_field",
            "at `$.event.current` or `$.detail.priority`",
        ),
        (changed("ticket.status_changed_solved", "event.current", "GONE"), "invalid_field", "`$.event.current` or"),
        (changed("ticket.status_changed_solved", "event", {}), "invalid_field", "`current` - at `$.event`"),
        (
            changed("ticket.comment_added_internal", "event.comment.is_public", ...),
            "invalid_field",
            "`$.event.comment`",
        ),
        (changed("ticket.merged_CONSTRUCTED", "event.target_ticket_id", ...), "invalid_field", "`target_ticket_id`"),
        (Ticket(1, "mail").rated(1, "MEDIOCRE"), "invalid_field", "at `$.event.satisfaction_score.score`"),
        (Ticket(1, "mail").message(1, "ghost"), "invalid_field", "at `$.event.actor.type`"),
        (changed("ticket.created", "type", "zen:event-type:ticket.levitated"), "unknown_kind", "not known"),
        (changed("ticket.created", "type", "ticket.created"), "unknown_document", "zen:event-type:"),
        ({"ticket": {"id": "5158", "status": "open"}}, "unknown_document", "zen:event-type:"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_its_field(
    tmp_path: Path, content: Any, reason: str, detail: str
) -> None:
    events, _, aside = tell(tmp_path, content)

    assert events == []
    assert [(bad.reason, detail in bad.detail) for bad in aside] == [(reason, True)], aside
    assert not [
        word for word in ("DIRE", "GONE", "yesterday", "MEDIOCRE", "ghost", "levitated") if word in aside[0].detail
    ]


def test_a_survey_that_was_sent_and_not_answered_is_no_answer(tmp_path: Path) -> None:
    events, intake, aside = tell(tmp_path, Ticket(1, "mail").rated(1, "OFFERED"))

    assert (events, aside, intake.ignored) == ([], [], Counter({"ticket.csat_received": 1}))
