"""Rows are looked at once a day, some at a time."""

from stream.core.sweep import SWEPT_AT_ONCE, Sweep

NUMBER = 2 * SWEPT_AT_ONCE + 1


def test_every_key_is_given_out_once_a_day_some_at_a_time() -> None:
    sweep = Sweep(range(NUMBER))
    given, ends = [], []
    for _ in range(5):
        given.append(sweep.some(7))
        ends.append(sweep.has_ended)

    assert [len(some) for some in given] == [SWEPT_AT_ONCE, SWEPT_AT_ONCE, 1, 0, 0]
    assert [key for some in given for key in some] == [*range(NUMBER)]
    assert ends == [False, False, True, False, False]
    assert len(sweep.some(8)) == SWEPT_AT_ONCE


def test_a_day_that_begins_meanwhile_has_its_own_turn_afterwards() -> None:
    sweep = Sweep(range(NUMBER))
    sweep.some(7)

    assert [len(sweep.some(8)) for _ in range(5)] == [SWEPT_AT_ONCE, 1, SWEPT_AT_ONCE, SWEPT_AT_ONCE, 1]


def test_keys_that_come_while_a_table_is_swept_wait_for_the_next_day() -> None:
    table = {1: "a"}
    sweep = Sweep(table)

    assert [*sweep.some(7)] == [1]
    table[2] = "b"
    assert [*sweep.some(7)] == []
    assert [*sweep.some(8)] == [1, 2]


def test_of_an_empty_table_a_day_ends_at_once() -> None:
    sweep: Sweep[int] = Sweep({})

    assert [*sweep.some(7)] == []
    assert sweep.has_ended
    sweep.some(7)
    assert not sweep.has_ended
