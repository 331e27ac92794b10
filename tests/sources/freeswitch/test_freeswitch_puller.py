"""A connection that is split, lost, silent, refused or shut down: nothing counts twice, and what is missing is said."""

import asyncio
import json
import logging
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from stream.app.replay import replay
from stream.core.cloudevents import Event, tag_of
from stream.errors import SettingsError, SourceError
from stream.sdk.producer import checked
from stream.sources.freeswitch.frames import EslFrames
from stream.sources.freeswitch.mapper import CallcenterMapper
from stream.sources.freeswitch.memory import CallcenterPosition
from stream.sources.freeswitch.source import FreeSwitchPuller, Options
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import PositionFile, ship
from stream.sources.source import PulledBatch
from tests.sources.contract.sinks import Topic
from tests.sources.freeswitch.switch import (
    BEGIN,
    EMPTY,
    Session,
    StoryWriter,
    answers,
    framed,
    options_of,
    puller,
    recorded_events,
    recorded_snapshot,
    story,
    switch,
    until_events,
)

ROOT = Path(__file__).parents[3]


def entered(on: StoryWriter, number: int, at: float) -> bytes:
    return on.say("member-queue-start", at, queue="sales", member=f"m{number}")


def gave_up(on: StoryWriter, number: int, at: float) -> bytes:
    return on.say("member-queue-end", at, queue="sales", member=f"m{number}", cause="Cancel", reason="BREAK_OUT")


async def pulled(
    tmp_path: Path, *sessions: Session, wanted: int | str, intake: Intake | None = None, saved: bytes | None = None
) -> tuple[list[Event], list[PulledBatch]]:
    async with switch(*sessions) as port, asyncio.timeout(60):
        return await until_events(puller(options_of(port, tmp_path), intake or Intake()), wanted, saved)


# -- the recording -------------------------------------------------------------------------------

# By hand, from session_steps.txt. Step 6 was to be an exit by key; but what FreeSWITCH says of it is a caller who
# hangs up (BREAK_OUT, Answer-State hangup). Step 3 was to be NO_AGENT_TIMEOUT; but an agent has come at 35.0, and it
# says TIMEOUT. In step 7 the caller is put on hold at 89.0, and is never said to be taken off it.
STEPS = {
    ("sales@demo", "enqueued"): 10,  # steps 1, 3, 4, 5, 6, 6b, 9, 9 again, 10b, 11
    ("support@demo", "enqueued"): 4,  # steps 2, and three in 7
    ("sales@demo", "answered"): 2,  # steps 1, 10b
    ("support@demo", "answered"): 2,  # steps 2, 7
    ("sales@demo", "ended"): 2,
    ("support@demo", "ended"): 2,
    ("sales@demo", "dequeued timeout"): 2,  # steps 3, 5
    ("sales@demo", "dequeued moved"): 1,  # step 6b
    ("sales@demo", "abandoned"): 4,  # steps 4, 6, 9, 9 again
    ("support@demo", "abandoned"): 2,  # two in step 7
}


def counted(events: list[Event]) -> dict[tuple[str, str], int]:
    counts: Counter[tuple[str, str]] = Counter()
    for event in events:
        kind = tag_of(event).removeprefix("contact.")
        if kind in {"enqueued", "answered", "ended", "abandoned", "dequeued"}:
            reason = f" {event.data.reason}" if kind == "dequeued" else ""
            counts[event.data.queue, kind + reason] += 1
    return dict(counts)


@pytest.mark.parametrize("form", ["json", "plain"])
async def test_the_figures_of_the_recording_are_those_counted_by_hand(tmp_path: Path, form: str) -> None:
    said = recorded_events(f"session_event_{form}.txt")
    intake = Intake()

    events, _ = await pulled(tmp_path, Session(said=said, stays=True), wanted=100, intake=intake)

    assert counted(events) == STEPS
    assert len({event.id for event in events}) == len(events) == 100
    for event in events:
        checked(event)
    assert intake.read == 134 == intake.used.total() + intake.ignored.total()
    assert not any("3864" in str(event) or "Invented" in str(event) for event in events)


async def test_a_recording_at_fifty_times_its_speed_has_the_same_figures(tmp_path: Path) -> None:
    said = recorded_events("session_event_json.txt")

    events, _ = await pulled(tmp_path, Session(said=said, speed=50, stays=True), wanted=100)

    assert counted(events) == STEPS


