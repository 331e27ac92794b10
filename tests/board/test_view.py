import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.board.document import Document, detail_of, document_of, picture_of
from stream.board.view import shows_of
from stream.core.family import Family
from stream.core.judgement import State
from stream.core.windows import ALL, LIVE_WINDOWS
from stream.families.contacts.rules import Formula
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally
from stream.families.registry import FAMILIES
from tests.board.boards import SHOWN, a_board, a_queue, a_tally, agents, rows_of, showing, wall

REPLAY_KEYS = (
    *("tenant", "queue", "channel", "window", "open_cases", "offered", "answered", "answered_in_target", "abandoned"),
    *("abandoned_in_target", "abandoned_short", "dequeued", "blocked", "handled", "service_level", "asa_seconds"),
    *("abandonment_ratio", "blocking_ratio", "aht_seconds", "longest_wait_seconds"),
)


def row_of(queue: QueueSnapshot, window: str = "30m") -> Any:
    return rows_of(a_board(queue), window)[0]


def test_the_json_has_the_keys_that_replay_promises() -> None:
    assert [family.rows for family in FAMILIES] == ["queues", "agents", "case_queues", "surveys", "customers"]
    assert all(set(REPLAY_KEYS) <= set(vars(row)) for row in rows_of(wall()))


def test_where_there_is_no_sample_the_json_says_null() -> None:
    [row] = msgspec.json.decode(msgspec.json.encode([*map(vars, rows_of(a_board(a_queue()), "today"))]))

    for figure in ("service_level", "asa_seconds", "abandonment_ratio", "blocking_ratio", "aht_seconds"):
        assert row[figure] is None
    assert row["longest_wait_seconds"] is None
    assert row["open_cases"] == 0


@given(
    st.builds(
        a_tally,
        in_target=st.integers(0, 99),
        too_late=st.integers(0, 99),
        abandoned=st.integers(0, 9),
        blocked=st.integers(0, 9),
    )
)
def test_rows_survive_the_way_to_the_terminal(tally: Tally) -> None:
    document = document_of(a_board(a_queue(tally=tally, waited=3)), FAMILIES, "5m", ())
    told = msgspec.json.encode(document)

    assert msgspec.json.encode(msgspec.json.decode(told, type=Document)) == told


def test_the_window_all_is_everything_there_ever_was() -> None:
    queue = showing(a_queue(), {ALL: a_tally(in_target=9, too_late=1)})

    assert (row_of(queue, ALL).window, row_of(queue, ALL).answered, row_of(queue, "1h").answered) == ("all", 10, 0)


@pytest.mark.parametrize("window", [*SHOWN, ALL])
def test_every_window_can_be_asked_for(window: str) -> None:
    assert {row.window for row in rows_of(wall(), window)} == {window}


def test_all_formulas_are_told_and_the_queue_is_judged_by_its_own() -> None:
    row = row_of(a_queue(tally=a_tally(in_target=6, too_late=2, abandoned=12, short=2), formula=Formula.ANSWERED_ONLY))

    assert row.service_level == 0.75
    assert row.service_levels == pytest.approx(
        {"A": 0.75, "B": 0.3, "C": 6 / 18, "D": 6 / 18, "E": 0.4, "F": 0.4, "G": 6 / 18, "H": 0.4}
    )


def test_reasons_that_occurred_are_told() -> None:
    row = row_of(a_queue(tally=Tally(dequeued_overflow=2, dequeued_moved=1, blocked_full=3)))

    assert row.dequeued_by_reason == {"overflow": 2, "moved": 1}
    assert row.blocked_by_reason == {"full": 3}
    assert (row.dequeued, row.blocked) == (3, 3)


def test_agents_stand_with_their_queue() -> None:
    board = a_board(a_queue(), a_queue("other"), staff=(agents("support", available=3), agents(None, available=9)))

    assert {row.queue: row.agents.get("available") for row in rows_of(board, "5m")} == {"support": 3, "other": None}


@pytest.mark.parametrize(
    ("queue", "state"),
    [
        (a_queue(tally=a_tally(in_target=79, too_late=21)), State.BREACHED),
        (a_queue(tally=a_tally(in_target=80, too_late=20)), State.AT_RISK),
        (a_queue(tally=a_tally(in_target=86, too_late=14)), State.OK),
        (a_queue(tally=a_tally(in_target=100), waited=21, past=1), State.AT_RISK),
        (a_queue(), State.NO_SAMPLE),
        (a_queue(waited=3), State.NO_SAMPLE),
        (a_queue(waited=21, past=1), State.AT_RISK),
        (a_queue(tally=a_tally(in_target=1), target=1.0), State.OK),
        (a_queue(tally=a_tally(in_target=96, too_late=4), target=0.96), State.AT_RISK),
        (a_queue(tally=a_tally(in_target=99, too_late=1), target=0.96), State.OK),
    ],
)
def test_a_queue_is_judged_by_its_own_target(queue: QueueSnapshot, state: State) -> None:
    assert row_of(queue).state is state


