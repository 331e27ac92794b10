"""What a single detail event becomes: the event on the left, what it tells on the right."""

from pathlib import Path
from typing import Any

import pytest

from stream.core.cloudevents import Event, tag_of
from stream.sources.genesys_cloud.source import GenesysCloudWebhook
from stream.sources.intake import Intake
from tests.sources.genesys_cloud.organization import SALES, detail, told, webhook_in


@pytest.fixture
def webhook(tmp_path: Path) -> GenesysCloudWebhook:
    return webhook_in(tmp_path)


def acd_end(**fields: Any) -> dict[str, Any]:
    return detail("acd.end", "00:40", "ann", "ann-q", queueId=SALES, connected=40, **fields)


def user_end(**fields: Any) -> dict[str, Any]:
    return detail("user.end", "00:40", "ann", "ann-u", queueId=SALES, userId="mia", **fields)


def said(events: list[Event]) -> list[tuple[str, ...]]:
    """Each event with what is special to it."""
    special = ("reason", "kind", "result", "ended_by", "due_at")
    return [
        (tag_of(event), *(str(value) for name in special if (value := getattr(event.data, name, None)) is not None))
        for event in events
    ]


ENDS_OF_A_WAIT = [
    ({"acdOutcome": "ANSWERED", "answeredUserId": "mia"}, ("contact.answered",)),
    ({"acdOutcome": "ANSWERED"}, ("contact.answered",)),
    ({"acdOutcome": "ABANDON", "disconnectType": "ENDPOINT"}, ("contact.abandoned",)),
    # Some disconnections by the system are abandons for Genesys.
    ({"acdOutcome": "ABANDON", "disconnectType": "SYSTEM"}, ("contact.abandoned",)),
    ({"acdOutcome": "FLOW_OUT", "disconnectType": "TRANSFER"}, ("contact.dequeued", "moved")),
    ({"acdOutcome": "FLOW_OUT", "disconnectType": "CONSULT_TRANSFER"}, ("contact.dequeued", "moved")),
    ({"acdOutcome": "FLOW_OUT", "disconnectType": "TIMEOUT"}, ("contact.dequeued", "timeout")),
    ({"acdOutcome": "FLOW_OUT", "disconnectType": "SYSTEM"}, ("contact.dequeued", "system")),
    ({"acdOutcome": "FLOW_OUT"}, ("contact.dequeued", "system")),
    # An outcome of a later version is an exit whose reason is not known.
    ({"acdOutcome": "SOMETHING_NEW"}, ("contact.dequeued", "system")),
    # Where Genesys does not tell the outcome.
    ({"answeredUserId": "mia", "disconnectType": "TRANSFER"}, ("contact.answered",)),
    ({"acdOutcome": "UNKNOWN", "disconnectType": "PEER"}, ("contact.abandoned",)),
    ({"disconnectType": "ENDPOINT"}, ("contact.abandoned",)),
    ({"disconnectType": "TRANSFER"}, ("contact.dequeued", "moved")),
    ({"disconnectType": "ERROR"}, ("contact.dequeued", "system")),
    # A callback is no contact that waits: giving it up is no abandon.
    ({"mediaType": "CALLBACK", "acdOutcome": "ANSWERED"}, ("callback.attempted",)),
    ({"mediaType": "CALLBACK", "acdOutcome": "ABANDON"}, ("callback.failed",)),
    ({"mediaType": "CALLBACK", "acdOutcome": "FLOW_OUT"}, ("callback.failed",)),
]