async def test_a_hold_is_no_talk_and_a_heartbeat_is_a_sign_of_life(tmp_path: Path) -> None:
    said = recorded_events("session_plain_hold_heartbeat.txt")
    intake = Intake()

    events, _ = await pulled(tmp_path, Session(said=said, stays=True), wanted=101, intake=intake)

    (held,) = [event for event in events if tag_of(event) == "contact.held"]
    (ended,) = [event for event in events if tag_of(event) == "contact.ended" and event.subject == held.subject]
    assert held.time.timestamp() - BEGIN == pytest.approx(89.25, abs=0.01)
    # Answered at 84.14, on hold from 89.0 until the end at 96.08.
    assert (ended.data.talk_ms, ended.data.hold_ms) == (4860, 7079)
    assert intake.ignored["HEARTBEAT"] == 7


async def test_the_board_of_the_recording_has_one_who_waits_and_the_agents_as_they_were(tmp_path: Path) -> None:
    said = recorded_events("session_event_json.txt")

    events, _ = await pulled(tmp_path, Session(said=said, stays=True), wanted=100)

    board = replay(events).board()
    assert {row.queue: row.waiting for row in board.snapshots["contacts"]} == {"sales@demo": 1, "support@demo": 0}
    assert {row.queue: row.talking for row in board.snapshots["contacts"]} == {"sales@demo": 0, "support@demo": 0}
    (everywhere,) = [row for row in board.snapshots["agents"] if row.queue is None]
    # Mia and Uve; Ana, who changed her status while she talked; Bojan has gone.
    assert {state: number for state, number in everywhere.states.items() if number} == {
        "available": 2,
        "not_ready": 1,
        "offline": 1,
    }


# -- away ----------------------------------------------------------------------------------------


async def test_what_was_missed_by_the_recorded_snapshot_is_counted_and_not_made_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = recorded_events("session_event_json.txt")
    # The connection is lost in step 9, while one waits; the snapshot was asked for in the recording at 111.2.
    lost, back = said.index(b'"Event-Sequence":"1085"'), said.index(b'"Event-Sequence":"1183"')
    before, after = said[: said.rindex(b"Content-Length", 0, lost)], said[said.rindex(b"Content-Length", 0, back) :]
    begun = {
        **EMPTY,
        "callcenter_config queue list": b"name|calls_answered|calls_abandoned\nsales@demo|0|0\nsupport@demo|0|0\n+OK",
    }
    begun |= {f"callcenter_config queue list members {name}@demo": b"+OK" for name in ("sales", "support")}
    intake = Intake()

    with caplog.at_level(logging.WARNING):
        events, _ = await pulled(
            tmp_path,
            Session(said=before, snapshot=begun),
            Session(said=after, snapshot=recorded_snapshot(), stays=True),
            wanted="98a6fb1c-a9d1-4a9a-b3cd-8862d5408e00",
            intake=intake,
        )

    told = story(events)
    # It gave up at 103.2, came back at 105.7, and gave up again: none of that was heard, and none is told.
    assert [line.partition(" ")[2] for line in told if "c1041ab7" in line] == [
        "enqueued c1041ab7-1dfc-4863-b0b6-8fff3c0bfcf8 queue=sales@demo reason=new",
        "dequeued c1041ab7-1dfc-4863-b0b6-8fff3c0bfcf8 queue=sales@demo reason=system wait_ms=0",
    ]
    assert intake.refused == {"missed_while_away": 2}
    assert "sales@demo: 2 members left while nobody listened; they are missing" in caplog.text
    # What the rows say of agents is told with the second that FreeSWITCH gives.
    assert [line for line in told if line.startswith(("110 ", "-18 "))] == [
        "110 agent.availability_changed bojan@demo reason=On Break status=not_ready",
        "-18 agent.logged_in mia@demo",
    ]
    assert counted(events) == {
        **STEPS,
        ("sales@demo", "enqueued"): 9,
        ("sales@demo", "abandoned"): 2,
        ("sales@demo", "dequeued system"): 1,
    }


