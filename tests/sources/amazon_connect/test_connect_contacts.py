"""What documents say of contacts on the left, and the events that tell it on the right."""

import json
from pathlib import Path
from typing import Any

import pytest

from stream.core.cloudevents import Event, tag_of
from stream.sources.intake import Intake
from tests.samples import sample
from tests.sources.amazon_connect.aws import (
    NEVER,
    Call,
    connected,
    contact_event,
    contact_events,
    contact_record,
    counted,
    firehose,
    posted,
    told,
)

AWS_QUEUE = "1a7164b5-3846-4a7d-a328-71437aa75f57"


def said(events: list[Event]) -> list[str]:
    """Return kind, contact, queue and time of each event."""
    return [f"{tag_of(event)} {event.subject} {event.data.queue} {event.time:%H:%M:%S}" for event in events]


def recorded(name: str) -> Any:
    return json.loads(sample(f"amazon-connect/{name}.json").read_bytes())


RECORDED = [
    (
        "contact_event_connected_to_agent",
        [
            f"contact.enqueued 58092a11-6075-4025-a57d-6ada88b26d5b {AWS_QUEUE} 17:29:04",
            f"contact.answered 58092a11-6075-4025-a57d-6ada88b26d5b {AWS_QUEUE} 17:29:09",
        ],
    ),
    # PascalCase all over, with routing criteria.
    (
        "contact_event_pascal_case_routing_criteria",
        [
            f"contact.enqueued 12345678-1234-1234-1234-123456789012 {AWS_QUEUE} 17:29:04",
            f"contact.answered 12345678-1234-1234-1234-123456789012 {AWS_QUEUE} 17:29:09",
        ],
    ),
    # Answered in 1970, which is never.
    (
        "contact_event_data_updated_placeholder_1970",
        [f"contact.enqueued 22222222-1111-1111-1111-111111111111 {AWS_QUEUE} 02:39:15"],
    ),
    # Without a time of its own: that of the envelope.
    (
        "contact_event_queued_2021",
        [f"contact.enqueued 58092a11-6075-4025-a57d-6ada88b26d5b {AWS_QUEUE} 07:43:00"],
    ),
    ("contact_event_disconnected_2021_no_queue", []),
    ("contact_event_disconnected_outbound", []),
    (
        "contact_event_completed_CONSTRUCTED",
        [
            f"contact.enqueued 33333333-1111-1111-1111-111111111111 {AWS_QUEUE} 14:28:30",
            f"contact.answered 33333333-1111-1111-1111-111111111111 {AWS_QUEUE} 14:29:05",
            f"contact.ended 33333333-1111-1111-1111-111111111111 {AWS_QUEUE} 14:35:00",
            f"contact.wrapup_ended 33333333-1111-1111-1111-111111111111 {AWS_QUEUE} 14:37:30",
        ],
    ),
    # The detail by itself.
    (
        "contact-events_1",
        [
            "contact.enqueued 11111111-1111-1111-1111-111111111111 12345678-1234-1234-1234-123456789012 17:29:04",
            "contact.answered 11111111-1111-1111-1111-111111111111 12345678-1234-1234-1234-123456789012 17:29:09",
        ],
    ),
    # Handed on to somebody outside at 17:28:12; the customer hangs up there twenty minutes later.
    (
        "contact_record_1_first_delivery",
        [
            "contact.enqueued 6fe40d2a-1a89-4d73-bfcf-5d9c33894f47 078ccbaa-ae69-4bf9-84bc-5c60ca9b1478 17:14:46",
            "contact.answered 6fe40d2a-1a89-4d73-bfcf-5d9c33894f47 078ccbaa-ae69-4bf9-84bc-5c60ca9b1478 17:20:32",
            "contact.transferred 6fe40d2a-1a89-4d73-bfcf-5d9c33894f47 078ccbaa-ae69-4bf9-84bc-5c60ca9b1478 17:28:12",
            "contact.ended 6fe40d2a-1a89-4d73-bfcf-5d9c33894f47 078ccbaa-ae69-4bf9-84bc-5c60ca9b1478 17:28:12",
            "contact.wrapup_ended 6fe40d2a-1a89-4d73-bfcf-5d9c33894f47 078ccbaa-ae69-4bf9-84bc-5c60ca9b1478 17:28:17",
        ],
    ),
]


@pytest.mark.parametrize(("name", "expected"), RECORDED, ids=[name for name, _ in RECORDED])
def test_recorded_documents_tell_what_they_say(tmp_path: Path, name: str, expected: list[str]) -> None:
    intake = Intake()

    assert said(told(connected(tmp_path, intake), [posted(recorded(name))])) == expected
    assert intake.used.total() + intake.ignored.total() == 1


