"""What requests of Intercom become: those that were recorded, those of no use, and those that nobody signed."""

import json
from collections import Counter
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
from tests.sources.intercom.messenger import BEGIN, BILLING, RECORDED, SUPPORT, Talk, recorded, signed, webhook_in


def tell(folder: Path, content: Any, **options: Any) -> tuple[list[Event], Intake, list[BadLine]]:
    aside: list[BadLine] = []
    intake = Intake(aside.append)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [*webhook_in(folder, intake, **options).events(signed(body))], intake, aside


WHOSE = "customer=/intercom/contact_777"
OPENED = f"14 22:13:10 case.opened channel=chat {WHOSE} opened_by=customer priority=normal queue=unassigned"
RATED = f"agent=99797 channel=chat comment=True {WHOSE} higher_is_better=True kind=csat"
GOLDEN = {
    "conversation.user.created": [
        OPENED,
        f"14 22:13:10 message.received automatic=False {WHOSE} message=msg_9001",
    ],
    "conversation.admin.replied": [
        "14 22:23:20 message.sent agent=99797 author=agent automatic=False message=7001 public=True"
    ],
    "conversation.admin.closed": [f"14 23:13:20 case.resolved channel=chat {WHOSE} queue=unassigned"],
    "conversation.rating.added": [f"14 23:20:00 survey.answered {RATED} queue=unassigned score=4"],
    "ping": [],
}


def test_every_recorded_payload_is_here() -> None:
    assert {file.stem for file in RECORDED.iterdir()} == GOLDEN.keys()


@pytest.mark.parametrize("name", GOLDEN)
def test_a_recorded_payload_tells_what_was_written_by_hand(tmp_path: Path, name: str) -> None:
    events, intake, aside = tell(tmp_path, recorded(name))

    assert [said(event) for event in events] == GOLDEN[name]
    assert {event.subject for event in events} <= {"/intercom/5001"}
    assert aside == []
    assert intake.ignored == (Counter() if events else Counter({"ping": 1}))


def test_the_published_vector_is_a_signature(tmp_path: Path) -> None:
    (vector,) = [one for one in json.loads(sample("vectors.json").read_bytes()) if one["system"] == "intercom"]
    body = sample(vector["body"]).read_bytes()
    (tmp_path / "vector").write_text(vector["secret"])
    webhook = webhook_in(tmp_path, secret_file=tmp_path / "vector")
    request = Received(body, {vector["header"].lower(): vector["value"]}, "https://gateway.example/", BEGIN)

    assert webhook.verified(request)
    assert not webhook.verified(replace(request, body=body + b" "))
    assert not webhook.verified(replace(request, headers={"x-hub-signature": vector["value"].removeprefix("sha1=")}))
    assert not webhook.verified(signed(body, secret="another"))


def test_what_a_conversation_came_in_by_is_its_channel(tmp_path: Path) -> None:
    ways = {"conversation": "chat", "email": "email", "sms": "sms", "phone_call": "voice", "whatsapp": "messaging"}
    ways |= {"facebook": "messaging", "instagram": "messaging", "twitter": "social", "a_new_one": "chat"}
    told: dict[str, Any] = {way: tell(tmp_path, Talk(1, way).created(0))[0][0] for way in ways}

    assert {way: event.data.channel for way, event in told.items()} == ways
    opened: Any = tell(tmp_path, Talk(1, "a_new_one").created(0), other_channel="email")[0][0]
    assert opened.data.channel == "email"


@pytest.mark.parametrize(
    ("team", "options", "queue"),
    [
        (SUPPORT, {}, "Support"),
        (str(BILLING), {}, "Billing"),
        (77, {}, "77"),
        (None, {}, "unassigned"),
        (0, {"default_queue": "triage"}, "triage"),
        (SUPPORT, {"queues_file": None}, str(SUPPORT)),
    ],
)
def test_the_queue_is_the_team(tmp_path: Path, team: Any, options: dict[str, Any], queue: str) -> None:
    ((event,), _, _) = tell(tmp_path, Talk(1).assigned(0, team), **options)

    assert said(event).endswith(f"queue={queue}")


def test_a_file_of_teams_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"teams": [{"id": null}]}')

    with pytest.raises(SettingsError, match=r"queues_file: .*teams"):
        webhook_in(tmp_path, queues_file=tmp_path / "x.json")


def kinds(events: list[Event]) -> list[str]:
    return [said(event).split()[2] for event in events]


