"""What requests of Zammad become: that which was recorded, those of no use, and those that nobody signed."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.source import Received
from tests.samples import sample
from tests.sources.desk_boards import said
from tests.sources.zammad.service_desk import BEGIN, SECRET, Ticket, recorded, request, webhook_in


def tell(folder: Path, content: Any, **options: Any) -> tuple[list[Event], list[BadLine]]:
    aside: list[BadLine] = []
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [*webhook_in(folder, Intake(aside.append), **options).events(request(body))], aside


def changed(**fields: Any) -> dict[str, Any]:
    """Return what was recorded, with other fields of the ticket."""
    content = recorded()
    return content | {"ticket": content["ticket"] | fields}


def test_the_recorded_payload_tells_what_was_written_by_hand(tmp_path: Path) -> None:
    events, aside = tell(tmp_path, recorded())

    customer = "customer=/zammad/8"
    assert [said(event) for event in events] == [
        f"13 14:34:35 case.opened channel=voice {customer} opened_by=customer priority=normal queue=Service Desk",
        f"13 14:34:35 case.assigned agent=5 {customer} queue=Service Desk",
        "13 14:34:35 case.status_changed priority=normal",
        "13 14:34:35 case.reopened ",
        "13 14:34:35 case.status_changed status=open",
        f"13 14:34:35 message.received automatic=False {customer} message=104",
    ]
    assert [event.time.microsecond for event in events] == [282_000, 333_000, 333_000, 333_000, 333_000, 318_000]
    assert aside == []


def test_the_published_vector_is_a_signature(tmp_path: Path) -> None:
    (vector,) = [one for one in json.loads(sample("vectors.json").read_bytes()) if one["system"] == "zammad"]
    body = sample(vector["body"]).read_bytes()
    (tmp_path / "vector").write_text(vector["secret"])
    webhook = webhook_in(tmp_path, secret_file=tmp_path / "vector")
    signed = Received(body, {vector["header"].lower(): vector["value"]}, "https://gateway.example/", BEGIN)

    assert webhook.verified(signed)
    assert not webhook.verified(replace(signed, body=body + b" "))
    assert not webhook.verified(request(body, secret="another"))


def test_a_webhook_without_a_token_shows_a_password(tmp_path: Path) -> None:
    webhook = webhook_in(tmp_path, signed=False)

    def shown(password: str) -> Received:
        login = b64encode(f"zammad:{password}".encode()).decode()
        return Received(b"{}", {"authorization": f"Basic {login}"}, "https://gateway.example/", BEGIN)

    assert webhook.verified(shown(SECRET))
    assert not webhook.verified(shown(SECRET + "x"))
    assert not webhook.verified(request(b"{}"))


def test_the_first_article_says_the_channel(tmp_path: Path) -> None:
    ways = {"email": "email", "phone": "voice", "chat": "chat", "sms": "sms", "whatsapp message": "messaging"}
    ways |= {"facebook direct-message": "messaging", "facebook feed post": "social", "twitter status": "social"}
    ways |= {"web": "email", "note": "email", "a new one": "email"}
    told: Any = {way: tell(tmp_path, Ticket(1, 0, way).wrote(0, "Customer"))[0][0] for way in ways}

    assert {way: event.data.channel for way, event in told.items()} == ways
    opened: Any = tell(tmp_path, Ticket(1, 0, "web").wrote(0, "Customer"), other_channel="task")[0][0]
    assert opened.data.channel == "task"


def test_a_ticket_without_a_group_is_in_the_default_queue(tmp_path: Path) -> None:
    events: Any = tell(tmp_path, changed(group={}), default_queue="nobody's")[0]

    assert [event.data.queue for event in events[:2]] == ["nobody's", "nobody's"]


STATES = {
    "new": ["case.reopened", "case.status_changed"],
    "pending close": ["case.reopened", "case.status_changed"],
    "closed": ["case.resolved"],
    "merged": ["case.merged"],
    "removed": ["case.deleted"],
    "Waiting for Parts": ["case.reopened", "case.status_changed"],
    "Junk": ["case.deleted"],
}


@pytest.mark.parametrize("state", STATES)
def test_a_state_says_what_has_become_of_a_ticket(tmp_path: Path, state: str) -> None:
    events, _ = tell(tmp_path, changed(state=state), states={"waiting for parts": "on_hold", "Junk": "spam"})

    assert [type(event).__struct_config__.tag for event in events[3:-1]] == STATES[state]


def test_priorities_that_are_not_zammads_own_are_normal_unless_somebody_says_what_they_are(tmp_path: Path) -> None:
    mine = changed(priority={"name": "4 now"})
    priorities: Any = [tell(tmp_path, mine, **told)[0][2] for told in ({}, {"priorities": {"4 now": "urgent"}})]

    assert [event.data.priority for event in priorities] == ["normal", "urgent"]


def test_what_a_machine_or_nobody_wrote_is_automatic_and_a_note_is_no_answer(tmp_path: Path) -> None:
    ticket = Ticket(1, 0)
    told: Any = [
        tell(tmp_path, ticket.wrote(1, sender, kind))[0][-1]
        for sender, kind in (("Agent", "email"), ("System", "email"), ("Agent", "note"))
    ]

    assert [(event.data.automatic, event.data.public, event.data.agent) for event in told] == [
        (False, True, "5"),
        (True, True, None),
        (False, False, "5"),
    ]


def test_what_a_customers_machine_wrote_is_automatic_and_does_not_wait(tmp_path: Path) -> None:
    by_machine = {"send-auto-response": False, "is-auto-response": True}
    by_hand = {"send-auto-response": True, "is-auto-response": False}
    told: Any = [
        tell(tmp_path, Ticket(1, 0).wrote(1, "Customer", preferences=preferences))[0]
        for preferences in (by_machine, by_hand, {}, None)
    ]

    assert [(events[0].data.opened_by, events[-1].data.automatic) for events in told] == [
        ("system", True),
        ("customer", False),
        ("customer", False),
        ("customer", False),
    ]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (changed(state="rumoured"), "option states - at `$.ticket.state`"),
        (changed(updated_at="2020-11-13T14:34:35"), "`$.updated_at`"),
        (changed(id=None), "`$.id`"),
        (recorded() | {"article": {"id": 1}}, "created_at"),
        ({"ticket": "81"}, "`$.ticket`"),
    ],
)
def test_what_is_not_as_it_should_be_is_named(tmp_path: Path, content: Any, named: str) -> None:
    events, aside = tell(tmp_path, content)

    assert events == []
    assert [named in bad.detail for bad in aside] == [True]
