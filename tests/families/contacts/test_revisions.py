"""What a call system corrects: of two reports of a kind the one of the higher revision stands, whenever it comes."""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event
from stream.families.contacts.snapshot import QueueSnapshot
from tests.timeline import after, fold_of, sales, shown, story

AT = after("20:00")

FIRST = """
    00:00  enqueued      ann  revision=1
    00:10  answered      ann  revision=1
    03:10  ended         ann  revision=1  talk_ms=180000  hold_ms=0  wrapup=true
    03:40  wrapup_ended  ann  revision=1
    """

CORRECTED = """
    00:00  enqueued      ann  revision=7
    00:15  answered      ann  revision=7
    03:20  ended         ann  revision=7  talk_ms=145000  hold_ms=40000  wrapup=true
    03:45  wrapup_ended  ann  revision=7
    """

LIVE = """
    00:00  enqueued      ann
    00:09  answered      ann
    03:09  ended         ann  talk_ms=180000  wrapup=true
    """


def board(events: list[Event], batch: int = 1000) -> list[QueueSnapshot]:
    return shown(fold_of(events, batch=batch), AT)


@pytest.mark.parametrize("parts", [*permutations([FIRST, CORRECTED, LIVE])])
def test_the_last_correction_stands_in_whatever_order_it_comes(parts: tuple[str, ...]) -> None:
    total = sales("\n".join(parts), at="20:00").total

    assert (total.offered, total.answered, total.handled) == (1, 1, 1)
    assert (total.answer_wait_ms, total.talk_ms, total.hold_ms, total.wrapup_ms) == (15_000, 145_000, 40_000, 25_000)


@given(st.permutations(story(LIVE) + story(FIRST) + story(CORRECTED)), st.integers(1, 12))
def test_neither_order_nor_batches_matter(events: list[Event], batch: int) -> None:
    alone = sales(CORRECTED, at="20:00")

    assert [queue.total for queue in board(events)] == [alone.total]
    assert board(events, batch) == board(events, 1)


def test_a_correction_is_taken_back_once_and_one_that_changes_nothing_never() -> None:
    corrected, same = sales(FIRST + CORRECTED, at="20:00"), sales(FIRST + FIRST.replace("=1 ", "=2 "), at="20:00")

    assert corrected.counted.taken_back
    assert not same.counted.taken_back


def test_only_what_was_told_anew_is_corrected() -> None:
    total = sales(LIVE + "00:20  answered  ann  revision=1\n", at="20:00").total

    assert (total.offered, total.answered, total.answer_wait_ms) == (1, 1, 20_000)


def test_of_one_revision_the_earliest_stands() -> None:
    told = story("00:00 enqueued ann\n00:20 answered ann revision=3\n00:30 answered ann revision=3")

    for events in permutations(told):
        assert board([*events])[0].total.answer_wait_ms == 20_000


def test_an_abandon_is_corrected_to_an_answer_of_the_same_instant() -> None:
    told = story("00:00 enqueued ann\n00:30 abandoned ann revision=1\n00:30 answered ann revision=2")

    for events in permutations(told):
        total = board([*events])[0].total
        assert (total.answered, total.abandoned) == (1, 0)


@pytest.mark.parametrize("kind", ["transferred", "blocked"])
def test_what_happens_seldom_is_corrected_as_well(kind: str) -> None:
    also = {"transferred": "kind=blind", "blocked": "reason=full"}[kind]
    told = story(f"00:30 {kind} ann {also}\n09:30 {kind} ann {also} revision=2\n05:30 {kind} ann {also} revision=1")

    for events in permutations(told):
        windows = board([*events])[0].windows
        figure = {"transferred": "transferred_out", "blocked": "blocked_full"}[kind]
        assert [getattr(windows[name], figure) for name in ("5m", "15m")] == [0, 1]
        assert getattr(shown(fold_of([*events]), after("14:00"))[0].windows["5m"], figure) == 1


@given(st.randoms(use_true_random=False))
def test_holds_and_offers_have_no_revision(chance: random.Random) -> None:
    told = story("""
        00:00  enqueued     ann
        00:05  offer_ended  ann  result=missed  revision=2
        00:09  answered     ann
        01:00  held         ann  revision=5
        01:30  resumed      ann
        03:09  ended        ann
        """)
    chance.shuffle(told)

    (queue,) = board(told)
    assert (queue.total.hold_ms, queue.total.offers_missed) == (30_000, 1)
