"""What a log says on the left, what we tell of it on the right: `seconds|rest of the line` and `seconds event`."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import json

from stream.families.agents.events import AgentAvailabilityChanged
from stream.families.contacts.events import ContactEvent, OfferEnded
from stream.sdk.producer import checked
from stream.sources.asterisk_queue_log.calls import CALLS_KEPT
from stream.sources.asterisk_queue_log.mapper import IGNORED, VERBS
from stream.sources.asterisk_queue_log.memory import Remembered
from stream.sources.lines import BadLine
from tests.sources.asterisk_queue_log.stories import STORIES
from tests.sources.queue_logs import START, folded, log_of, mapped, mapper, places_of, states, told


@pytest.mark.parametrize(("log", "events"), STORIES.values(), ids=STORIES)
def test_a_log_tells_its_story(log: str, events: str) -> None:
    assert told(mapped(log_of(log))) == [line.strip() for line in events.strip().splitlines()]


def test_every_verb_has_a_story() -> None:
    assert {line.split("|")[4] for log, _ in STORIES.values() for line in log.strip().splitlines()} == set(VERBS)


ASTERISK = (
    *("ABANDON", "ADDMEMBER", "AGENTDUMP", "AGENTLOGIN", "AGENTLOGOFF", "ATTENDEDTRANSFER"),
    *("BLINDTRANSFER", "COMPLETEAGENT", "COMPLETECALLER", "CONFIGRELOAD", "CONNECT", "DID", "ENTERQUEUE"),
    *("EXITEMPTY", "EXITWITHKEY", "EXITWITHTIMEOUT", "OUTCALL", "PAUSE", "PAUSEALL", "PENALTY"),
    *("QUEUESTART", "REMOVEMEMBER", "RINGCANCELED", "RINGINUSE", "RINGNOANSWER", "SYSCOMPAT", "TRANSFER"),
    *("UNPAUSE", "UNPAUSEALL", "WITHDRAW"),
)
"""What calls of `ast_queue_log` write, in app_queue.c, app_agent_pool.c and logger.c of Asterisk 1.8 to 22."""


def test_every_verb_that_asterisk_writes_is_known() -> None:
    assert {*ASTERISK} - {*VERBS} - {*IGNORED} == set()


def test_verbs_without_a_story_are_counted_and_unknown_ones_set_aside() -> None:
    rejects: list[BadLine] = []
    by = mapper(rejects)
    lines = "\n".join(f"0|c1|q1|m1|{verb}|x" for verb in (*IGNORED, "NEWVERB"))

    assert mapped(log_of(lines), by) == []
    assert by.intake.ignored.total() == len(IGNORED)
    assert by.intake.unknown == {"NEWVERB": 1}
    assert [(bad.reason, bad.place.line) for bad in rejects] == [("unknown_verb", len(IGNORED) + 1)]


def test_a_flood_of_unknown_verbs_takes_no_more_names_than_the_limit() -> None:
    by = mapper()
    mapped(log_of("\n".join(f"0|c1|q1|m1|VERB{number}|" for number in range(1000))), by)

    assert len(by.intake.unknown) == 101
    assert by.intake.unknown.total() == 1000


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

    assert len({event.id for event in mapped(log) if isinstance(event, OfferEnded)}) == 3
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

    assert [queue for _, row in staff.agents.items() for queue in places_of(row) if queue] == joined


def test_the_order_in_a_second_moves_agents_only_and_never_into_the_next_second() -> None:
    lines = ["0|c1|q1|NONE|ENTERQUEUE||x|1", PAUSED, "0|c1|q1|NONE|ABANDON|1|1|0", *[BACK, PAUSED] * 600]
    by = mapper()
    events = mapped(log_of("\n".join(lines)), by)
    contacts = [event.time for event in events if isinstance(event, ContactEvent)]
    pauses = [event for event in events if isinstance(event, AgentAvailabilityChanged) and event.data.queue]
    milliseconds = [event.time.microsecond // 1000 for event in pauses]

    assert contacts == [pauses[0].time] * 2
    assert milliseconds == [*range(1000), *[999] * 201]
    mapped(log_of("\n".join(f"{second}|NONE|q1|m1|PAUSE|" for second in range(100))), by)
    assert len(by.memory.saved.reports) <= 16


def test_a_log_that_knows_fractions_of_a_second_keeps_them() -> None:
    log = f"{START}.25|NONE|q1|m1|PAUSE|\n{START}.251|NONE|q1|m1|UNPAUSE|\n".encode()

    assert {event.time.microsecond for event in mapped(log)} == {250_000, 251_000}


AGENTS = log_of(f"{PAUSED}\n{BACK}\n0|c1|q1|NONE|ENTERQUEUE||x|1\n{PAUSED}\n1|NONE|q1|m2|PAUSE|\n{BACK}")

DAY = AGENTS + b"".join(log_of(log) for log, _ in STORIES.values())


@given(st.integers(0, DAY.count(b"\n")))
@example(1)
@example(3)
def test_a_mapper_that_is_stopped_and_started_again_tells_the_same(cut: int) -> None:
    lines = DAY.splitlines(keepends=True)
    first = mapper()
    before = mapped(b"".join(lines[:cut]), first, to_its_end=False)
    remembered = json.decode(json.encode(first.memory.saved), type=Remembered)

    after = mapped(b"".join(lines[cut:]), mapper(remembered=remembered))

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
    by.memory.saved.alike.clear()
    assert visits() == {("q1", 1), ("q2", 2), ("q1", 3)}


def test_what_is_remembered_does_not_grow_for_ever() -> None:
    by = mapper()
    mapped(log_of("\n".join(f"0|c{number}|q1|NONE|ENTERQUEUE|" for number in range(CALLS_KEPT + 500))), by)

    assert len(by.memory.calls.by_id) <= CALLS_KEPT + 1
    assert len(by.memory.saved.alike) <= 1024
    mapped(log_of("\n".join(f"{14_401 + number}|d|q1|NONE|ABANDON|" for number in range(CALLS_KEPT + 1))), by)
    assert list(by.memory.calls.by_id) == ["d"]
