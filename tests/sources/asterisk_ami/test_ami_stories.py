"""What each message tells: a PBX on the left, events on the right."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.families.contacts.events import ContactEnqueued
from stream.sdk.producer import checked
from stream.sources.asterisk_ami.mapper import KNOWN_EVENTS
from stream.sources.intake import MISSED_WHILE_AWAY, Intake
from stream.sources.lines import BadLine
from tests.sources.asterisk_ami.manager_stories import MANAGER_STORIES
from tests.sources.manager_messages import ami_mapper, found_in, mapped_messages, messages_of
from tests.sources.queue_logs import START, told


@pytest.mark.parametrize(("said", "expected"), MANAGER_STORIES.values(), ids=MANAGER_STORIES)
def test_what_a_pbx_says_is_told(said: str, expected: str) -> None:
    events = mapped_messages(ami_mapper(), found_in(messages_of(said)))

    assert told(events) == [line.strip() for line in expected.strip().splitlines()]
    assert len({event.id for event in events}) == len(events)
    for event in events:
        checked(event)


def test_what_is_of_no_use_is_counted_with_a_reason_and_never_quoted() -> None:
    aside: list[BadLine] = []
    intake = Intake(aside.append)
    by = ami_mapper(intake=intake)
    stream = b"+38640000001 rang\r\n\xff\xfe\r\n" + messages_of(
        f"""
        0 Newchannel Uniqueid=c1 CallerIDNum=+38640000001
        0 QueueCallerJoin Uniqueid=c1
        0 QueueCallerJoin Queue=q1
        0 QueueCallerJoin Uniqueid={"9" * 300} Queue=q1
        0 QueueCallerJoin Uniqueid=c\x01 Queue=q1
        0 QueueCallerSang Uniqueid=c1 Queue=q1
        0 Hangup Uniqueid=c1
        """
    )
    events = mapped_messages(by, [*found_in(stream), *found_in(b"Uniqueid: c1\r\n\r\n" + b"x" * 70_000 + b"\r\n")])

    assert events == []
    assert intake.ignored == {"Newchannel": 1, "Hangup": 1}
    assert intake.unknown == {"QueueCallerSang": 1}
    assert intake.refused == {
        "not_a_header": 2,
        "missing_queue": 1,
        "missing_call": 1,
        "bad_field": 2,
        "not_an_event": 1,
        "too_long": 1,
    }
    assert intake.read == intake.ignored.total() + intake.unknown.total() + intake.refused.total()
    assert len(aside) == 9
    assert not any("38640000001" in str(bad) or "99" in str(bad) for bad in aside)


def test_without_a_time_of_their_own_events_have_that_of_the_pbx_as_a_ping_told_it() -> None:
    by = ami_mapper()
    pong = f"Response: Success\r\nPing: Pong\r\nTimestamp: {START + 100}.0\r\n\r\n".encode()
    join = messages_of("QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1")

    before = mapped_messages(by, found_in(join, START + 5))
    after = mapped_messages(by, [*found_in(pong, START + 40), *found_in(join.replace(b"c1", b"c2"), START + 45)])

    assert [line.split()[0] for line in told([*before, *after])] == ["5", "105"]


def test_how_a_caller_left_is_decided_after_two_seconds_also_while_nobody_calls() -> None:
    by = ami_mapper()
    mapped_messages(
        by,
        found_in(
            messages_of("0 QueueCallerJoin Uniqueid=c1 Queue=q1\n 4 QueueCallerLeave Uniqueid=c1 Queue=q1 Position=1")
        ),
    )

    assert by.later((START + 6) * 1_000_000) == []
    assert told(by.later((START + 7) * 1_000_000)) == ["4 dequeued c1 queue=q1 position=1 reason=key"]


def test_of_what_happened_while_nobody_was_connected_nothing_is_made_up(caplog: pytest.LogCaptureFixture) -> None:
    intake = Intake()
    by = ami_mapper(intake=intake)
    begin = """
        0 QueueCallerJoin Uniqueid=c0 Queue=q1
        0 QueueCallerJoin Uniqueid=c1 Queue=q1
        0 AgentConnect Uniqueid=c3 Queue=q1 MemberName=Bo DestUniqueid=c4 HoldTime=30 RingTime=1
        1 AgentConnect Uniqueid=c1 Queue=q1 MemberName=Ana DestUniqueid=c2 HoldTime=1 RingTime=1
        9 QueueCallerLeave Uniqueid=c0 Queue=q1
        """
    mapped_messages(by, found_in(messages_of(begin)))
    lost = by.lost()
    assert by.later((START + 60) * 1_000_000) == []
    back = mapped_messages(
        by,
        found_in(
            messages_of(
                f"""
                300 QueueMember Queue=q1 Name=Ana Paused=0 InCall=1 LastCall={START + 200}
                300 QueueMember Queue=q1 Name=Bo Paused=0 InCall=1 LastCall=0
                300 QueueStatusComplete
                """
            )
        ),
    )

    assert told(lost) == ["9 dequeued c0 queue=q1 reason=system"]
    assert told(back) == [
        "300 ended c1 queue=q1 agent=Ana ended_by=system talk_ms=8000",
        "300 agent.activity_changed Ana activity=idle",
    ]
    assert "2 contacts left while nobody listened; they are missing" in caplog.text
    assert intake.refused == {MISSED_WHILE_AWAY: 2}


def test_a_caller_who_is_told_again_by_a_snapshot_is_the_same_visit() -> None:
    seen = mapped_messages(ami_mapper(), found_in(messages_of("0 QueueCallerJoin Uniqueid=c1 Queue=q1")))
    waits = messages_of("9 QueueEntry Queue=q1 Uniqueid=c1 Position=1 Wait=9\n 9 QueueStatusComplete")

    again = mapped_messages(ami_mapper(), found_in(waits))

    assert [(event.subject, event.data.enqueue_seq) for event in again if isinstance(event, ContactEnqueued)] == [
        (event.subject, event.data.enqueue_seq) for event in seen if isinstance(event, ContactEnqueued)
    ]
    assert len(again) == len(seen) == 1


VALUES = st.sampled_from(
    ["", "0", "1", "c1", "c2", "q1", "Q1", "Ana", "transfer", "QUEUESTATUS", "FULL", "9" * 12, "\x00", "é"]
)
HEADERS = st.sampled_from(
    [
        "Uniqueid",
        "Linkedid",
        "DestUniqueid",
        "Queue",
        "MemberName",
        "Interface",
        "HoldTime",
        "TalkTime",
        "RingTime",
        "Wait",
        "Position",
        "Paused",
        "Status",
        "InCall",
        "LastCall",
        "Reason",
        "Variable",
        "Value",
        "Exten",
        "Application",
        "AppData",
        "Agent",
        "Ping",
        "Response",
    ]
)
TIMES = st.sampled_from(["", "0", "999999", "1700000000", "1700000003.25", "9999999999.999999", "1e9", "-1"])


@example([("queuecallerjoin", "", {"Queue": "0", "Uniqueid": "0"}), ("queuestatuscomplete", "1700000003.25", {})])
@given(
    st.lists(
        st.tuples(st.sampled_from([*KNOWN_EVENTS, "Other"]), TIMES, st.dictionaries(HEADERS, VALUES, max_size=8)),
        max_size=30,
    )
)
def test_whatever_comes_it_goes_on_and_each_message_is_counted_once(
    said: list[tuple[str, str, dict[str, str]]],
) -> None:
    intake = Intake()
    by = ami_mapper(intake=intake)
    for name, time, headers in said:
        message = {"Event": name, "Timestamp": time} | headers
        stream = "".join(f"{key}: {value}\r\n" for key, value in message.items()).encode() + b"\r\n"
        mapped_messages(by, found_in(stream))

    by.lost()
    counts = (intake.used, intake.ignored, intake.unknown, intake.refused)
    # Whoever was missed while nobody listened is counted beside the message by which that is known.
    missed = intake.refused[MISSED_WHILE_AWAY]
    assert intake.read == len(said) + missed == sum(count.total() for count in counts)