def test_a_message_that_was_sent_to_many_is_no_answer_and_what_a_customer_says_to_it_is_a_question(
    tmp_path: Path,
) -> None:
    campaign = Talk(1, "email", by="admin")
    body = json.loads(campaign.told("user.created", 5, campaign.part(5, "user")))
    body["data"]["item"]["source"]["delivered_as"] = "campaigns_initiated"

    events, _, _ = tell(tmp_path, body)

    assert kinds(events) == ["case.opened", "message.sent", "message.received"]
    assert "opened_by=agent" in said(events[0])
    assert "automatic=True" in said(events[1])


def test_what_a_bot_began_was_opened_by_the_system(tmp_path: Path) -> None:
    events, _, _ = tell(tmp_path, Talk(1, by="bot").told("user.created", 5))

    assert "opened_by=system" in said(events[0])
    assert "author=bot" in said(events[1])


def test_a_customer_who_writes_opens_what_was_closed_unless_it_stays_closed(tmp_path: Path) -> None:
    opens, stays = (tell(tmp_path, Talk(1).asked(5, state=state))[0] for state in ("open", "closed"))

    assert kinds(opens) == ["message.received", "case.reopened", "case.status_changed"]
    assert kinds(stays) == ["message.received"]


def test_a_part_that_two_topics_tell_has_one_id(tmp_path: Path) -> None:
    talk = Talk(1)
    part = talk.part(5, "admin")
    first, second = (tell(tmp_path, talk.told(topic, 5, part))[0] for topic in ("admin.replied", "operator.replied"))

    assert first == second


def test_of_several_messages_of_a_side_none_is_lost_and_what_was_done_beside_them_is_none(tmp_path: Path) -> None:
    talk = Talk(1)
    done = talk.part(1, "bot", "attribute_collector") | {"id": "done"}
    first, second = (talk.part(minutes, "bot") | {"id": f"said-{minutes}"} for minutes in (2, 3))
    other = talk.part(4, "user") | {"id": "asked"}

    events, _, _ = tell(tmp_path, talk.told("operator.replied", 4, done, first, second, other))

    assert [said(event).split("message=")[1] for event in events] == ["said-2 public=True", "said-3 public=True"]


def test_a_note_beside_an_answer_is_not_taken_for_it(tmp_path: Path) -> None:
    talk = Talk(1)
    answer, note = talk.part(5, "admin"), talk.part(6, "admin", "note") | {"id": "note-1"}

    ((event,), _, _) = tell(tmp_path, talk.told("admin.replied", 6, answer, note))

    assert "message=part-1-0 public=True" in said(event)


def test_a_deletion_names_the_conversation_by_a_field_of_its_own(tmp_path: Path) -> None:
    ((event,), _, _) = tell(tmp_path, Talk(7).deleted(5))

    assert (event.subject, kinds([event])) == ("/intercom/7", ["case.deleted"])


def test_what_happened_counts_when_it_did_and_not_when_it_was_told(tmp_path: Path) -> None:
    """The customer writes two seconds after the closing, of which a notification is made later."""
    talk = Talk(1)
    closed, asked = talk.closed(5), talk.asked(5 + 2 / 60, state="open")

    (resolved,), (_, reopened, _) = (tell(tmp_path, body)[0] for body in (closed, asked))

    assert (kinds([resolved]), kinds([reopened])) == (["case.resolved"], ["case.reopened"])
    assert resolved.time < reopened.time


def test_what_fin_says_in_the_name_of_a_teammate_is_no_answer(tmp_path: Path) -> None:
    talk = Talk(1)
    part = talk.part(5, "admin")
    part["author"] |= {"from_ai_agent": True, "is_ai_answer": True}
    asked = talk.part(5, "admin")
    asked["author"] |= {"from_ai_agent": False, "is_ai_answer": None}

    ((by_fin,), _, _), ((by_mia,), _, _) = (tell(tmp_path, talk.told("admin.replied", 5, one)) for one in (part, asked))

    assert "author=bot" in said(by_fin)
    assert "agent=" not in said(by_fin)
    assert "agent=99797 author=agent" in said(by_mia)


