"""What FreeSWITCH says of members and agents, and what is told of it: each way out of a queue by itself."""

import pytest

from stream.sources.freeswitch.frames import EslFrames
from stream.sources.freeswitch.mapper import CallcenterMapper
from stream.sources.intake import Intake
from tests.sources.freeswitch.switch import BEGIN, StoryWriter, story

WHO = {"queue": "sales@demo", "member": "m1"}
ANA = {**WHO, "agent": "ana"}
ENTERED = "0 enqueued m1 queue=sales@demo reason=new"


def mapped(said: bytes, intake: Intake | None = None) -> list[str]:
    return story(CallcenterMapper("/switch", intake=intake).events(EslFrames("switch").feed(said)))


@pytest.fixture(params=[False, True], ids=["json", "plain"])
def on(request: pytest.FixtureRequest) -> StoryWriter:
    return StoryWriter(plain=request.param)


WAYS_OUT = {
    "the caller hangs up": ({"reason": "BREAK_OUT", "Answer_State": "hangup"}, "abandoned"),
    "an old version, which tells of no channel": ({"reason": "BREAK_OUT"}, "abandoned"),
    "the caller hangs up, and no reason is given": ({"reason": "NONE", "Answer_State": "hangup"}, "abandoned"),
    "somebody moves the caller": ({"reason": "BREAK_OUT", "Answer_State": "answered"}, "dequeued reason=moved"),
    "nobody knows why": ({"reason": "NONE", "Answer_State": "answered"}, "dequeued reason=system"),
    "the wait was too long": ({"reason": "TIMEOUT", "Answer_State": "answered"}, "dequeued reason=timeout"),
    "no agent was there": ({"reason": "NO_AGENT_TIMEOUT", "Answer_State": "answered"}, "dequeued reason=empty"),
    "the caller pressed a key": ({"reason": "EXIT_WITH_KEY", "Answer_State": "answered"}, "dequeued reason=key"),
    "pressed a key, and hung up": ({"reason": "EXIT_WITH_KEY", "Answer_State": "hangup"}, "dequeued reason=key"),
}


@pytest.mark.parametrize(("said", "told"), WAYS_OUT.values(), ids=WAYS_OUT)
def test_each_way_out_without_an_answer_is_told_apart(on: StoryWriter, said: dict[str, str], told: str) -> None:
    kind, _, reason = told.partition(" ")

    assert mapped(
        on.say("member-queue-start", 0, **WHO) + on.say("member-queue-end", 12.5, **WHO, cause="Cancel", **said)
    ) == [ENTERED, " ".join(["12.5", kind, "m1 queue=sales@demo", *([reason] if reason else []), "wait_ms=12500"])]


ENDS = {
    "a caller who hangs up": ({"Answer_State": "hangup"}, "ended", "talk_ms=30000 hold_ms=0"),
    "a caller who says goodbye": (
        {"Answer_State": "hangup", "goodbye": "recv_bye"},
        "ended",
        "ended_by=customer talk_ms=30000 hold_ms=0",
    ),
    "a caller who goes on in the dialplan": (
        {"Answer_State": "answered", "moved_by": "9:x:uuid_br:y"},
        "ended",
        "talk_ms=30000 hold_ms=0",
    ),
    "a blind transfer": (
        {"Answer_State": "answered", "moved_by": "9:x:bl_xfer:9999/in/XML"},
        "transferred",
        "kind=blind talk_ms=30000 hold_ms=0",
    ),
    "an attended transfer": (
        {"Answer_State": "answered", "moved_by": "9:x:att_xfer:y"},
        "transferred",
        "kind=attended talk_ms=30000 hold_ms=0",
    ),
}


@pytest.mark.parametrize(("said", "kind", "lengths"), ENDS.values(), ids=ENDS)
def test_each_end_of_a_conversation_is_told_apart(
    on: StoryWriter, said: dict[str, str], kind: str, lengths: str
) -> None:
    assert mapped(
        on.say("member-queue-start", 0, **WHO)
        + on.say("agent-offering", 1, **ANA)
        + on.say("bridge-agent-start", 4, **ANA)
        + on.say("bridge-agent-end", 34, **ANA)
        + on.say("member-queue-end", 34, **ANA, cause="Terminated", **said)
    ) == [
        ENTERED,
        "1 offered_to_agent m1 queue=sales@demo agent=ana",
        "1 agent.queue_joined ana queue=sales@demo",
        "4 answered m1 queue=sales@demo agent=ana wait_ms=4000 ring_ms=3000",
        f"34 {kind} m1 queue=sales@demo agent=ana {lengths}",
    ]


