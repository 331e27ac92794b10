"""What events of cases make of the figures of queues: stories, and laws that hold for any."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.app.policy_file import policies_of
from stream.core.cloudevents import Event
from stream.families.cases.fold import OPEN_CASES_KEPT, CasesFold
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.cases.tables import CASES, COUNTS
from stream.families.cases.tally import CaseTally
from tests.families.cases.stories import DAY, HOUR, NINE, board_of, case, counted, folded, only

OFFICE = policies_of(
    """
    [defaults]
    opening_hours = ["Mon-Fri 08:00-16:00"]
    first_response_target_seconds = 14400
    """,
    "policies.toml",
)


def test_open_cases_wait_grow_old_and_are_due() -> None:
    fold = folded(
        [
            case("opened", 0, "1"),
            case("opened", 2, "2", priority="urgent"),
            case("opened", 3, "3"),
            case("sent", 4, "3"),
        ]
    )

    now = only(fold, NINE + 7.5 * HOUR)

    assert (now.open, now.waiting, now.waiting_since) == (3, 2, NINE)
    assert (now.past_target, now.due_within_hour) == (0, 1)
    assert (now.by_priority, now.by_age) == ((0, 2, 0, 1), (3, 0, 0, 0, 0))
    later = only(fold, NINE + 9 * HOUR)
    assert (later.past_target, later.due_within_hour) == (1, 0)
    assert only(fold, NINE + 4 * DAY).by_age == (0, 0, 3, 0, 0)


def test_at_night_no_business_time_passes_and_nobody_is_late() -> None:
    # Monday 13:00; the target of four hours is up on Tuesday at 9:00.
    fold = folded([case("opened", 4)], OFFICE)

    assert only(fold, NINE + 15 * HOUR).past_target == 0
    assert only(fold, NINE + 23.5 * HOUR).due_within_hour == 1
    assert only(fold, NINE + 24 * HOUR).past_target == 0
    assert only(fold, NINE + 24 * HOUR + timedelta(milliseconds=1)).past_target == 1


def test_who_wrote_before_the_morning_is_within_the_target_all_evening() -> None:
    """Four hours of business time have passed at noon, and not a millisecond more until the next morning."""
    policies = policies_of(
        '[defaults]\nopening_hours = ["Mon-Fri 08:00-12:00"]\nfirst_response_target_seconds = 14400', "p.toml"
    )
    fold = folded([case("opened", -6)], policies)

    assert only(fold, NINE + 10 * HOUR).past_target == 0
    assert only(fold, NINE + 23 * HOUR + timedelta(milliseconds=1)).past_target == 1


def test_a_response_has_its_time_by_the_calendar_and_while_the_queue_is_served() -> None:
    fold = folded([case("opened", 4), case("sent", 24)], OFFICE)

    assert counted(fold, NINE + DAY) == {
        "sent": 1,
        "first_responses": 1,
        "first_responses_ms": 20 * 3_600_000,
        "first_responses_business_ms": 4 * 3_600_000,
        "first_responses_in_target": 1,
    }


def test_a_case_that_is_deleted_takes_back_all_it_counted_for() -> None:
    fold = folded([case("opened", 0), case("sent", 1), case("resolved", 2), case("deleted", 3, reason="spam")])

    assert counted(fold, NINE + 4 * HOUR) == {"spam": 1}
    assert only(fold, NINE + 4 * HOUR).open == 0


def test_a_reassigned_case_counts_for_the_queue_that_did_it() -> None:
    fold = folded([case("opened", 0), case("assigned", 1), case("sent", 2), case("resolved", 3)])

    assert counted(fold, NINE + 4 * HOUR) == {"opened": 1, "assigned": 1, "reassigned": 1}
    assert counted(fold, NINE + 4 * HOUR, queue="billing").keys() >= {
        "assigned",
        "assigned_resolved",
        "first_responses",
    }


def test_the_earliest_report_of_how_a_case_came_in_says_by_which_channel() -> None:
    """All that it counted for moves there, whichever is heard of first; and a queue is one, by whatever channel."""
    told = [
        case("opened", 0, channel="chat"),
        case("opened", 1, channel="email"),
        case("assigned", 2, queue="support"),
        case("sent", 3),
    ]
    for events in (told, told[::-1]):
        fold = folded(events)
        (shown,) = (one for one in board_of(fold, NINE + 4 * HOUR) if one.open)

        assert (shown.channel, shown.open) == ("chat", 1)
        assert counted_of(shown) == {"opened": 1, "assigned": 1, "sent": 1, "first_responses": 1}


def test_a_case_moves_with_its_channel_when_another_queue_turns_out_to_have_opened_it() -> None:
    fold = folded([case("opened", 1, queue="billing", channel="voice"), case("sent", 2)])
    fold.apply([case("opened", 0, queue="support", channel="email")], [2])

    shown = {(one.queue, one.channel): counted_of(one) for one in board_of(fold, NINE + 3 * HOUR)}
    assert {place: counts for place, counts in shown.items() if counts} == {
        ("support", "email"): {"opened": 1, "assigned": 1, "sent": 1, "first_responses": 1}
    }


def test_the_policy_of_the_time_of_counting_is_that_by_which_it_is_taken_back() -> None:
    """Else a changed policy would leave a remainder of what was counted by the old one."""
    rows = folded([case("opened", 4), case("sent", 24)], OFFICE)
    after = CasesFold()
    load(after, written(rows))
    after.apply([case("deleted", 25)], [10])

    assert counted(after, NINE + 26 * HOUR) == {"deleted": 1}


def test_an_answer_after_two_hundred_days_counts_and_what_is_older_than_every_window_is_late() -> None:
    events = [case("opened", 0), case("opened", NINE + 200 * DAY, "other"), case("sent", NINE + 200 * DAY)]
    fold = folded(events)
    late = fold.apply([case("opened", NINE + 5 * DAY, "late")], [9]).late

    assert counted(fold, NINE + 200 * DAY)["first_responses_ms"] == 200 * DAY // timedelta(milliseconds=1)
    assert late == 1
    assert only(fold, NINE + 200 * DAY).open == 3


def test_an_event_that_is_a_day_late_counts_where_it_belongs() -> None:
    fold = folded([case("opened", 0), case("opened", NINE + 1 * DAY, "2"), case("sent", 2)])

    assert counted(fold, NINE + DAY) == {"opened": 1, "assigned": 1}
    assert counted(fold, NINE + DAY, "7d")["first_responses"] == 1


def test_an_open_case_of_which_nothing_was_heard_for_long_is_open_no_more() -> None:
    fold = folded([case("opened", 0)])
    fold.apply([case("opened", NINE + OPEN_CASES_KEPT + DAY, "2")], [1])
    fold.committed(2)
    fold.settle()

    assert only(fold, NINE + OPEN_CASES_KEPT + DAY).open == 1
    assert [*fold.cases] == [("acme", "2")]


def test_queues_beyond_the_limit_share_one() -> None:
    fold = folded(
        [case("opened", number, str(number), queue=f"q{number}") for number in range(5)], max_queues_per_tenant=2
    )

    assert {one.queue: one.open for one in board_of(fold, NINE + 5 * HOUR)} == {"q0": 1, "q1": 1, "(other)": 3}


def test_a_note_and_a_repeat_change_nothing() -> None:
    fold = folded([case("opened", 0)])
    applied = fold.apply([case("sent", 1, public=False), case("opened", 0)], [1, 2])

    assert (applied.duplicates, only(fold, NINE + HOUR).waiting) == (1, 1)


# Laws.

NAMES = ("1", "2", "3")
QUEUES = ("support", "billing")

_told: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "opened": st.fixed_dictionaries(
        {
            "queue": st.sampled_from(QUEUES),
            "channel": st.sampled_from(["email", "email", "chat"]),
            "opened_by": st.sampled_from(["customer", "agent", "system"]),
            "priority": st.sampled_from(["normal", "normal", "urgent"]),
            "split_from": st.sampled_from([None, None, "9"]),
        }
    ),
    "assigned": st.fixed_dictionaries({"queue": st.sampled_from(QUEUES)}),
    "changed": st.fixed_dictionaries(
        {
            "status": st.sampled_from([None, "new", "open", "pending", "on_hold"]),
            "priority": st.sampled_from([None, "low", "high"]),
        }
    ),
    "received": st.fixed_dictionaries({"automatic": st.booleans(), "message": st.sampled_from(["a", "b"])}),
    "sent": st.fixed_dictionaries(
        {
            "public": st.sampled_from([True, True, False]),
            "author": st.sampled_from(["agent", "agent", "bot"]),
            "message": st.sampled_from(["a", "b"]),
        }
    ),
    "deleted": st.fixed_dictionaries({"reason": st.sampled_from(["deleted", "spam"])}),
    **{name: st.just({}) for name in ("resolved", "reopened", "closed", "merged")},
}
_kinds = st.sampled_from([*(name for name in _told if name not in {"merged", "deleted"})] * 4 + ["merged", "deleted"])

_hours = st.integers(0, 60 * 24)
_moments = st.integers(0, 3).map(lambda seconds: seconds / 3600)
"""Few of them: of most reports there is another one of the same instant, as of systems that count seconds."""


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Reports of a few cases over sixty days, or within some seconds."""
    found = []
    for _ in range(draw(st.integers(1, 25))):
        kind = draw(_kinds)
        found.append(
            case(kind, NINE + draw(_hours | _moments) * HOUR, draw(st.sampled_from(NAMES)), **draw(_told[kind]))
        )
    return found


