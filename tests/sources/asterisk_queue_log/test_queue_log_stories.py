"""What a log says on the left, what we tell of it on the right: `seconds|rest of the line` and `seconds event`."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import json

from stream.core.cloudevents import Event
from stream.families.agents.fold import AgentsFold
from stream.families.agents.rules import AgentPolicy
from stream.families.contacts.events import ContactEvent
from stream.sdk.producer import checked
from stream.sources.asterisk_queue_log.mapper import IGNORED, VERBS, Mapper
from stream.sources.asterisk_queue_log.memory import CALLS_KEPT, Memory
from stream.sources.lines import BadLine
from tests.sources.queue_logs import START, log_of, mapped, mapper, told

STORIES = {
    "a call is answered and the agent hangs up": (
        """
        0|c1|q1|NONE|ENTERQUEUE||05550000001|1|Jane Doe
        3|c1|q1|Agent/7|RINGNOANSWER|3000
        8|c1|q1|Agent/8|CONNECT|8|c2|4
        20|c1|q1|Agent/8|COMPLETEAGENT|8|12|1
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        3 offer_ended c1 queue=q1 agent=Agent/7 result=missed ring_ms=3000
        8 answered c1 queue=q1 agent=Agent/8 wait_ms=8000 ring_ms=4000
        20 ended c1 queue=q1 agent=Agent/8 ended_by=agent talk_ms=12000
        """,
    ),
    "old logs have shorter lines": (
        """
        0|c1|q1|NONE|ENTERQUEUE||05550000001
        8|c1|q1|Agent/8|CONNECT|8|c2
        20|c1|q1|Agent/8|COMPLETECALLER|8|12
        30|c2|q1|NONE|ENTERQUEUE|
        35|c2|q1|NONE|EXITWITHTIMEOUT|1
        40|c3|q1|NONE|ENTERQUEUE|
        41|c3|q1|Agent/8|CONNECT|1
        49|c3|q1|Agent/8|TRANSFER|100|default
        50|c4|q1|NONE|ENTERQUEUE|
        51|c4|q1|Agent/8|CONNECT|1
        59|c4|q1|Agent/8|TRANSFER|100|default|1|8
        """,
        """
        0 enqueued c1 queue=q1 reason=new
        8 answered c1 queue=q1 agent=Agent/8 wait_ms=8000
        20 ended c1 queue=q1 agent=Agent/8 ended_by=customer talk_ms=12000
        30 enqueued c2 queue=q1 reason=new
        35 dequeued c2 queue=q1 position=1 reason=timeout
        40 enqueued c3 queue=q1 reason=new
        41 answered c3 queue=q1 agent=Agent/8 wait_ms=1000
        49 transferred c3 queue=q1 agent=Agent/8 kind=blind
        50 enqueued c4 queue=q1 reason=new
        51 answered c4 queue=q1 agent=Agent/8 wait_ms=1000
        59 transferred c4 queue=q1 agent=Agent/8 kind=blind talk_ms=8000
        """,
    ),
    "newer logs tell how long the agent talked before a transfer": (
        """
        0|c1|q1|Agent/8|CONNECT|5|c2|1
        60|c1|q1|Agent/8|BLINDTRANSFER|05550000009|out|5|60|1
        0|c3|q1|Agent/8|CONNECT|5|c4|1
        70|c3|q1|Agent/8|ATTENDEDTRANSFER|BRIDGE|b1|5|70|1
        0|c5|q1|Agent/8|CONNECT|5|c6|1
        80|c5|q1|Agent/8|ATTENDEDTRANSFER|LINK|SIP/1|SIP/2|5|80|1
        """,
        """
        0 answered c1 queue=q1 agent=Agent/8 wait_ms=5000 ring_ms=1000
        60 transferred c1 queue=q1 agent=Agent/8 kind=blind talk_ms=60000
        0 answered c3 queue=q1 agent=Agent/8 wait_ms=5000 ring_ms=1000
        70 transferred c3 queue=q1 agent=Agent/8 kind=attended talk_ms=70000
        0 answered c5 queue=q1 agent=Agent/8 wait_ms=5000 ring_ms=1000
        80 transferred c5 queue=q1 agent=Agent/8 kind=attended talk_ms=80000
        """,
    ),
    "the ways out of a queue without an answer": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        9|c1|q1|NONE|ABANDON|1|1|9
        10|c2|q1|NONE|ENTERQUEUE||x|1
        11|c2|q1|Agent/8|RINGCANCELED|900
        19|c2|q1|NONE|EXITWITHTIMEOUT|1|1|9
        20|c3|q1|NONE|ENTERQUEUE||x|1
        29|c3|q1|NONE|EXITEMPTY|1|1|9
        30|c4|q1|NONE|ENTERQUEUE||x|2
        39|c4|q1|NONE|EXITWITHKEY|5|1|2|9
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        9 abandoned c1 queue=q1 wait_ms=9000 position=1
        10 enqueued c2 queue=q1 position=1 reason=new
        11 offer_ended c2 queue=q1 agent=Agent/8 result=canceled ring_ms=900
        19 dequeued c2 queue=q1 wait_ms=9000 position=1 reason=timeout
        20 enqueued c3 queue=q1 position=1 reason=new
        29 dequeued c3 queue=q1 wait_ms=9000 position=1 reason=empty
        30 enqueued c4 queue=q1 position=2 reason=new
        39 dequeued c4 queue=q1 wait_ms=9000 position=1 reason=key
        """,
    ),
    "a caller who is queued again keeps the id and begins a new visit": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        9|c1|q1|NONE|EXITWITHTIMEOUT|1|1|9
        9|c1|q2|NONE|ENTERQUEUE||x|1
        12|c1|q2|Agent/8|CONNECT|3|c2|1
        40|c1|q2|Agent/8|BLINDTRANSFER|q1|queues|3|28|1
        41|c1|q1|NONE|ENTERQUEUE||x|1
        50|c1|q1|NONE|ABANDON|1|1|9
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        9 dequeued c1 queue=q1 wait_ms=9000 position=1 reason=timeout
        9 enqueued c1 queue=q2 enqueue_seq=2 position=1 reason=requeue
        12 answered c1 queue=q2 enqueue_seq=2 agent=Agent/8 wait_ms=3000 ring_ms=1000
        40 transferred c1 queue=q2 enqueue_seq=2 agent=Agent/8 kind=blind talk_ms=28000
        41 enqueued c1 queue=q1 enqueue_seq=3 position=1 reason=requeue
        50 abandoned c1 queue=q1 enqueue_seq=3 wait_ms=9000 position=1
        """,
    ),
    "a call that is in another queue has left the first, though no line said so": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        9|c1|q2|NONE|ENTERQUEUE||x|1
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        9 dequeued c1 queue=q1 reason=moved to_queue=q2
        9 enqueued c1 queue=q2 enqueue_seq=2 position=1 reason=requeue
        """,
    ),
    "a call that was blocked before is still new in the queue that takes it": (
        """
        0|c1|q1|NONE|FULL|
        1|c1|q2|NONE|JOINEMPTY|
        2|c1|q3|NONE|CLOSED|
        3|c1|q4|NONE|DIVERT_CA_RATIO|
        4|c1|q5|NONE|DIVERT_HOLDTIME|
        5|c1|q6|NONE|LEAVEEMPTY|
        6|c1|q7|NONE|ENTERQUEUE||x|1
        7|c1|q7|NONE|LEAVEEMPTY|
        """,
        """
        0 blocked c1 queue=q1 reason=full
        1 blocked c1 queue=q2 enqueue_seq=2 reason=no_agents
        2 blocked c1 queue=q3 enqueue_seq=3 reason=closed
        3 blocked c1 queue=q4 enqueue_seq=4 reason=capacity
        4 blocked c1 queue=q5 enqueue_seq=5 reason=capacity
        5 blocked c1 queue=q6 enqueue_seq=6 reason=no_agents
        6 enqueued c1 queue=q7 enqueue_seq=7 position=1 reason=new
        7 dequeued c1 queue=q7 enqueue_seq=7 reason=empty
        """,
    ),
    "an agent picked up, and the parties never spoke": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        5|c1|q1|Agent/8|AGENTDUMP|
        10|c2|q1|NONE|ENTERQUEUE||x|1
        15|c2|q1|Agent/8|SYSCOMPAT|
        20|c3|q1|Agent/8|CONNECT|2|c4|1
        25|c3|q1|Agent/8|SYSCOMPAT|
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        5 dequeued c1 queue=q1 agent=Agent/8 reason=system
        10 enqueued c2 queue=q1 position=1 reason=new
        15 dequeued c2 queue=q1 agent=Agent/8 reason=system
        20 answered c3 queue=q1 agent=Agent/8 wait_ms=2000 ring_ms=1000
        25 ended c3 queue=q1 agent=Agent/8 ended_by=system
        """,
    ),
    "after a restart of the PBX nobody waits who waited before": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        1|c2|q1|NONE|ENTERQUEUE||x|2
        2|c3|q2|NONE|ENTERQUEUE||x|1
        3|c1|q1|Agent/8|CONNECT|3|c9|1
        4|c2|q1|NONE|ABANDON|1|2|3
        9|NONE|NONE|NONE|QUEUESTART|
        10|NONE|NONE|NONE|QUEUESTART|
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        1 enqueued c2 queue=q1 position=2 reason=new
        2 enqueued c3 queue=q2 position=1 reason=new
        3 answered c1 queue=q1 agent=Agent/8 wait_ms=3000 ring_ms=1000
        4 abandoned c2 queue=q1 wait_ms=3000 position=1
        9 dequeued c3 queue=q2 reason=system
        """,
    ),
    "agents come, pause, come back and go": (
        """
        0|NONE|NONE|Agent/7|AGENTLOGIN|SIP/7
        1|x.4|NONE|Agent/8|AGENTCALLBACKLOGIN|1002@pcm-dev
        2|CLI|q1|Local/2004@from-internal/n|ADDMEMBER|
        3|MANAGER|q1|Agent/9|ADDMEMBER|PAUSED
        4|NONE|q1|Agent/7|PAUSE|lunch
        5|NONE|NONE|Agent/7|PAUSEALL|
        6|NONE|NONE|Agent/7|UNPAUSEALL|
        7|NONE|q1|Agent/7|UNPAUSE|
        8|REALTIME|q1|Agent/9|REMOVEMEMBER|
        9|NONE|NONE|Agent/8|AGENTCALLBACKLOGOFF|1002@pcm-dev|8|CommandLogoff
        9|NONE|NONE|Agent/7|AGENTLOGOFF|SIP/7|9
        """,
        """
        0 agent.logged_in Agent/7
        1 agent.logged_in Agent/8
        2 agent.queue_joined Local/2004@from-internal/n queue=q1
        3 agent.queue_joined Agent/9 queue=q1
        3 agent.availability_changed Agent/9 status=not_ready queue=q1
        4 agent.availability_changed Agent/7 status=not_ready reason=lunch queue=q1
        5 agent.availability_changed Agent/7 status=not_ready
        6 agent.availability_changed Agent/7 status=available
        7 agent.availability_changed Agent/7 status=available queue=q1
        8 agent.queue_left Agent/9 queue=q1
        9 agent.logged_out Agent/8
        9 agent.logged_out Agent/7
        """,
    ),
    "a call that dialled a number, and a number that makes no sense": (
        """
        0|c1|NONE|NONE|DID|80012345
        1|c1|q1|NONE|ENTERQUEUE||x|99999999
        9|c1|q1|NONE|ABANDON|1|1|-5
        """,
        """
        0 offered c1 did=80012345
        1 enqueued c1 queue=q1 reason=new
        9 abandoned c1 queue=q1 position=1
        """,
    ),
    "lines whose begin was not seen": (
        """
        0|c1|q1|Agent/8|COMPLETEAGENT|8|12|1
        1|c2|q1|NONE|ABANDON|1|1|9
        """,
        """
        0 ended c1 queue=q1 agent=Agent/8 ended_by=agent talk_ms=12000
        1 abandoned c2 queue=q1 wait_ms=9000 position=1
        """,
    ),
}


