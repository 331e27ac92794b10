"""What topics of users and queue members tell of agents."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stream.core.cloudevents import Event, tag_of
from stream.sources.genesys_cloud.source import GenesysCloudWebhook
from stream.sources.intake import Intake
from tests.sources.genesys_cloud.organization import BEGIN, SALES, told, webhook_in, wrapped

MIA = "bbbbbbbb-0000-4000-8000-000000000001"


@pytest.fixture
def webhook(tmp_path: Path) -> GenesysCloudWebhook:
    return webhook_in(tmp_path)


def presence(name: str) -> dict[str, Any]:
    return {"presenceDefinition": {"id": "p", "systemPresence": name}, "modifiedDate": "2026-11-26T13:00:05.123Z"}


def routing(status: str) -> dict[str, Any]:
    return {"status": status, "startTime": "2026-11-26T13:00:07.000Z"}


def said(events: list[Event]) -> list[tuple[str, ...]]:
    names = ("status", "reason", "activity", "queue")
    return [
        (tag_of(event), *(value for name in names if (value := getattr(event.data, name, None)))) for event in events
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ON_QUEUE", ("available",)),
        ("On Queue", ("available",)),
        ("AVAILABLE", ("not_ready", "available")),
        ("MEAL", ("not_ready", "meal")),
        ("OFFLINE", ("offline",)),
        ("SOMETHING_NEW", ("not_ready", "something_new")),
    ],
)
def test_only_who_is_on_queue_is_available(webhook: GenesysCloudWebhook, name: str, expected: tuple[str, ...]) -> None:
    (event,) = told(webhook, [wrapped(f"v2.users.{MIA}.presence", presence(name))])

    assert said([event]) == [("agent.availability_changed", *expected)]
    assert (event.subject, event.time) == (MIA, BEGIN + timedelta(seconds=5.123))


@pytest.mark.parametrize(
    ("status", "activity"),
    [
        ("IDLE", "idle"),
        ("OFF_QUEUE", "idle"),
        ("INTERACTING", "on_contact"),
        ("COMMUNICATING", "on_contact"),
        ("NOT_RESPONDING", "error"),
    ],
)
def test_a_routing_status_is_what_an_agent_does(webhook: GenesysCloudWebhook, status: str, activity: str) -> None:
    events = told(webhook, [wrapped(f"v2.users.{MIA}.routingStatus", {"id": MIA, **routing(status)})])

    assert said(events) == [("agent.activity_changed", activity)]


def test_an_activity_tells_both_with_the_ids_of_the_topics_of_each(webhook: GenesysCloudWebhook) -> None:
    both = {"id": MIA, "presence": presence("ON_QUEUE"), "routingStatus": routing("IDLE"), "activeQueueIds": [SALES]}

    events = told(webhook, [wrapped(f"v2.users.{MIA}.activity", both)])
    each = told(
        webhook,
        [
            wrapped(f"v2.users.{MIA}.presence", presence("ON_QUEUE")),
            wrapped(f"v2.users.{MIA}.routingStatus", routing("IDLE")),
        ],
    )

    assert events == each
    assert len({event.id for event in events}) == 2


def test_a_member_joins_and_leaves_a_queue(webhook: GenesysCloudWebhook) -> None:
    topic, member = f"v2.routing.queues.{SALES}.users", {"id": MIA, "queueId": SALES}

    joined, left = told(webhook, [wrapped(topic, member | {"joined": joined}) for joined in (True, False)])

    assert said([joined, left]) == [("agent.queue_joined", "Sales"), ("agent.queue_left", "Sales")]
    assert (joined.subject, joined.time) == (MIA, BEGIN)
    assert joined.id != left.id


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (wrapped(f"v2.users.{MIA}.routingStatus", routing("SOMETHING_NEW")), "unknown_status"),
        (wrapped(f"v2.users.{MIA}.presence", {"modifiedDate": "2026-11-26T13:00:05Z"}), "invalid_field"),
        (wrapped(f"v2.users.{MIA}.presence", presence("MEAL") | {"modifiedDate": "2026-11-26"}), "invalid_field"),
        (wrapped("v2.users.{id}.presence", presence("MEAL")), "no_id"),
        (wrapped(f"v2.routing.queues.{SALES}.users", {"id": MIA, "joined": True})["detail"], "no_time"),
        (wrapped(f"v2.routing.queues.{SALES}.users", {"id": MIA}), "invalid_field"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_used_is_refused_with_a_reason(tmp_path: Path, part: dict[str, Any], reason: str) -> None:
    intake = Intake()

    assert told(webhook_in(tmp_path, intake), [part]) == []
    assert intake.refused == {reason: 1}
