"""Rows and the changelog that is written of them: whatever was written last of a key is what the rows are."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.rows import Rows
from stream.families.contacts.tally import TallyRow

KEYS = st.integers(0, 4)
STEPS = st.lists(st.tuples(st.sampled_from(["put", "remove", "put under", "drain", "again"]), KEYS), max_size=60)


@given(STEPS)
def test_a_changelog_holds_the_rows_and_no_tombstone_of_what_it_never_held(steps: list[tuple[str, int]]) -> None:
    rows, log, written = Rows[int, TallyRow](), dict[int, TallyRow | None](), set[int]()
    for step, key in [*steps, ("drain", 0)]:
        match step:
            case "put":
                rows.put(key, TallyRow())
            case "remove":
                rows.remove(key)
            case "put under":
                rows.put_under(key, TallyRow())
            case "again":  # a write failed, or somebody else wrote this key
                rows.write_again([key])
                written.add(key)
            case "drain":
                for taken, row in rows.drain_changed():
                    assert row is not None or taken in written
                    log[taken] = row
                    written.add(taken)

    assert {key: row for key, row in log.items() if row is not None} == rows
    assert not rows.changed


def test_put_leaves_the_key_of_a_row_as_it_is_and_put_under_replaces_it() -> None:
    rows = Rows[tuple[str, int], TallyRow]()
    first, second, third = (("ann", int(visit)) for visit in ("1", "1", "1"))  # equal, and not the same object
    rows.put(first, TallyRow(1))
    rows.put(second, TallyRow(2))
    assert [key is first for key in rows] == [True]

    rows.put_under(third, TallyRow(3))

    assert [key is third for key in rows] == [True]
    assert rows.drain_changed() == [(("ann", 1), TallyRow(3))]


def test_a_row_that_comes_and_goes_between_two_checkpoints_is_not_written() -> None:
    rows = Rows[str, TallyRow]()
    rows.put("a", TallyRow())
    rows.remove("a")

    assert rows.drain_changed() == []


@pytest.mark.parametrize("put", [Rows.put, Rows.put_under])
def test_a_row_that_another_worker_may_have_written_leaves_a_tombstone(
    put: Callable[[Rows[str, TallyRow], str, TallyRow], None],
) -> None:
    rows = Rows[str, TallyRow]()
    rows.contested = True
    put(rows, "a", TallyRow())
    rows.contested = False
    rows.remove("a")

    assert rows.drain_changed() == [("a", None)]