MEANWHILE = [
    f"sales|m2|channel-2|x|{BEGIN + 2}|0|0|0||Waiting",
    f"sales|m3|channel-3|Jo|hn|{BEGIN + 4}|0|{BEGIN + 9}|0|ana|Answered",
    f"sales|m4|channel-4|x|{BEGIN + 5}|0|0|0||Trying",
    f"sales|m5|channel-5|x|{BEGIN + 1}|{BEGIN + 7}|0|0||Waiting",
    f"sales|m6|channel-6|x|{BEGIN + 5}|0|{BEGIN + 8}|0|ring-all|Answered",
    f"sales|m7|channel-7|x|{BEGIN + 7}|0|0|{BEGIN + 9}||Abandoned",
    f"sales|m9|channel-9|x|{BEGIN + 1}|0|0|{BEGIN + 6}||Abandoned",
]
"""Rows of a queue: who came, came back, was answered, and left, while nobody listened."""


async def test_a_ghost_goes_and_who_came_meanwhile_is_told_once(tmp_path: Path) -> None:
    on, intake = StoryWriter(), Intake()
    then = answers(
        queues=["sales|3|5"],
        agents=[f"ana|x||callback|user/1|user/2|Available|In a queue call|{BEGIN + 3}"],
        tiers=["sales|ana|Ready|2|1"],
        sales=MEANWHILE,
    )
    said = b"".join(entered(on, number, number) for number in (1, 2, 3, 7, 8))
    said += on.say("bridge-agent-start", 9, queue="sales", member="m8", agent="bob")

    events, batches = await pulled(
        tmp_path,
        Session(said=said, snapshot=answers(queues=["sales|2|4"], sales=())),
        Session(snapshot=then),
        Session(snapshot=then, said=entered(on, 10, 20), stays=True),
        wanted="m10",
        intake=intake,
    )

    told = [line.partition(" ")[2] for line in story(batches[-3].events)]
    assert told[:7] == [
        "dequeued m1 queue=sales reason=system wait_ms=8000",
        "answered m3 queue=sales agent=ana wait_ms=6000",
        "dequeued m7 queue=sales reason=system wait_ms=2000",
        "ended m8 queue=sales agent=bob talk_ms=0 hold_ms=0",
        "enqueued m4 queue=sales reason=new",
        "enqueued m5 queue=sales enqueue_seq=2 reason=requeue",
        "enqueued m6 queue=sales reason=new",
    ]
    assert told[7:] == [
        "answered m6 queue=sales wait_ms=3000",
        "agent.logged_in ana",
        "agent.activity_changed ana activity=on_contact",
        "agent.logged_out bob",
        "agent.queue_joined ana queue=sales penalty=2",
    ]
    assert batches[-2].events == []
    assert len({event.id for event in events}) == len(events)
    # By the switch's own counts: one more was answered beside the one that was heard of, and one left unanswered.
    assert intake.refused == {"missed_while_away": 1}


async def test_after_a_restart_of_the_switch_its_counts_begin_anew_and_nobody_is_left(tmp_path: Path) -> None:
    on, intake = StoryWriter(), Intake()
    restarted = {**answers(queues=["sales|1|0"], sales=()), "global_getvar core_uuid": b"22222222-core"}

    _, batches = await pulled(
        tmp_path,
        Session(said=entered(on, 1, 1), snapshot=answers(queues=["sales|7|9"], sales=())),
        Session(snapshot=restarted, stays=True),
        wanted=2,
        intake=intake,
    )

    assert story(batches[-1].events) == ["1 dequeued m1 queue=sales reason=system wait_ms=0"]
    assert intake.refused == {"missed_while_away": 1}


async def test_a_switch_that_counts_nothing_is_asked_who_is_gone(tmp_path: Path) -> None:
    on, intake = StoryWriter(), Intake()

    await pulled(
        tmp_path,
        Session(said=entered(on, 1, 1) + entered(on, 2, 2)),
        Session(stays=True),
        wanted=4,
        intake=intake,
    )

    assert intake.refused == {"missed_while_away": 2}


async def test_what_happens_while_the_snapshot_is_asked_for_is_told_once(tmp_path: Path) -> None:
    on = StoryWriter()
    then = answers(queues=["sales|0|0"], sales=[f"sales|m1|channel-1|x|{BEGIN + 1}|0|0|0||Waiting"])

    events, _ = await pulled(
        tmp_path,
        Session(early=entered(on, 1, 1.25), snapshot=then, said=gave_up(on, 1, 5) + entered(on, 2, 6), stays=True),
        wanted="m2",
    )

    assert [(tag_of(event), event.subject) for event in events] == [
        ("contact.enqueued", "m1"),
        ("contact.abandoned", "m1"),
        ("contact.enqueued", "m2"),
    ]