@pytest.mark.parametrize(("fields", "expected"), ENDS_OF_A_WAIT, ids=str)
def test_how_a_wait_ends(webhook: GenesysCloudWebhook, fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert said(told(webhook, [acd_end(**fields)])) == [expected]


TALKED: dict[str, Any] = {"interacting": 60}
ENDS_OF_AN_AGENTS_PART = [
    ({"disconnectType": "PEER", **TALKED}, ("contact.ended", "customer")),
    ({"disconnectType": "CLIENT", **TALKED}, ("contact.ended", "agent")),
    ({"disconnectType": "ENDPOINT", **TALKED}, ("contact.ended", "agent")),
    ({"disconnectType": "SYSTEM", **TALKED}, ("contact.ended", "system")),
    ({"disconnectType": "SOMETHING_NEW", **TALKED}, ("contact.ended",)),
    ({"held": 5}, ("contact.ended",)),
    ({"disconnectType": "TRANSFER", **TALKED}, ("contact.transferred", "blind")),
    ({"disconnectType": "CONSULT_TRANSFER", **TALKED}, ("contact.transferred", "attended")),
    ({"disconnectType": "CONFERENCE_TRANSFER", **TALKED}, ("contact.transferred", "attended")),
    ({"disconnectType": "TIMEOUT", "alerting": 15}, ("contact.offer_ended", "missed")),
    ({"disconnectType": "SYSTEM", "alerting": 15}, ("contact.offer_ended", "missed")),
    ({"disconnectType": "CLIENT", "alerting": 2}, ("contact.offer_ended", "rejected")),
    ({"disconnectType": "PEER", "alerting": 2}, ("contact.offer_ended", "canceled")),
    ({"disconnectType": "TRANSFER", "alerting": 2}, ("contact.offer_ended", "rescinded")),
    ({"direction": "OUTBOUND", **TALKED}, ("contact.ended",)),
]


@pytest.mark.parametrize(("fields", "expected"), ENDS_OF_AN_AGENTS_PART, ids=str)
def test_how_an_agents_part_ends(
    webhook: GenesysCloudWebhook, fields: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert said(told(webhook, [user_end(**fields)])) == [expected]


@pytest.mark.parametrize(
    "part",
    [
        detail("user.start", "00:10", "ann", "ann-u", userId="mia"),  # called directly
        detail("user.start", "00:10", "ann", "ann-u", userId="mia", queueId=SALES, direction="OUTBOUND"),
        user_end(direction="OUTBOUND"),  # called by us in vain
        user_end(mediaType="CALLBACK", interacting=5),
        user_end(mediaType="SCREENSHARE", interacting=5),
        acd_end(direction="OUTBOUND", acdOutcome="ANSWERED"),  # a campaign: nobody called us
        detail("customer.start", "00:00", "ann", "ann-c", direction="OUTBOUND"),
        detail("customer.end", "01:00", "ann", "ann-c"),
        detail("flow.outcome", "01:00", "ann", "ann-c"),
        detail("attributes", "01:00", "ann", "ann-c", attributes={"name": "Ann"}),
    ],
    ids=str,
)
def test_what_tells_nothing_is_counted(tmp_path: Path, part: dict[str, Any]) -> None:
    intake = Intake()

    assert told(webhook_in(tmp_path, intake), [part]) == []
    assert intake.ignored.total() == 1
    assert not intake.used | intake.unknown | intake.refused


@pytest.mark.parametrize("medium", ["SOMETHING_NEW", None])
def test_a_medium_that_nobody_knows_is_no_silence(tmp_path: Path, medium: str | None) -> None:
    intake = Intake()

    assert told(webhook_in(tmp_path, intake), [acd_end(mediaType=medium, acdOutcome="ANSWERED")]) == []
    assert intake.refused == {"unknown_media": 1}


@pytest.mark.parametrize(
    ("fields", "channel"),
    [
        ({"mediaType": "VOICE"}, "voice"),
        ({"mediaType": "CHAT"}, "chat"),
        ({"mediaType": "EMAIL"}, "email"),
        ({"mediaType": "VIDEO"}, "video"),
        ({"mediaType": "MESSAGE"}, "messaging"),
        ({"mediaType": "MESSAGE", "messageType": "SMS"}, "sms"),
        ({"mediaType": "MESSAGE", "messageType": "WHATSAPP"}, "messaging"),
        ({"mediaType": "MESSAGE", "messageType": "FACEBOOK"}, "social"),
    ],
    ids=str,
)
def test_channels(webhook: GenesysCloudWebhook, fields: dict[str, str], channel: str) -> None:
    (entered,) = told(webhook, [detail("acd.start", "00:10", "ann", "ann-q", queueId=SALES, **fields)])

    assert entered.data.channel == channel


def test_a_visit_says_where_when_and_of_whom(webhook: GenesysCloudWebhook) -> None:
    contacts = ["cccccccc-0000-4000-8000-000000000001"]
    part = acd_end(acdOutcome="ANSWERED", answeredUserId="mia", conversationExternalContactIds=contacts)

    (answered,) = told(webhook, [part])

    assert (answered.subject, answered.time.isoformat()) == ("ann", "2026-11-26T13:00:40+00:00")
    assert (answered.data.queue, answered.data.agent, answered.data.wait_ms) == ("Sales", "mia", 40_000)
    assert answered.data.customer == contacts[0]


def test_a_callback_says_when_it_is_due(webhook: GenesysCloudWebhook) -> None:
    part = detail(
        *("acd.start", "00:10", "ann", "ann-q"),
        queueId=SALES,
        mediaType="CALLBACK",
        callbackScheduledTime=1_795_784_400_000,
    )

    assert said(told(webhook, [part])) == [("callback.requested", "2026-11-27 13:00:00+00:00")]