def written(fold: CasesFold) -> list[tuple[str, bytes, bytes | None]]:
    """Return what a checkpoint writes, as bytes."""
    fold.settle()
    return [
        (name, codec.encode_key(key), None if row is None else codec.encode_row(row))
        for name, codec in (("counts", COUNTS), ("cases", CASES))
        for key, row in fold.tables[name].drain_changed()
    ]


def counted_of(shown: CasesSnapshot) -> dict[str, int]:
    """What a queue has counted today, without lengths."""
    tally = shown.counted.window("today", CaseTally)
    numbers = {
        name: getattr(tally, name)
        for name in CaseTally.__struct_fields__
        if not name.endswith(("_in", "_ms", "_target"))
    }
    return {name: number for name, number in numbers.items() if number}


def load(fold: CasesFold, rows: Sequence[tuple[str, bytes, bytes | None]]) -> None:
    codecs: dict[str, Any] = {"counts": COUNTS, "cases": CASES}
    for name, key, row in rows:
        codec = codecs[name]
        fold.tables[name].load(codec.decode_key(key), None if row is None else codec.decode_row(row))
    fold.recovered()


def end_of(told: Sequence[Event]) -> Any:
    return max(event.time for event in told) + HOUR


def figures(fold: CasesFold, at: Any) -> dict[Any, Any]:
    """Everything a board shows, of queues that show something."""
    shown = {}
    for one in board_of(fold, at):
        windows = {name: one.counted.window(name, CaseTally) for name in (*one.counted.windows,)}
        state = one.open, one.waiting, one.waiting_since, one.by_status, one.by_priority, one.by_age
        if any(tally != CaseTally() for tally in windows.values()) or one.open:
            shown[one.key] = (windows, state)
    return shown