@pytest.mark.parametrize(("log", "events"), STORIES.values(), ids=STORIES)
def test_a_log_tells_its_story(log: str, events: str) -> None:
    assert told(mapped(log_of(log))) == [line.strip() for line in events.strip().splitlines()]


def test_every_verb_has_a_story() -> None:
    assert {line.split("|")[4] for log, _ in STORIES.values() for line in log.strip().splitlines()} == set(VERBS)


def test_verbs_without_a_story_are_counted_and_unknown_ones_set_aside() -> None:
    rejects: list[BadLine] = []
    by = mapper(rejects)
    lines = "\n".join(f"0|c1|q1|m1|{verb}|x" for verb in (*IGNORED, "NEWVERB"))

    assert mapped(log_of(lines), by) == []
    assert by.counts.ignored.total() == len(IGNORED)
    assert by.counts.unknown == {"NEWVERB": 1}
    assert [(bad.reason, bad.place.line) for bad in rejects] == [("unknown_verb", len(IGNORED) + 1)]


def test_a_flood_of_unknown_verbs_takes_no_more_names_than_the_limit() -> None:
    by = mapper()
    mapped(log_of("\n".join(f"0|c1|q1|m1|VERB{number}|" for number in range(1000))), by)

    assert len(by.counts.unknown) == 101
    assert by.counts.unknown.total() == 1000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0|NONE|q1|NONE|ENTERQUEUE|", "missing_call"),
        ("0|c1|NONE|NONE|CONNECT|", "missing_queue"),
        ("0|NONE|q1|NONE|PAUSE|", "missing_member"),
        ("0|NONE|NONE|Agent/7|ADDMEMBER|", "missing_queue"),
    ],
)
def test_a_line_that_does_not_name_what_its_verb_needs_is_set_aside(line: str, reason: str) -> None:
    rejects: list[BadLine] = []

    assert mapped(log_of(line), mapper(rejects)) == []
    assert [bad.reason for bad in rejects] == [reason]


