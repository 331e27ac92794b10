"""What the agent event stream says on the left, and the events that tell it on the right."""

import json
from pathlib import Path
from typing import Any

import pytest

from stream.core.cloudevents import Event, tag_of
from stream.families.agents.fold import AgentsFold
from stream.sources.intake import Intake
from tests.samples import sample
from tests.sources.amazon_connect.aws import INSTANCE, connected, counted, firehose, posted, queue_arn, second, told
from tests.timeline import after

AVAILABLE = {"Name": "Available", "Type": "ROUTABLE"}


def snapshot(*states: str, status: dict[str, str] | None = None, queues: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a snapshot of an agent with a contact in each of some states."""
    contacts = [
        {
            "Channel": "VOICE",
            "ContactId": f"contact-{number}",
            "State": state,
            "StateStartTimestamp": second("01:00"),
            "Queue": {"ARN": queue_arn("sales"), "Name": "Sales"},
        }
        for number, state in enumerate(states)
    ]
    served = [{"ARN": queue_arn(name)} for name in (*queues, "agent/a1")]
    configuration = {"RoutingProfile": {"InboundQueues": served}, "Username": "ann.a", "FirstName": "Ann"}
    return {"AgentStatus": status or AVAILABLE, "Contacts": contacts, "Configuration": configuration}


def agent_event(kind: str, at: str, now: dict[str, Any] | None, before: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "AgentARN": f"{INSTANCE}/agent/a1",
        "CurrentAgentSnapshot": now,
        "EventId": f"{kind}-{at}",
        "EventTimestamp": second(at),
        "EventType": kind,
        "InstanceARN": INSTANCE,
        "PreviousAgentSnapshot": before,
        "Version": "2019-05-25",
    }


def states(events: list[Event], at: str = "10:00") -> dict[str | None, str]:
    """Return the state of the one agent, for all (None) and for each queue that it serves."""
    fold = AgentsFold()
    applied = fold.apply(events, range(len(events)))
    assert not applied.failed
    found = [each for _, each in fold.snapshots(after(at)) if each is not None]
    return {each.queue: next(state for state, count in each.states.items() if count) for each in found}


RECORDED = {
    "agent_event_login": ["agent.logged_in", "agent.availability_changed available", "agent.activity_changed idle"],
    "agent_event_acw_begins": ["agent.availability_changed available", "agent.activity_changed acw"],
    "agent_event_acw_ends": ["agent.availability_changed available", "agent.activity_changed idle"],
    "agent_event_heart_beat": ["agent.availability_changed available", "agent.activity_changed idle"],
    "agent_event_logout": ["agent.logged_out"],
}


@pytest.mark.parametrize(("name", "expected"), RECORDED.items(), ids=RECORDED)
def test_recorded_events_tell_what_they_say(tmp_path: Path, name: str, expected: list[str]) -> None:
    document = json.loads(sample(f"amazon-connect/{name}.json").read_bytes())

    events = told(connected(tmp_path), [firehose(document)])

    words = [
        f"{tag_of(event)} {getattr(event.data, 'status', getattr(event.data, 'activity', ''))}".strip()
        for event in events
        if not tag_of(event).startswith("agent.queue_")
    ]
    assert words == expected
    assert {event.subject for event in events} == {"57db30ae-8c01-44e6-abd5-80b7b51944cf"}


ACTIVITIES = [
    ((), "idle"),
    (("CONNECTING",), "reserved"),
    (("INCOMING",), "reserved"),
    (("CONNECTED",), "on_contact"),
    (("CONNECTED_ONHOLD", "ENDED"), "on_contact"),
    (("ENDED", "CONNECTING"), "acw"),
    (("CONNECTED", "MISSED"), "error"),
    (("something new",), "idle"),
]


@pytest.mark.parametrize(("contacts", "activity"), ACTIVITIES)
def test_of_several_contacts_the_state_is_that_of_amazon_connects_own_metrics(
    tmp_path: Path, contacts: tuple[str, ...], activity: str
) -> None:
    events = told(connected(tmp_path), [posted(agent_event("STATE_CHANGE", "01:00", snapshot(*contacts)))])

    assert [event.data.activity for event in events if tag_of(event) == "agent.activity_changed"] == [activity]


STATUSES = [
    ({"Name": "Available"}, "available"),
    ({"Name": "Verfügbar", "Type": "ROUTABLE"}, "available"),
    ({"Name": "Lunch", "Type": "CUSTOM"}, "not_ready"),
    ({"Name": "Lunch"}, "not_ready"),
    ({"Name": "Offline"}, "offline"),
    ({"Name": "Feierabend", "Type": "OFFLINE"}, "offline"),
]


@pytest.mark.parametrize(("status", "expected"), STATUSES)
def test_a_status_is_what_it_is_for_whatever_its_name(tmp_path: Path, status: dict[str, str], expected: str) -> None:
    events = told(connected(tmp_path), [posted(agent_event("LOGIN", "01:00", snapshot(status=status)))])

    assert states(events)[None] == expected


def test_a_heartbeat_tells_who_connects_us_in_the_middle_of_a_day_which_queues_an_agent_serves(tmp_path: Path) -> None:
    document = agent_event("HEART_BEAT", "01:00", snapshot(queues=("sales", "support")))

    assert states(told(connected(tmp_path), [posted(document)])) == dict.fromkeys(
        (None, "Sales", "Support"), "available"
    )


def test_another_routing_profile_moves_the_agent_to_other_queues(tmp_path: Path) -> None:
    before, now = snapshot(queues=("sales",)), snapshot(queues=("support",))
    documents = [agent_event("LOGIN", "01:00", before), agent_event("STATE_CHANGE", "02:00", now, before)]

    assert states(told(connected(tmp_path), map(posted, documents))) == dict.fromkeys((None, "Support"), "available")


def test_an_agent_whose_profile_has_no_queue_any_more_leaves_all(tmp_path: Path) -> None:
    before, now = snapshot(queues=("sales",)), snapshot()
    documents = [agent_event("LOGIN", "01:00", before), agent_event("STATE_CHANGE", "02:00", now, before)]

    assert states(told(connected(tmp_path), map(posted, documents))) == {None: "available"}


def test_a_snapshot_without_a_profile_takes_nobody_out_of_a_queue(tmp_path: Path) -> None:
    before, now = snapshot(queues=("sales",)), {"AgentStatus": AVAILABLE, "Contacts": []}
    documents = [agent_event("LOGIN", "01:00", before), agent_event("STATE_CHANGE", "02:00", now, before)]

    assert states(told(connected(tmp_path), map(posted, documents))) == dict.fromkeys((None, "Sales"), "available")


def test_events_that_are_out_of_order_or_come_again_leave_the_agent_where_it_is(tmp_path: Path) -> None:
    login = agent_event("LOGIN", "01:00", snapshot())
    talks = agent_event("STATE_CHANGE", "02:00", snapshot("CONNECTED"), snapshot())
    wraps_up = agent_event("STATE_CHANGE", "03:00", snapshot("ENDED"), snapshot("CONNECTED"))

    for documents in ([login, talks, wraps_up], [wraps_up, talks, login, talks], [talks, wraps_up, login, login]):
        assert states(told(connected(tmp_path), map(posted, documents)), "03:10") == {None: "acw"}


def test_an_offer_in_vain_counts_once_however_often_the_stream_says_so(tmp_path: Path) -> None:
    missed = agent_event("STATE_CHANGE", "01:00", snapshot("MISSED", "CONNECTED"), snapshot("CONNECTING"))
    still = agent_event("HEART_BEAT", "03:00", snapshot("MISSED"), snapshot("MISSED", "CONNECTED"))

    tallies = counted([event for event in told(connected(tmp_path), map(posted, [missed, still])) if is_offer(event)])

    assert (tallies["Sales"].offers_missed, tallies["Sales"].offered) == (1, 0)


def is_offer(event: Event) -> bool:
    return tag_of(event) == "contact.offer_ended"


def test_a_logout_without_a_snapshot_is_one(tmp_path: Path) -> None:
    documents = [agent_event("LOGIN", "01:00", snapshot()), agent_event("LOGOUT", "02:00", None)]

    assert states(told(connected(tmp_path), map(posted, documents)))[None] == "offline"


def test_no_name_of_an_agent_gets_into_an_event(tmp_path: Path) -> None:
    assert not any(
        "Ann" in repr(event) or "ann.a" in repr(event)
        for event in told(connected(tmp_path), [posted(agent_event("LOGIN", "01:00", snapshot()))])
    )


@pytest.mark.parametrize("missing", ["EventId", "EventTimestamp", "InstanceARN"])
def test_an_agent_event_without_what_identifies_it_is_counted(tmp_path: Path, missing: str) -> None:
    intake = Intake()
    document = agent_event("LOGIN", "01:00", snapshot()) | {missing: None}

    assert told(connected(tmp_path, intake), [posted(document)]) == []
    assert intake.refused == {"missing_field": 1}


def test_a_kind_that_is_not_known_is_named(tmp_path: Path) -> None:
    intake = Intake()

    assert told(connected(tmp_path, intake), [posted(agent_event("TEA_BREAK", "01:00", snapshot()))]) == []
    assert intake.unknown == {"TEA_BREAK": 1}