@pytest.mark.parametrize(
    ("queue", "figure", "state"),
    [
        (a_queue(tally=a_tally(in_target=79, too_late=21)), "service_level", State.BREACHED),
        (a_queue(tally=a_tally(in_target=80, too_late=20)), "service_level", State.AT_RISK),
        (a_queue(tally=a_tally(in_target=100), waited=21, past=1), "service_level", State.OK),
        (a_queue(waited=20), "longest_wait", State.OK),
        (a_queue(waited=21, past=1), "longest_wait", State.AT_RISK),
        (a_queue(waited=601, past=1), "longest_wait", State.BREACHED),
        (a_queue(tally=a_tally(in_target=85, abandoned=15)), "abandonment", State.OK),
        (a_queue(tally=a_tally(in_target=84, abandoned=16)), "abandonment", State.AT_RISK),
        (a_queue(tally=a_tally(in_target=79, abandoned=21)), "abandonment", State.BREACHED),
        (a_queue(tally=a_tally(in_target=79, abandoned=21, short=21)), "abandonment", State.OK),
        (a_queue(tally=a_tally(in_target=92, blocked=8)), "blocking", State.AT_RISK),
        (a_queue(tally=a_tally(in_target=89, blocked=11)), "blocking", State.BREACHED),
    ],
)
def test_each_figure_is_judged_by_the_limits_of_the_policy(queue: QueueSnapshot, figure: str, state: State) -> None:
    assert row_of(queue).judged[figure] is state


def test_what_has_no_sample_is_not_judged() -> None:
    assert row_of(a_queue()).judged == {}


def test_one_queue_is_told_in_every_window_with_all_formulas() -> None:
    board = a_board(a_queue("a"), a_queue("b/c", channel="chat"), a_queue("b/c"))
    detail = detail_of(board, FAMILIES, "contacts", "acme/b/c/chat")

    assert [(row["queue"], row["channel"], row["window"]) for row in detail.windows] == [
        ("b/c", "chat", one) for one in SHOWN
    ]
    assert all(isinstance(row["service_levels"], dict) for row in detail.windows)
    assert detail_of(board, FAMILIES, "contacts", "acme/b/chat").windows == ()


def test_nothing_is_told_of_a_row_of_a_family_that_is_not_known() -> None:
    assert detail_of(wall(), FAMILIES, "nobody", "acme/support/voice").windows == ()


def test_a_detail_has_every_figure_once_and_signs_the_one_that_is_judged() -> None:
    sections = detail_of(wall(), FAMILIES, "contacts", "acme/support/voice").sections
    lines = [line for section in sections for line in section.lines]

    assert [section.name for section in sections] == ["", "waits", "volumes", "exits", "formulas"]
    assert [line.name for line in sections[0].lines] == ["service_level"], "no section names it"
    assert len(lines) == len({line.name for line in lines})
    assert {line.judged_as: line.name for line in lines if line.judged_as} == {
        "service_level": "service_level",
        "abandonment": "abandonment_excluding_short_ratio",
        "blocking": "blocking_ratio",
    }


def test_what_stands_large_and_in_the_head_of_the_page_is_told_with_the_columns() -> None:
    board = document_of(wall(), FAMILIES, "30m", ())
    columns = {column.name: column for column in board.panels["contacts"].columns}
    rows = board.panels["contacts"].rows

    large = [name for name, column in columns.items() if column.tile == "large"]
    assert large == ["service_level", "open_cases", "longest_wait_seconds"]
    assert {name: column.summary for name, column in columns.items() if column.summary} == {
        "open_cases": "sum",
        "longest_wait_seconds": "max",
    }
    assert [note.word for note in columns["service_level"].notes] == [
        *("target", "short_target", "decided", "out_of_hours")
    ]
    assert all(note.blanks.keys() <= row.keys() for name in large for note in columns[name].notes for row in rows)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_a_tile_or_the_head_of_the_page_shows_is_in_the_list(family: Family[Any]) -> None:
    shown = {name for name, show in shows_of(family).items() if show.tile or show.summary or show.needs_agents}

    assert shown <= set(family.columns)


def test_a_detail_tells_which_of_its_large_figures_are_of_a_window() -> None:
    detail = detail_of(wall(), FAMILIES, "contacts", "acme/support/voice")

    assert [line.name for line in detail.now if line.windowed] == ["service_level"]


def test_the_worst_queue_comes_first() -> None:
    ordered = [(row.queue, row.channel) for row in rows_of(wall(), "30m")]

    assert ordered[:2] == [("support", "voice"), ("vip", "voice")]
    assert ordered[-1] == ("night line", "voice")


def test_of_equals_the_one_who_waits_longest_comes_first() -> None:
    short, long, none = a_queue("a", waited=5), a_queue("b", waited=9), a_queue("c")

    for order in itertools.permutations([short, long, none]):
        assert [row.queue for row in rows_of(a_board(*order), "5m")] == ["b", "a", "c"]


def test_a_picture_does_not_change_because_time_goes_by() -> None:
    earlier = a_queue(waited=5)
    later = msgspec.structs.replace(earlier, longest_wait=earlier.longest_wait and 2 * earlier.longest_wait)

    assert picture_of(a_board(earlier), FAMILIES, "5m", ticking=True) == picture_of(
        a_board(later), FAMILIES, "5m", ticking=True
    )
    assert picture_of(a_board(earlier), FAMILIES, "5m") != picture_of(a_board(later), FAMILIES, "5m")


@pytest.mark.parametrize("window", ["30m", "7d", ALL])
def test_each_panel_tells_in_which_windows_its_rows_can_be_had(window: str) -> None:
    windows = {name: panel.windows for name, panel in document_of(wall(), FAMILIES, window, ()).panels.items()}

    assert windows == {
        **dict.fromkeys(("contacts", "agents"), LIVE_WINDOWS),
        **dict.fromkeys(("cases", "surveys"), ("today", "7d", "30d", "90d")),
        "customers": ("today", "7d", "30d", "90d", "month", "quarter"),
    }