def test_numbers_and_names_of_callers_and_of_transfers_do_not_get_into_events() -> None:
    secrets = ("05550000001", "Jane", "05550000009", "http")
    log = log_of("""
        0|c1|q1|NONE|ENTERQUEUE|http://crm/05550000001|05550000001|1|Jane
        8|c1|q1|Agent/8|CONNECT|8|c2|4
        9|c1|q1|Agent/8|BLINDTRANSFER|05550000009|out|5|60|1
        """)

    sent = b"".join(checked(event) for event in mapped(log)).decode()

    assert not [secret for secret in secrets if secret in sent]


def test_the_id_of_an_event_says_nothing_about_the_caller() -> None:
    of = "0|c1|q1|NONE|ENTERQUEUE||{}|1"

    assert mapped(log_of(of.format("0555"))) == mapped(log_of(of.format("0777")))


def test_equal_lines_in_the_same_second_are_different_events() -> None:
    log = log_of("0|c1|q1|m1|RINGNOANSWER|0\n0|c1|q1|m1|RINGNOANSWER|0\n0|c1|q1|m1|RINGNOANSWER|0")

    assert len({event.id for event in mapped(log)}) == 3
    assert mapped(log) == mapped(log)


PAUSED = "0|NONE|q1|m1|PAUSE|"
BACK = "0|NONE|q1|m1|UNPAUSE|"


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([PAUSED, BACK], "available"),
        ([BACK, PAUSED], "not_ready"),
        ([PAUSED, BACK, PAUSED], "not_ready"),
        (["0|NONE|NONE|m1|PAUSEALL|", "0|NONE|NONE|m1|UNPAUSEALL|"], "available"),
        (["0|NONE|NONE|m1|AGENTLOGOFF|", "0|NONE|NONE|m1|AGENTLOGIN|"], "available"),
        (["0|CLI|q1|m1|ADDMEMBER|PAUSED", BACK], "available"),
        ([PAUSED, "1|NONE|q1|m2|PAUSE|", BACK], "available"),
    ],
)
def test_of_two_reports_of_one_second_the_later_line_stands(lines: list[str], state: str) -> None:
    assert states(mapped(log_of("\n".join(["0|CLI|q1|m1|ADDMEMBER|", *lines]))))["m1"] == state


