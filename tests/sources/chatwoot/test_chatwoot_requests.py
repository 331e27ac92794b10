"""What requests of Chatwoot become: those that were recorded, those of no use, and those that nobody signed."""

import json
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
from tests.sources.chatwoot.account import ANA, BEGIN, SECRET, Talk, recorded, request, webhook_in
from tests.sources.desk_boards import said


def tell(folder: Path, content: Any, **options: Any) -> tuple[list[Event], Intake, list[BadLine]]:
    aside: list[BadLine] = []
    intake = Intake(aside.append)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [*webhook_in(folder, intake, **options).events(request(body))], intake, aside


RATED = (
    "26 19:13:21 survey.answered agent=5 channel=chat comment=True customer=/chatwoot/17 higher_is_better=True "
    "kind=csat queue=Support score=5"
)
GOLDEN = {
    "conversation_created": [
        "26 13:33:20 case.opened channel=chat customer=/chatwoot/17 opened_by=customer priority=normal queue=Support",
        "26 13:34:20 case.status_changed customer=/chatwoot/17 status=open",
    ],
    "conversation_updated_assignee": ["26 13:34:20 case.assigned agent=5 customer=/chatwoot/17 queue=Support"],
    "conversation_status_changed_resolved": [
        "26 19:13:20 case.resolved agent=5 channel=chat customer=/chatwoot/17 queue=Support"
    ],
    # It does not say since when: that does the `conversation_updated` beside it.
    "conversation_status_changed_reopened": [],
    "message_created_incoming": ["26 18:13:20 message.received automatic=False customer=/chatwoot/17 message=1001"],
    "message_created_outgoing_agent": [
        "26 18:15:02 message.sent agent=5 author=agent automatic=False message=1002 public=True"
    ],
    "message_created_private_note": [
        "26 18:16:00 message.sent agent=5 author=agent automatic=False message=1004 public=False"
    ],
    "message_created_template_greeting": [
        "26 18:13:21 message.sent author=agent automatic=True message=1003 public=True"
    ],
    "message_updated_csat_answered": [
        RATED,
    ],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_recorded_payload_tells_what_was_written_by_hand(tmp_path: Path, name: str) -> None:
    events, _, aside = tell(tmp_path, recorded(name))

    assert [said(event) for event in events] == GOLDEN[name]
    assert aside == []


def test_the_published_vector_is_a_signature_for_five_minutes(tmp_path: Path) -> None:
    (vector,) = [one for one in json.loads(sample("vectors.json").read_bytes()) if one["system"] == "chatwoot"]
    body = sample(vector["body"]).read_bytes()
    (tmp_path / "vector").write_text(vector["secret"])
    webhook = webhook_in(tmp_path, secret_file=tmp_path / "vector")
    headers = {"x-chatwoot-timestamp": vector["timestamp"], vector["header"].lower(): vector["value"]}
    at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    signed = Received(body, headers, "https://gateway.example/", at)

    assert webhook.verified(signed)
    assert webhook.verified(replace(signed, at=at + timedelta(minutes=5)))
    assert not webhook.verified(replace(signed, at=at + timedelta(minutes=5, seconds=1)))
    assert not webhook.verified(replace(signed, body=body + b" "))
    # A time that was not signed makes nothing younger.
    later = {**headers, "x-chatwoot-timestamp": str(int(vector["timestamp"]) + 300)}
    assert not webhook.verified(replace(signed, headers=later, at=at + timedelta(minutes=5)))


def test_a_chatwoot_that_signs_nothing_shows_the_secret_in_its_url(tmp_path: Path) -> None:
    webhook = webhook_in(tmp_path, signed=False)
    url = "https://gateway.example/v1/webhooks/chatwoot"

    assert webhook.verified(Received(b"{}", {}, f"{url}?token={SECRET}", BEGIN))
    assert not webhook.verified(Received(b"{}", {}, f"{url}?token={SECRET}x", BEGIN))
    assert not webhook.verified(Received(b"{}", {}, url, BEGIN))
    assert not webhook.verified(request(b"{}"))


def test_the_inbox_says_the_channel(tmp_path: Path) -> None:
    ways = {"WebWidget": "chat", "Email": "email", "Whatsapp": "messaging", "FacebookPage": "messaging"}
    ways |= {"TwitterProfile": "social", "TwilioSms": "sms", "Voice": "voice", "Api": "chat", "Next": "chat"}
    told: Any = {way: tell(tmp_path, Talk(1, way).opened(0))[0][0] for way in ways}

    assert {way: event.data.channel for way, event in told.items()} == ways
    opened: Any = tell(tmp_path, Talk(1, "Api").opened(0), other_channel="messaging")[0][0]
    assert opened.data.channel == "messaging"


def test_queues_may_be_teams(tmp_path: Path) -> None:
    talk = Talk(1)
    bodies = talk.opened(0), talk.to_team(5, "Billing")

    queues: Any = [tell(tmp_path, body, queue_by="team")[0][0] for body in bodies]

    assert [event.data.queue for event in queues] == ["unassigned", "Billing"]


def test_an_inbox_without_a_name_is_called_by_its_id(tmp_path: Path) -> None:
    opened: Any = tell(tmp_path, Talk(1).opened(0), queues_file=None)[0][0]

    assert opened.data.queue == "3"


def test_a_file_of_inboxes_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"inboxes": []}')

    with pytest.raises(SettingsError, match=r"queues_file: .*payload"):
        webhook_in(tmp_path, queues_file=tmp_path / "x.json")


