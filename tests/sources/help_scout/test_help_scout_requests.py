"""What requests of Help Scout become: those that were recorded, those of no use, and those that nobody signed."""

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
from tests.sources.help_scout.inbox import BEGIN, CONVERSATIONS, SUPPORT, Conversation, recorded, request, webhook_in


def tell(folder: Path, kind: str, content: Any, **options: Any) -> tuple[list[Event], Intake, list[BadLine]]:
    aside: list[BadLine] = []
    intake = Intake(aside.append)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [*webhook_in(folder, intake, **options).events(request(kind, body))], intake, aside


OF_THE_API = [
    "21 14:39:56 case.opened channel=email customer=/help-scout/238604 opened_by=customer priority=normal queue=85",
    "21 14:43:24 case.resolved agent=256 channel=email customer=/help-scout/238604 queue=85",
]
RATED = (
    "14 20:18:33 survey.answered comment=True customer=/help-scout/449379 higher_is_better=True kind=csat queue=1234 "
    "scale=smileys score=3"
)
GOLDEN = {
    ("convo.agent.reply.created", "convo.agent.reply.created"): [
        "24 14:35:45 message.sent agent=149254 author=agent automatic=False message=98254745 public=True",
        "24 14:35:45 case.status_changed customer=/help-scout/298473 status=open",
    ],
    ("convo.deleted", "convo.deleted"): ["02 09:00:00 case.deleted reason=deleted"],
    ("satisfaction.ratings", "satisfaction.ratings"): [RATED],
    ("convo.created", "conversation_v2"): OF_THE_API,
    ("convo.status", "conversation_v2"): OF_THE_API[1:],
    ("convo.status", "convo.status_v1_shape"): [],
}


@pytest.mark.parametrize(("kind", "name"), GOLDEN)
def test_a_recorded_payload_tells_what_was_written_by_hand(tmp_path: Path, kind: str, name: str) -> None:
    events, _, aside = tell(tmp_path, kind, recorded(name))

    assert [said(event) for event in events] == GOLDEN[kind, name]
    # Version 1 is not sent any more: of what still has its shape the field is named.
    v1 = ["Object missing required field `mailboxId`"] if name == "convo.status_v1_shape" else []
    assert [bad.detail for bad in aside] == v1


def test_the_published_vector_is_a_signature(tmp_path: Path) -> None:
    (vector,) = [one for one in json.loads(sample("vectors.json").read_bytes()) if one["system"] == "helpscout"]
    body = sample(vector["body"]).read_bytes()
    (tmp_path / "vector").write_text(vector["secret"])
    webhook = webhook_in(tmp_path, secret_file=tmp_path / "vector")
    signed = Received(body, {vector["header"].lower(): vector["value"]}, "https://gateway.example/", BEGIN)

    assert webhook.verified(signed)
    assert not webhook.verified(replace(signed, body=body + b" "))
    assert not webhook.verified(request("convo.created", body, secret="another"))


def test_what_a_conversation_came_in_by_is_its_channel(tmp_path: Path) -> None:
    ways = {"email": "email", "chat": "chat", "phone": "voice", "instagram": "messaging", "facebook": "social"}
    ways |= {"api": "email", "a_new_one": "email"}
    kind, _ = CONVERSATIONS[0]
    told: dict[str, Any] = {}
    for way in ways:
        told[way] = tell(tmp_path, kind, Conversation(1, way).created(0)[1])[0][0]

    assert {way: event.data.channel for way, event in told.items()} == ways
    opened: Any = tell(tmp_path, kind, Conversation(1, "api").created(0)[1], other_channel="chat")[0][0]
    assert opened.data.channel == "chat"


def test_the_type_of_a_conversation_says_what_its_source_does_not(tmp_path: Path) -> None:
    _, body = Conversation(1, "chat").created(0)
    opened: Any = tell(tmp_path, "convo.created", json.loads(body) | {"source": {"type": "beacon-v9"}})[0][0]

    assert opened.data.channel == "chat"


def test_an_inbox_without_a_name_is_called_by_its_id(tmp_path: Path) -> None:
    kind, body = Conversation(1).moved(0, 77)
    named, nameless = (tell(tmp_path, kind, body, **told)[0][0] for told in ({}, {"queues_file": None}))
    _, created = Conversation(1).created(0)
    opened: Any = tell(tmp_path, "convo.created", created, queues_file=None)[0][0]

    assert "queue=77" in said(named)
    assert said(named) == said(nameless)
    assert opened.data.queue == str(SUPPORT)


def test_a_file_of_inboxes_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"mailboxes": []}')

    with pytest.raises(SettingsError, match=r"queues_file: .*_embedded"):
        webhook_in(tmp_path, queues_file=tmp_path / "x.json")


def test_threads_are_found_where_the_api_has_them(tmp_path: Path) -> None:
    kind, body = Conversation(1).answered(5)
    content = json.loads(body)
    as_the_api = content | {"threads": 1, "_embedded": {"threads": content["threads"]}}
    alone = {name: told for name, told in as_the_api.items() if name != "threads"}

    assert tell(tmp_path, kind, as_the_api)[0] == tell(tmp_path, kind, content)[0]
    assert tell(tmp_path, kind, alone)[0] == tell(tmp_path, kind, content)[0]


def messages(folder: Path, kind: str, content: Any) -> list[str]:
    return [said(event) for event in tell(folder, kind, content)[0] if said(event).split()[2].startswith("message.")]