def test_a_first_answer_that_assigns_at_once_is_an_answer(tmp_path: Path) -> None:
    """Of a conversation that is nobody's: Intercom calls the reply an assignment, and tells it by both topics."""
    talk = Talk(1)
    part = talk.part(5, "admin", "assignment")
    topics = ("admin.replied", "admin.open.assigned")

    (answered, _, _), (assigned, _, _) = (
        tell(tmp_path, talk.told(topic, 5, part, admin_assignee_id=99797)) for topic in topics
    )

    assert (kinds(answered), kinds(assigned)) == (["message.sent"], ["case.assigned"])


def test_a_rating_was_given_when_it_was_changed_last_and_not_when_it_was_asked_for(tmp_path: Path) -> None:
    with_time = json.loads(Talk(1).rated(9, 2))
    without = json.loads(Talk(1).rated(9, 2))
    del without["data"]["item"]["conversation_rating"]["updated_at"]
    of_fin = json.loads(Talk(1).rated(9, 2))
    of_fin["data"]["item"]["conversation_rating"]["teammate"] = {"type": "bot", "id": "5"}

    ((exact,), _, _), ((told,), _, _), ((bots,), _, _) = (tell(tmp_path, one) for one in (with_time, without, of_fin))

    assert [f"{each.time:%H:%M:%S}" for each in (exact, told)] == ["09:09:00", "09:09:20"]
    assert ("agent=99797" in said(exact), "agent=" in said(bots)) == (True, False)


def test_a_reply_to_what_stays_snoozed_opens_nothing(tmp_path: Path) -> None:
    events, _, _ = tell(tmp_path, Talk(1).asked(5, state="snoozed"))

    assert kinds(events) == ["message.received"]


def test_a_payload_of_the_first_versions_is_set_aside_with_the_field_that_it_has_not(tmp_path: Path) -> None:
    """They have `user`, `assignee` and `conversation_message`, and no `source`."""
    content = recorded("conversation.user.created")
    del content["data"]["item"]["source"]

    events, _, (bad,) = tell(tmp_path, content)

    assert (events, "`source`" in bad.detail) == ([], True)


def changed(name: str, path: str, value: Any) -> dict[str, Any]:
    """Return a recorded payload of which one field is something else."""
    content = recorded(name)
    *parents, last = path.split(".")
    place = content
    for parent in parents:
        place = place[parent]
    place[last] = value
    return content


GONE = json.loads(Talk(7).deleted(5))
CREATED, REPLIED, RATING = "conversation.user.created", "conversation.admin.replied", "conversation.rating.added"


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (changed(CREATED, "id", None), "invalid_field", "at `$.id`"),
        (changed(CREATED, "created_at", 1_700_000_000_000), "invalid_field", "at `$.created_at`"),
        (changed(CREATED, "data.item.created_at", "today"), "invalid_field", "at `$.data.item.created_at`"),
        (changed(CREATED, "data.item.source", None), "invalid_field", "at `$.data.item.source`"),
        (changed(CREATED, "data", {}), "invalid_field", "missing required field `item`"),
        (changed(REPLIED, "data.item.conversation_parts", None), "invalid_field", "`$.data.item.conversation_parts`"),
        (changed(REPLIED, "topic", "conversation.user.replied"), "invalid_field", "`$.data.item.conversation_parts`"),
        (changed(RATING, "data.item.conversation_rating", None), "invalid_field", "`$.data.item.conversation_rating`"),
        (changed(RATING, "data.item.conversation_rating.rating", 6), "invalid_field", "conversation_rating.rating`"),
        (changed(CREATED, "topic", "conversation.admin.noted"), "invalid_field", "`$.data.item.conversation_parts`"),
        (GONE | {"data": {"item": {"type": "conversation"}}}, "invalid_field", "`$.data.item.conversation_id`"),
        (changed(CREATED, "topic", "ticket.created"), "unknown_kind", "not known"),
        (changed(CREATED, "topic", None), "unknown_document", "it has no topic"),
        (changed(CREATED, "type", "conversation"), "unknown_document", "it has no topic"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_its_field(
    tmp_path: Path, content: Any, reason: str, detail: str
) -> None:
    events, _, aside = tell(tmp_path, content)

    assert events == []
    assert [(bad.reason, detail in bad.detail) for bad in aside] == [(reason, True)], aside


def test_a_rating_that_is_not_given_yet_spoils_no_other_notification(tmp_path: Path) -> None:
    nothing = {"rating": None, "remark": None, "created_at": None}

    events, _, aside = tell(tmp_path, changed(CREATED, "data.item.conversation_rating", nothing))

    assert (kinds(events), aside) == (["case.opened", "message.received"], [])