@pytest.mark.parametrize(("verbs", "joined"), [(["REMOVE", "ADD"], ["q1"]), (["ADD", "REMOVE"], [])])
def test_a_member_that_is_removed_and_added_in_one_second_is_where_the_later_line_says(
    verbs: list[str], joined: list[str]
) -> None:
    staff = folded(mapped(log_of("\n".join(f"0|CLI|q1|m1|{verb}MEMBER|" for verb in verbs))))

    (row,) = staff.agents.values()
    assert [queue for queue, _ in row.places(row.newest, AgentPolicy()) if queue] == joined


def test_the_order_in_a_second_moves_agents_only_and_never_into_the_next_second() -> None:
    lines = ["0|c1|q1|NONE|ENTERQUEUE||x|1", PAUSED, "0|c1|q1|NONE|ABANDON|1|1|0", *[BACK, PAUSED] * 600]
    by = mapper()
    entered, first, abandoned, second, *others = mapped(log_of("\n".join(lines)), by)
    milliseconds = [event.time.microsecond // 1000 for event in (first, second, *others)]

    assert entered.time == abandoned.time == first.time
    assert milliseconds == [*range(1000), *[999] * 201]
    mapped(log_of("\n".join(f"{second}|NONE|q1|m1|PAUSE|" for second in range(100))), by)
    assert len(by.memory.reports) <= 16


def test_a_log_that_knows_fractions_of_a_second_keeps_them() -> None:
    log = f"{START}.25|NONE|q1|m1|PAUSE|\n{START}.251|NONE|q1|m1|UNPAUSE|\n".encode()

    assert [event.time.microsecond for event in mapped(log)] == [250_000, 251_000]


def folded(events: list[Event]) -> AgentsFold:
    staff = AgentsFold()
    assert not staff.apply(events, range(len(events))).failed
    return staff


def states(events: list[Event]) -> dict[str, str]:
    """By agent: the state in queue q1."""
    agents = {agent: row for (_, agent), row in folded(events).agents.items()}
    return {agent: dict(row.places(row.newest, AgentPolicy())).get("q1", "") for agent, row in agents.items()}


AGENTS = log_of(f"{PAUSED}\n{BACK}\n0|c1|q1|NONE|ENTERQUEUE||x|1\n{PAUSED}\n1|NONE|q1|m2|PAUSE|\n{BACK}")

DAY = AGENTS + b"".join(log_of(log) for log, _ in STORIES.values())


@given(st.integers(0, DAY.count(b"\n")))
@example(1)
@example(3)
def test_a_mapper_that_is_stopped_and_started_again_tells_the_same(cut: int) -> None:
    lines = DAY.splitlines(keepends=True)
    first = mapper()
    before = mapped(b"".join(lines[:cut]), first)
    remembered = json.decode(json.encode(first.memory), type=Memory)

    after = mapped(b"".join(lines[cut:]), Mapper(first.speaker, memory=remembered))

    assert before + after == mapped(DAY)


def test_a_log_that_is_read_again_without_memory_has_the_same_ids() -> None:
    assert mapped(DAY) == mapped(DAY)


def test_a_log_that_is_read_again_with_memory_begins_no_new_visits() -> None:
    """Then every event falls on the segment that it fell on the first time, where it counts nothing."""
    log = log_of(STORIES["a caller who is queued again keeps the id and begins a new visit"][0])
    by = mapper()

    def visits() -> set[tuple[str, int]]:
        found = mapped(log, by)
        assert found
        return {
            (e.data.queue or "", e.data.enqueue_seq)
            for e in found
            if isinstance(e, ContactEvent) and hasattr(e.data, "enqueue_seq")
        }

    assert visits() == {("q1", 1), ("q2", 2), ("q1", 3)}
    by.memory.alike.clear()
    assert visits() == {("q1", 1), ("q2", 2), ("q1", 3)}


def test_what_is_remembered_does_not_grow_for_ever() -> None:
    by = mapper()
    mapped(log_of("\n".join(f"0|c{number}|q1|NONE|ENTERQUEUE|" for number in range(CALLS_KEPT + 500))), by)

    assert len(by.memory.calls) <= CALLS_KEPT + 1
    assert len(by.memory.alike) <= 1024
    mapped(log_of("\n".join(f"{14_401 + number}|d|q1|NONE|ABANDON|" for number in range(CALLS_KEPT + 1))), by)
    assert list(by.memory.calls) == ["d"]