def test_of_two_messages_soon_after_each_other_neither_is_lost_where_both_requests_have_both(tmp_path: Path) -> None:
    talk = Conversation(1)
    told = [talk.created(0), talk.answered(5), talk.asked(10), talk.asked(11), talk.answered(12)]
    asked, answered = json.loads(told[3][1]), json.loads(told[4][1])
    whole = asked | {"threads": [*asked["threads"], *answered["threads"]]}

    questions = messages(tmp_path, "convo.customer.reply.created", whole)
    answers = messages(tmp_path, "convo.agent.reply.created", whole)

    assert [line.split()[1] for line in questions] == ["09:10:00", "09:11:00"]
    # The first answer was told before: after it the customer has written.
    assert [line.split()[1] for line in answers] == ["09:12:00"]


def test_a_team_is_nobody_who_answers_and_neither_is_a_workflow(tmp_path: Path) -> None:
    kind, body = Conversation(1).assigned(1)
    to_team = json.loads(body)
    to_team["assignee"] |= {"type": "team"}
    replied, body = Conversation(1).answered(2)
    by_workflow = json.loads(body)
    by_workflow["threads"][0]["source"] = {"type": "workflows", "via": "user"}

    assert "agent=2001" in said(tell(tmp_path, kind, Conversation(1).assigned(1)[1])[0][0])
    assert "agent=" not in said(tell(tmp_path, kind, to_team)[0][0])
    (automatic,) = messages(tmp_path, replied, by_workflow)
    assert ("automatic=True" in automatic, "agent=2001" in automatic) == (True, False)


def test_what_a_machine_began_was_opened_by_the_system(tmp_path: Path) -> None:
    by = {"createdBy": {"id": 9, "type": "system_user"}}
    kind, body = Conversation(1, by_agent=True).created(0)

    assert "opened_by=system" in said(tell(tmp_path, kind, json.loads(body) | by)[0][0])
    assert "agent=2001 " in said(tell(tmp_path, kind, body)[0][0])


def test_a_rating_names_its_inbox_as_the_webhook_or_as_the_api_does(tmp_path: Path) -> None:
    content = recorded("satisfaction.ratings")
    of_the_api = content | {"mailboxId": content["mailbox"]["id"], "rating": "not_good"}
    del of_the_api["mailbox"]
    without = {name: told for name, told in of_the_api.items() if name != "mailboxId"}

    ((event,), _, _) = tell(tmp_path, "satisfaction.ratings", of_the_api)
    assert ("queue=1234" in said(event), "score=1" in said(event)) == (True, True)
    assert [bad.detail for bad in tell(tmp_path, "satisfaction.ratings", without)[2]] == ["no inbox - at `$.mailbox`"]


@pytest.mark.parametrize(
    "changed", [{"state": "draft"}, {"state": "hidden"}, {"state": "review"}, {"type": "lineitem"}]
)
def test_what_was_not_sent_is_no_answer(tmp_path: Path, changed: dict[str, str]) -> None:
    kind, body = Conversation(1).answered(5)
    content = json.loads(body)
    content["threads"][0] |= changed

    events, _, aside = tell(tmp_path, kind, content)

    assert events == []
    assert [bad.detail for bad in aside] == ["no such reply - at `$.threads`"]


def test_a_customer_who_writes_opens_what_was_closed_unless_it_stays_closed(tmp_path: Path) -> None:
    opens, stays = (Conversation(1).asked(5, status=status, closedAt=None) for status in ("active", "closed"))

    kinds = [[said(event).split()[2] for event in tell(tmp_path, *told)[0]] for told in (opens, stays)]

    assert kinds == [
        ["message.received", "case.reopened", "case.status_changed"],
        ["message.received", "case.resolved"],
    ]


WHOLE = recorded("conversation_v2")
NO_TIME = "2017-04-21T14:39:56"
NOT_WHOLE = {"uri": "https://api.helpscout.net/v2/conversations/1"}


def _merged(**action: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Conversation(1).took_over(5, 2)[1])
    content["threads"][0]["action"] |= action
    return content


@pytest.mark.parametrize(
    ("kind", "content", "reason", "detail"),
    [
        ("convo.created", WHOLE | {"id": "123"}, "invalid_field", "got `str` - at `$.id`"),
        ("convo.created", WHOLE | {"createdAt": "yesterday"}, "invalid_field", "`$.createdAt`"),
        (
            "convo.created",
            WHOLE | {"createdAt": NO_TIME},
            "invalid_field",
            "`$.createdAt`",
        ),
        (
            "convo.status",
            WHOLE | {"status": "odd"},
            "invalid_field",
            "no known status - at `$.status`",
        ),
        (
            "convo.status",
            {"uri": "https://api.helpscout.net/v2/conversations/1"},
            "invalid_field",
            "missing required field",
        ),
        ("convo.merged", WHOLE, "invalid_field", "`$.threads[...].action`"),
        ("convo.merged", _merged(associatedEntities={}), "invalid_field", "`$.threads[...].action`"),
        (
            "satisfaction.ratings",
            recorded("satisfaction.ratings") | {"rating": "meh"},
            "invalid_field",
            "at `$.rating`",
        ),
        ("convo.levitated", WHOLE, "unknown_kind", "not known"),
        ("", WHOLE, "unknown_document", "X-HelpScout-Event is missing"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_its_field(
    tmp_path: Path, kind: str, content: Any, reason: str, detail: str
) -> None:
    events, _, aside = tell(tmp_path, kind, content)

    assert events == []
    assert [(bad.reason, detail in bad.detail) for bad in aside] == [(reason, True)], aside
    assert not [word for word in ("odd", "meh", "yesterday", "levitated") if word in aside[0].detail]


@pytest.mark.parametrize("kind", ["convo.tags", "helpscout.test"])
def test_what_is_known_and_of_no_use_is_counted(tmp_path: Path, kind: str) -> None:
    events, intake, aside = tell(tmp_path, kind, recorded("conversation_v2"))

    assert (events, aside, intake.ignored) == ([], [], Counter({kind: 1}))