async def test_who_leaves_while_the_snapshot_is_asked_for_leaves_as_was_heard(tmp_path: Path) -> None:
    on, intake = StoryWriter(), Intake()
    counts = answers(queues=["sales|0|0"], sales=())

    events, _ = await pulled(
        tmp_path,
        Session(said=entered(on, 1, 1), snapshot=counts),
        Session(early=gave_up(on, 1, 5), snapshot=counts, said=entered(on, 2, 6), stays=True),
        wanted="m2",
        intake=intake,
    )

    assert story(events)[1:2] == ["5 abandoned m1 queue=sales wait_ms=4000"]
    assert intake.refused == {}


# -- restarts of ours ----------------------------------------------------------------------------


async def test_from_any_position_on_what_is_heard_again_has_the_ids_that_it_had(tmp_path: Path) -> None:
    said = recorded_events("session_event_json.txt")
    events, batches = await pulled(tmp_path, Session(said=said, stays=True), wanted=100)
    subjects = {event.id: event.subject for event in events}

    for batch in batches[1 :: len(batches) // 5]:
        # The switch says everything once more, which a real one does not; whoever was open is open still.
        mapper = CallcenterMapper("/switch", memory=CallcenterPosition.read(batch.position).memory)
        again = mapper.events(EslFrames("switch").feed(said))
        assert {event.id for event in again} <= subjects.keys()
        assert all(event.subject == subjects[event.id] for event in again)


async def test_a_restart_goes_on_with_who_was_open_and_tells_nothing_twice(tmp_path: Path) -> None:
    on = StoryWriter()
    rows = [f"sales|m{number}|channel|x|{BEGIN + number}|0|0|0||Waiting" for number in (1, 2)]
    _, batches = await pulled(tmp_path, Session(said=entered(on, 1, 1) + entered(on, 2, 2), stays=True), wanted=2)

    events, _ = await pulled(
        tmp_path,
        Session(
            snapshot=answers(queues=["sales|0|0"], sales=rows), said=gave_up(on, 1, 11) + gave_up(on, 2, 32), stays=True
        ),
        wanted=2,
        saved=batches[-1].position,
    )

    assert story(events) == ["11 abandoned m1 queue=sales wait_ms=10000", "32 abandoned m2 queue=sales wait_ms=30000"]


class Stopping(Topic):
    """A sink that says when so many events have arrived."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.full = asyncio.Event()
        self._wanted = wanted

    async def send_many(self, events: Iterable[Event]) -> int:
        sent = await super().send_many(events)
        if len(self.events) >= self._wanted:
            self.full.set()
        return sent


@pytest.mark.parametrize("heard", [1, 20, 50])
async def test_whenever_it_is_shut_down_the_next_run_has_everybody_who_waits_once(tmp_path: Path, heard: int) -> None:
    on, topic, position = StoryWriter(), Stopping(heard), PositionFile(tmp_path / "position")
    said = b"".join(entered(on, number, number) for number in range(50))
    rows = [f"sales|m{number}|channel|x|{BEGIN + number}|0|0|0||Waiting" for number in range(50)]

    async with switch(Session(said=said, stays=True)) as port, asyncio.timeout(60):
        shipping = asyncio.create_task(ship(puller(options_of(port, tmp_path), Intake()), topic, position, Intake()))
        await topic.full.wait()
        shipping.cancel()
        await asyncio.wait([shipping])
    then = Session(snapshot=answers(["sales|0|0"], sales=rows), stays=True)
    events, _ = await pulled(tmp_path, then, wanted=0, saved=position.load())

    (sales,) = replay([*topic.events, *events]).board().snapshots["contacts"]
    assert sales.waiting == 50


# -- noise, bursts, silence, and refusals --------------------------------------------------------


async def test_garbage_is_counted_and_what_follows_it_is_told(tmp_path: Path) -> None:
    on, intake = StoryWriter(), Intake()
    said = b"+38640000001 rang\n\n" + framed(b"{", "text/event-json") + framed(b"\xff\xfe", "text/event-plain")

    events, _ = await pulled(tmp_path, Session(said=said + entered(on, 1, 1), stays=True), wanted=1, intake=intake)

    assert [event.subject for event in events] == ["m1"]
    assert intake.refused == {"not_json": 1, "no_name": 1}


async def test_a_stream_that_cannot_be_read_on_is_begun_anew(tmp_path: Path) -> None:
    on = StoryWriter()

    events, _ = await pulled(
        tmp_path,
        Session(said=b"Content-Length: many\n\n", stays=True),
        Session(said=entered(on, 1, 1), stays=True),
        wanted=1,
    )

    assert [event.subject for event in events] == ["m1"]


async def test_a_switch_without_a_sign_of_life_is_called_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    on = StoryWriter()
    async with switch(Session(stays=True), Session(said=entered(on, 1, 1), stays=True)) as port, asyncio.timeout(60):
        events, _ = await until_events(puller(options_of(port, tmp_path, silence=1), Intake()), 1)

    assert [event.subject for event in events] == ["m1"]
    assert "nothing was heard for 1 s; connecting again" in caplog.text


async def test_a_switch_whose_module_is_not_loaded_yet_is_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    on = StoryWriter()
    no_module = {**EMPTY, "callcenter_config queue list": b"-ERR callcenter_config Command not found!\n"}

    events, _ = await pulled(
        tmp_path, Session(snapshot=no_module), Session(said=entered(on, 1, 1), stays=True), wanted=1
    )

    assert [event.subject for event in events] == ["m1"]
    assert "callcenter_config is answered with an error" in caplog.text


async def test_a_switch_that_knows_no_json_is_heard_in_plain_text(tmp_path: Path) -> None:
    on = StoryWriter(plain=True)
    session = Session(said=entered(on, 1, 1), knows_json=False, stays=True)

    events, _ = await pulled(tmp_path, session, wanted=1)

    assert [event.subject for event in events] == ["m1"]
    assert [asked.split()[1] for asked in session.asked if asked.startswith("event")] == ["json", "plain"]


REFUSALS = {
    "another password": (Session(password="another"), "refuses the password"),
    "no entry": (
        Session(greeting=b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"),
        "acl",
    ),
}


@pytest.mark.parametrize(("session", "said"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refused_login_is_said_and_not_tried_again(tmp_path: Path, session: Session, said: str) -> None:
    with pytest.raises(SourceError, match=said) as refused:
        await pulled(tmp_path, session, wanted=1)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b"one\nanother\n", b"\xff\xfe"], ids=["none", "empty", "two", "noise"])
async def test_a_file_without_a_password_is_named_and_not_quoted(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    options = Options(password_file=file)

    with pytest.raises(SettingsError, match="--password-file") as refused:
        options.password()

    assert "another" not in str(refused.value)


def test_a_password_has_to_be_given() -> None:
    with pytest.raises(SettingsError, match="--password-file"):
        Options().password()


@pytest.mark.parametrize(
    ("options", "named"), [(Options(port=99_999), "--port"), (Options(silence_seconds=0), "--silence")]
)
def test_an_option_that_cannot_be_is_named(options: Options, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        FreeSwitchPuller(options, Intake())


def test_two_switches_have_two_names() -> None:
    assert Options(host="pbx-1").name != Options(host="pbx-2").name
    with pytest.raises(SettingsError, match="--source-name"):
        _ = Options(source_name="x" * 300).name


async def test_a_dry_run_prints_what_is_heard_until_it_is_stopped_and_leaves_no_position(tmp_path: Path) -> None:
    on = StoryWriter()
    async with switch(Session(said=entered(on, 1, 1) + gave_up(on, 1, 9), stays=True)) as port, asyncio.timeout(60):
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream", "source", "freeswitch", "--dry-run", "--port", str(port)),
            *("--password-file", str(options_of(port, tmp_path).password_file), "--tenant", "acme"),
            *("--state", str(tmp_path / "position")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        assert run.stdout is not None
        told = [json.loads(await run.stdout.readline()) for _ in range(2)]
        run.send_signal(signal.SIGTERM)
        _, said = await run.communicate()

    assert [(event["type"], event["tenantid"]) for event in told] == [
        ("contact.enqueued", "acme"),
        ("contact.abandoned", "acme"),
    ]
    assert run.returncode == 0, said
    assert b"secret" not in said
    assert not (tmp_path / "position").exists()