def test_a_recorded_record_has_the_lengths_that_amazon_connect_computed(tmp_path: Path) -> None:
    ended, wrapped_up = told(connected(tmp_path), [posted(recorded("contact_record_1_first_delivery"))])[-2:]

    assert (ended.data.talk_ms, ended.data.hold_ms, wrapped_up.data.acw_ms) == (239_000, 221_000, 5_000)
    assert ended.source.startswith("arn:aws:connect:eu-central-1:111122223333:instance/")
    assert ended.data.agent == "e7c9afb6-b1e1-4afa-b5b5-d1c9bc752b69"


@pytest.mark.parametrize("channel", ["VOICE", "Voice", "CHAT", "TASK", "EMAIL"])
def test_the_channel_is_known_in_any_case(tmp_path: Path, channel: str) -> None:
    call = Call(contact="ann", channel=channel, queued="00:00")

    [event] = told(connected(tmp_path), [posted(contact_event("QUEUED", call, "00:00"))])

    assert event.data.channel == channel.lower()


def test_queues_have_the_name_of_the_list_by_both_ways_or_else_their_id(tmp_path: Path) -> None:
    listed, other = Call(contact="ann", queued="00:00", ended="01:00"), Call(contact="bob", queue="q-7", queued="00:00")
    documents = [contact_event("QUEUED", call, "00:00") for call in (listed, other)]

    events = told(connected(tmp_path), [*map(posted, documents), firehose(contact_record(listed))])

    assert [event.data.queue for event in events] == ["Sales", "q-7", "Sales", "Sales"]


def test_the_queues_of_agents_are_one(tmp_path: Path) -> None:
    calls = [Call(contact=name, queue=f"agent/{name}", queued="00:00") for name in ("ann", "bob")]

    events = told(connected(tmp_path), [posted(contact_event("QUEUED", call, "00:00")) for call in calls])

    assert {event.data.queue for event in events} == {"(agents)"}


def test_a_contact_that_the_flow_moves_to_another_queue_is_no_abandon_once_its_record_is_there(tmp_path: Path) -> None:
    moved = Call(contact="ann", queued="00:00", ended="00:30", next_contact="ann-2")
    then = Call(contact="ann-2", queue="support", method="QUEUE_TRANSFER", queued="00:30", answered="00:40")
    events = [posted(event) for call in (moved, then) for event in contact_events(call)]

    tallies = counted(told(connected(tmp_path), [*events, firehose(contact_record(moved))]))

    assert (tallies["Sales"].offered, tallies["Sales"].abandoned, tallies["Sales"].dequeued_moved) == (1, 0, 1)
    assert (tallies["Support"].transferred_in, tallies["Support"].answered) == (1, 1)


def test_a_conversation_that_goes_on_as_another_contact_is_a_transfer(tmp_path: Path) -> None:
    handed_on = Call(contact="ann", queued="00:00", answered="00:05", ended="01:00", next_contact="ann-2")
    then = Call(contact="ann-2", queue="support", method="TRANSFER", queued="01:00", answered="01:10", ended="02:00")

    tallies = counted(told(connected(tmp_path), [firehose(contact_record(handed_on), contact_record(then))]))

    assert (tallies["Sales"].transferred_out, tallies["Support"].transferred_in) == (1, 1)
    assert (tallies["Sales"].handled, tallies["Support"].handled) == (1, 1)


def test_a_queue_that_was_chosen_and_never_entered_is_no_wait(tmp_path: Path) -> None:
    intake, call = Intake(), Call(contact="ann", ended="00:30", reason="CUSTOMER_DISCONNECT")

    assert told(connected(tmp_path, intake), [firehose(contact_record(call))]) == []
    assert intake.ignored == {"contact record": 1}


EXITS = [
    ("CUSTOMER_DISCONNECT", 1, 0, 0),
    (None, 1, 0, 0),
    ("TELECOM_PROBLEM", 1, 0, 0),
    ("CONTACT_FLOW_DISCONNECT", 0, 1, 0),
    ("API", 0, 1, 0),
    ("EXPIRED", 0, 0, 1),
]


@pytest.mark.parametrize(("reason", "abandoned", "by_system", "timed_out"), EXITS)
def test_how_a_wait_without_an_agent_ended_is_told_by_the_reason(
    tmp_path: Path, reason: str | None, abandoned: int, by_system: int, timed_out: int
) -> None:
    call = Call(contact="ann", queued="00:00", ended="00:30", reason=reason)

    tally = counted(told(connected(tmp_path), [firehose(contact_record(call))]))["Sales"]

    assert (tally.abandoned, tally.dequeued_system, tally.dequeued_timeout) == (abandoned, by_system, timed_out)