@given(events(), st.data())
def test_neither_order_nor_repetition_nor_batches_matter(told: list[Event], data: st.DataObject) -> None:
    again = [*data.draw(st.permutations(told)), *data.draw(st.lists(st.sampled_from(told), max_size=5))]
    fold = CasesFold()
    for offset, event in enumerate(again):
        fold.apply([event], [offset])

    assert figures(fold, end_of(told)) == figures(folded(told), end_of(told))


@given(events(), st.data())
def test_after_a_crash_at_any_place_figures_are_those_of_no_crash(told: list[Event], data: st.DataObject) -> None:
    """Rows may be ahead of the committed offset, and those of one table ahead of the other's."""
    first, lives = CasesFold(), []
    committed = 0
    log: list[tuple[str, bytes, bytes | None]] = []
    while committed < len(told):
        lives.append(committed)
        upto = data.draw(st.integers(committed + 1, len(told)))
        first.apply(told[committed:upto], range(committed, upto))
        rows = written(first)
        log += rows[: data.draw(st.integers(0, len(rows)))]  # the crash comes while a checkpoint is written
        if data.draw(st.booleans()) or len(lives) > 4:
            log += rows
            committed = upto
            first.committed(committed)
        first = CasesFold()
        load(first, log)
    first.apply(told[committed:], range(committed, len(told)))

    assert figures(first, end_of(told)) == figures(folded(told), end_of(told))


@given(events())
def test_the_parts_of_partitions_add_up(told: list[Event]) -> None:
    parts = [folded(event for event in told if event.subject == name) for name in NAMES]
    at = end_of(told)
    together: dict[Any, Any] = {}
    for part in parts:
        for one in board_of(part, at):
            together[one.key] = together[one.key] + one if one.key in together else one
    whole = {one.key: one for one in board_of(folded(told), at)}

    assert {
        key: (one.open, one.waiting, one.by_age, one.counted.window("7d", CaseTally)) for key, one in together.items()
    } == {key: (one.open, one.waiting, one.by_age, one.counted.window("7d", CaseTally)) for key, one in whole.items()}


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_below_zero_whatever_comes(seed: int) -> None:
    chance = Random(seed)
    told = [case(chance.choice([*_told]), chance.uniform(0, 24 * 120), str(chance.randrange(30))) for _ in range(2000)]
    fold = folded(told)

    for one in board_of(fold, NINE + 121 * DAY):
        for window in one.counted.windows:
            tally = one.counted.window(window, CaseTally)
            numbers = [getattr(tally, name) for name in CaseTally.__struct_fields__]
            assert all(min(number) >= 0 if isinstance(number, list) else number >= 0 for number in numbers)
        assert min(*one.by_status, *one.by_priority, *one.by_age) >= 0
        assert one.open == sum(one.by_status) == sum(one.by_age)