def test_a_request_that_has_seen_the_next_change_tells_its_own(tmp_path: Path) -> None:
    talk = Talk(1)
    talk.opened(0)
    resolved = json.loads(talk.status(5, "resolved")[0])
    talk.status(6, "open")
    own = {"updated_at": {"previous_value": None, "current_value": "2026-03-02T09:05:00.000Z"}}
    late = {**resolved, "status": "open", "updated_at": BEGIN.timestamp() + 360}
    late["changed_attributes"] = [*resolved["changed_attributes"], own]

    (event,) = tell(tmp_path, late)[0]

    assert said(event).startswith("02 09:05:00 case.resolved")


def test_a_status_is_told_once_by_the_request_that_says_since_when(tmp_path: Path) -> None:
    """Resolved at 5 and opened at 6, before either was told: it is open, and was resolved for a minute."""
    talk = Talk(1)
    resolved = talk.status(5, "resolved")
    opened = [json.loads(body) for body in talk.status(6, "open")]
    late = [json.loads(body) | {"status": "open", "updated_at": opened[0]["updated_at"]} for body in resolved]

    told = [said(event) for body in (*late, *opened) for event in tell(tmp_path, body)[0]]

    assert [line[3:25] for line in told if "status_changed" not in line] == [
        "09:05:00 case.resolved",
        "09:06:00 case.reopened",
    ]
    assert tell(tmp_path, late[0])[1].ignored == {"conversation_status_changed": 1}


def test_a_chatwoot_before_version_4_1_tells_what_it_can(tmp_path: Path) -> None:
    """Its conversations have no `updated_at`, and those of earlier ones not even `created_at`."""
    talk = Talk(1)
    bodies = [talk.asked(0), *talk.status(5, "resolved"), talk.rated(5, 6, 4)[1]]
    for old in (contents := [json.loads(body) for body in bodies]):
        (conversation := old.get("conversation", old)).pop("updated_at")
        del conversation["created_at"]

    told = [said(event)[3:] for old in contents for event in tell(tmp_path, old)[0]]

    assert [line[:22] for line in told] == [
        "09:00:00 message.recei",
        "09:05:00 case.resolved",
        # When the request came, but not before the question.
        "09:05:00 survey.answer",
    ]