def test_the_agent_who_says_goodbye_has_ended_it(on: StoryWriter) -> None:
    told = mapped(
        on.say("bridge-agent-start", 4, **ANA)
        + on.say("bridge-agent-end", 9, **ANA, goodbye="recv_bye")
        + on.say("member-queue-end", 9, **ANA, cause="Terminated", Answer_State="hangup", goodbye="send_bye")
    )

    assert told[-1] == "9 ended m1 queue=sales@demo agent=ana ended_by=agent talk_ms=5000 hold_ms=0"


RINGS = {
    "ALLOTTED_TIMEOUT": "missed",
    "NO_ANSWER": "missed",
    "ORIGINATOR_CANCEL": "canceled",
    "CALL_REJECTED": "rejected",
    "USER_BUSY": "rejected",
    "LOSE_RACE": "rescinded",
    "USER_NOT_REGISTERED": "rescinded",
}


@pytest.mark.parametrize(("cause", "result"), RINGS.items())
def test_a_ring_in_vain_is_missed_only_if_the_agent_could_have_answered(
    on: StoryWriter, cause: str, result: str
) -> None:
    told = mapped(
        on.say("member-queue-start", 0, **WHO)
        + on.say("agent-offering", 1, **ANA)
        + on.say("member-queue-end", 3, **WHO, cause="Cancel", reason="BREAK_OUT")
        + on.say("bridge-agent-fail", 3, **ANA, ended=cause)
    )

    assert told[-1] == f"3 offer_ended m1 queue=sales@demo agent=ana result={result} ring_ms=2000"


def test_holds_belong_to_the_caller_whose_channel_they_name_and_are_no_talk(on: StoryWriter) -> None:
    theirs = {**WHO, "session": "channel-1"}
    told = mapped(
        on.say("member-queue-start", 0, **theirs)
        + on.event("CHANNEL_HOLD", 1, {"Unique-ID": "channel-1"})
        + on.say("bridge-agent-start", 2, **{**theirs, "agent": "ana"})
        + on.event("CHANNEL_HOLD", 5, {"Unique-ID": "agents-1", "Other-Leg-Unique-ID": "channel-1"})
        + on.event("CHANNEL_HOLD", 6, {"Unique-ID": "channel-1"})
        + on.event("CHANNEL_UNHOLD", 9, {"Unique-ID": "channel-1"})
        + on.event("CHANNEL_HOLD", 10, {"Unique-ID": "somebody-else"})
        + on.event("CHANNEL_HOLD", 11, {"Unique-ID": "channel-1"})
        + on.say("member-queue-end", 13, **{**theirs, "agent": "ana"}, cause="Terminated", Answer_State="hangup")
    )

    assert [line for line in told if "agent." not in line][2:] == [
        "5 held m1 queue=sales@demo agent=ana",
        "9 resumed m1 queue=sales@demo agent=ana",
        "11 held m1 queue=sales@demo agent=ana",
        "13 ended m1 queue=sales@demo agent=ana talk_ms=5000 hold_ms=6000",
    ]


def test_a_caller_who_comes_back_to_the_old_place_waits_a_second_time(on: StoryWriter) -> None:
    assert (
        mapped(
            on.say("member-queue-start", 0, **WHO)
            + on.say("member-queue-end", 3, **WHO, cause="Cancel", reason="BREAK_OUT", Answer_State="hangup")
            + on.say("member-queue-resume", 5, **WHO)
            # By FreeSWITCH's own time it has waited since the first call.
            + on.say("bridge-agent-start", 7, **ANA, joined=str(BEGIN))
        )[2:4]
        == [
            "5 enqueued m1 queue=sales@demo enqueue_seq=2 reason=requeue",
            "7 answered m1 queue=sales@demo agent=ana enqueue_seq=2 wait_ms=2000",
        ]
    )