def callback(**happened: str) -> Call:
    return Call(contact="cb-1", method="CALLBACK", begun="00:00", **happened)  # type: ignore[arg-type]  # of instants


CALLBACKS = [
    (callback(queued="05:00"), {"callbacks_requested": 1}),
    (
        callback(queued="05:00", answered="06:00", reached="06:20", ended="08:00"),
        {"callbacks_requested": 1, "callback_attempts": 1, "callbacks_connected": 1, "handled": 1},
    ),
    (
        callback(queued="05:00", answered="06:00", ended="06:30"),
        {"callbacks_requested": 1, "callback_attempts": 1, "callbacks_failed": 1},
    ),
]


@pytest.mark.parametrize(("call", "figures"), CALLBACKS, ids=["waits", "connected", "failed"])
def test_a_queued_callback_is_a_callback_and_no_contact_that_waits(
    tmp_path: Path, call: Call, figures: dict[str, int]
) -> None:
    requests = [posted(event) for event in contact_events(call)]
    if call.ended:
        requests.append(firehose(contact_record(call)))

    tally = counted(told(connected(tmp_path), requests))["Sales"]

    names = ("callbacks_requested", "callback_attempts", "callbacks_connected", "callbacks_failed", "handled")
    assert {name: getattr(tally, name) for name in names if getattr(tally, name)} == figures
    assert (tally.offered, tally.answered, tally.abandoned) == (0, 0, 0)


def test_a_supervisor_who_listens_is_no_contact(tmp_path: Path) -> None:
    intake, call = Intake(), Call(contact="ann", method="MONITOR", queued="00:00", answered="00:01", ended="01:00")

    assert told(connected(tmp_path, intake), [firehose(contact_record(call))]) == []
    assert intake.ignored == {"MONITOR": 1}


def test_no_number_name_or_attribute_of_anybody_gets_into_an_event(tmp_path: Path) -> None:
    call = Call(contact="ann", queued="00:00", answered="00:10", ended="01:00", elsewhere=True)

    events = told(connected(tmp_path), [firehose(contact_record(call))])

    assert not any(word in repr(events) for word in ("+386", "agent.one", "greeting"))


BAD_DETAILS = [
    ({"contactId": None}, "missing_field"),
    ({"contactId": 7}, "missing_field"),
    ({"contactId": "\ud800"}, "missing_field"),
    ({"instanceArn": ""}, "missing_field"),
    ({"initiationMethod": ["INBOUND"]}, "missing_field"),
    ({"channel": "SMOKE"}, "unknown_channel"),
    ({"disconnectTimestamp": "yesterday"}, "not_an_instant"),
    ({"disconnectTimestamp": "2026-11-20T10:00:00"}, "not_an_instant"),
    ({"disconnectTimestamp": "2026-11-20T10:00:00+99:00"}, "not_an_instant"),
]


@pytest.mark.parametrize(("change", "reason"), BAD_DETAILS)
def test_a_document_that_cannot_be_used_is_counted_by_its_reason_and_never_quoted(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    aside: list[Any] = []
    intake = Intake(aside.append)
    document = contact_event("QUEUED", Call(contact="ann", queued="00:00"), "00:00")
    document["detail"] |= change

    assert told(connected(tmp_path, intake), [posted(document)]) == []
    assert intake.refused == {reason: 1}
    assert not any(word in str(aside[0]) for word in ("SMOKE", "yesterday", "2026"))
    assert str(aside[0]).startswith("https://calls.example.org/v1/webhooks/connect:1: ")


@pytest.mark.parametrize("missing", ["queueInfo", "agentInfo", "disconnectTimestamp", "connectedToSystemTimestamp"])
@pytest.mark.parametrize("instead", [None, [], "arn", 0, NEVER, {}])
def test_parts_that_are_missing_or_odd_end_nothing(tmp_path: Path, missing: str, instead: object) -> None:
    intake, call = Intake(), Call(contact="ann", queued="00:00", answered="00:10", ended="01:00")
    document = contact_event("QUEUED", call, "01:00")
    document["detail"][missing] = instead

    events = told(connected(tmp_path, intake), [posted(document), posted(contact_event("QUEUED", call, "01:00"))])

    assert {event.subject for event in events} == {"ann"}
    assert (intake.used + intake.ignored + intake.refused).total() == 2