def test_what_an_assistant_writes_is_no_agents_answer_and_its_conversation_is_nobodys(tmp_path: Path) -> None:
    """Captain is the sender, or an agent bot, and either may have been assigned the conversation."""
    talk = Talk(1)
    for machine in ({"id": 5, "type": "captain_assistant"}, {"id": 5, "type": "agent_bot"}):
        (assigned,), (answered,) = (
            tell(tmp_path, body)[0] for body in (talk.assigned(1, machine), talk.answered(2, machine))
        )

        assert "agent=" not in said(assigned)
        assert "author=bot" in said(answered)
        assert "agent=" not in said(answered)


def test_who_began_is_told_by_the_newest_message(tmp_path: Path) -> None:
    newest = {
        "customer": {"message_type": 0, "sender": {"id": 10}},
        "agent": {"message_type": 1, "sender": ANA},
        "system": {"message_type": 1, "sender": None},
    }
    told: Any = {who: tell(tmp_path, Talk(1).opened(0, messages=[one]))[0][0] for who, one in newest.items()}

    assert {who: event.data.opened_by for who, event in told.items()} == {who: who for who in newest}


@pytest.mark.parametrize("kind", ["contact_created", "webwidget_triggered", "conversation_typing_on"])
def test_what_is_of_no_use_is_known(tmp_path: Path, kind: str) -> None:
    events, intake, aside = tell(tmp_path, {"event": kind})

    assert (events, aside) == ([], [])
    assert intake.ignored == {kind: 1}


def test_activities_and_other_changes_tell_nothing(tmp_path: Path) -> None:
    talk = Talk(1)
    labelled = json.loads(talk.assigned(1, None)) | {"changed_attributes": [{"label_list": {"current_value": ["x"]}}]}
    changed = json.loads(talk.asked(2)) | {"event": "message_updated"}
    shown = json.loads(talk.rated(3, 4, 5)[1]) | {"content_attributes": {}}

    for body in (talk.wrote(0, "activity"), labelled, changed, shown):
        events, intake, aside = tell(tmp_path, body)
        assert (events, aside, intake.ignored.total()) == ([], [], 1)


SINCE = {"updated_at": {"current_value": "2026-03-02T09:05:00.000Z"}}
BROKEN = [
    ({"changed_attributes": [{"status": {"current_value": "rumoured"}, **SINCE}]}, "`$.status`"),
    ({"event": "conversation_created", "created_at": 1795700000, "status": "rumoured"}, "`$.status`"),
    ({"status": ["open"]}, "`$.status`"),
    ({"updated_at": "yesterday"}, "`$.updated_at`"),
    ({"updated_at": 1e15}, "`$.updated_at`"),
    ({"inbox_id": None}, "`$.inbox_id`"),
    ({"changed_attributes": [{"status": {"current_value": ["open"]}, **SINCE}]}, "`$.status`"),
    ({"event": "conversation_updated", "changed_attributes": [{"priority": {"current_value": []}}]}, "`$.priority`"),
    ({"changed_attributes": [{"updated_at": {"current_value": "soon"}}]}, "datetime"),
    ({"event": 7}, "`$.event`"),
]


@pytest.mark.parametrize(("changed", "named"), BROKEN)
def test_what_is_not_as_it_should_be_is_named(tmp_path: Path, changed: dict[str, Any], named: str) -> None:
    events, _, aside = tell(tmp_path, recorded("conversation_status_changed_resolved") | changed)

    assert events == []
    assert [named in bad.detail for bad in aside] == [True]


def test_a_message_of_a_type_that_nobody_knows_is_set_aside(tmp_path: Path) -> None:
    events, _, aside = tell(tmp_path, Talk(1).wrote(0, "rumour"))

    assert events == []
    assert "`$.message_type`" in aside[0].detail


def test_a_rating_out_of_its_scale_is_set_aside(tmp_path: Path) -> None:
    events, _, aside = tell(tmp_path, Talk(1).rated(0, 1, 6)[1])

    assert events == []
    assert "csat_survey_response.rating" in aside[0].detail