def test_what_was_not_heard_is_told_by_what_freeswitch_says_again(on: StoryWriter) -> None:
    times = {"joined": str(BEGIN + 1), "since": str(BEGIN + 5)}

    assert mapped(on.say("member-queue-end", 25, **ANA, cause="Terminated", Answer_State="hangup", **times)) == [
        "5 answered m1 queue=sales@demo agent=ana wait_ms=4000",
        "25 ended m1 queue=sales@demo agent=ana talk_ms=20000 hold_ms=0",
    ]


def test_what_is_told_again_changes_nothing(on: StoryWriter) -> None:
    said = [
        on.say("member-queue-start", 0, **WHO),
        on.say("bridge-agent-start", 2, **ANA),
        on.say("member-queue-end", 9, **ANA, cause="Terminated", Answer_State="hangup"),
    ]
    intake = Intake()

    assert mapped(b"".join(each for each in said for _ in range(2)) + b"".join(said), intake) == mapped(b"".join(said))
    assert intake.used.total() == 3
    assert intake.ignored.total() == 6


def test_agents_are_there_as_their_status_says_and_seen_as_their_state_does(on: StoryWriter) -> None:
    said = [
        ("status", "Available"),
        ("state", "Receiving"),
        ("state", "In a queue call"),
        ("status", "On Break"),
        ("state", "Waiting"),
        ("status", "Available (On Demand)"),
        ("state", "Idle"),
        ("state", "Waiting"),
        ("status", "Logged Out"),
    ]
    told = mapped(
        b"".join(
            on.say(f"agent-{kind}-change", second, agent="ana", **{kind: value})
            for second, (kind, value) in enumerate(said)
        )
    )

    assert told == [
        "0 agent.logged_in ana",
        "1 agent.activity_changed ana activity=reserved",
        "2 agent.activity_changed ana activity=on_contact",
        "3 agent.availability_changed ana reason=On Break status=not_ready",
        "4 agent.activity_changed ana activity=idle",
        "5 agent.availability_changed ana status=available",
        "6 agent.activity_changed ana activity=idle",
        "6 agent.availability_changed ana reason=Idle status=not_ready",
        "7 agent.activity_changed ana activity=idle",
        "7 agent.availability_changed ana status=available",
        "8 agent.logged_out ana",
    ]


def test_of_two_reports_of_one_instant_the_later_one_stands(on: StoryWriter) -> None:
    frames = EslFrames("switch").feed(
        on.say("agent-state-change", 0, agent="ana", state="Receiving")
        + on.say("agent-state-change", 0, agent="ana", state="In a queue call")
        + on.say("agent-state-change", 0, agent="ana", state="Waiting")
    )
    times = [event.time for event in CallcenterMapper("/switch").events(frames)]

    assert times == sorted({*times})


def test_an_agent_that_is_deleted_has_gone(on: StoryWriter) -> None:
    assert mapped(on.say("agent-del", 3, agent="ana")) == ["3 agent.logged_out ana"]


def test_what_is_of_no_use_is_counted_by_name_or_reason_and_never_quoted(on: StoryWriter) -> None:
    intake = Intake()

    assert not mapped(
        on.say("members-count", 0, queue="sales@demo")
        + on.event("HEARTBEAT", 1, {})
        + on.say("queue-dances", 2, queue="sales@demo")
        + on.say("+38640000001", 3, queue="sales@demo")
        + on.say("member-queue-start", 4, queue="sales@demo")
        + on.say("member-queue-start", 5, queue="q" * 129, member="m1")
        + on.say("agent-status-change", 6, agent="ana", status="Dancing")
        + on.event("CUSTOM", 7, {"Event-Subclass": "callcenter::info", "Core-UUID": ""}),
        intake,
    )
    assert intake.ignored == {"members-count": 1, "HEARTBEAT": 1}
    assert intake.unknown == {"queue-dances": 1, "(no plain name)": 1}
    assert intake.refused == {"missing_member": 1, "missing_queue": 1, "unknown_value": 1, "no_name": 1}
    assert intake.read == 8
