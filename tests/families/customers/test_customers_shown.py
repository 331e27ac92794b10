"""How a board shows and judges customers: enough to tell, the churn of 30 days, and what is no chance."""

import io
from typing import Any

import pytest
from rich.console import Console

from stream.board.terminal import print_board
from stream.board.view import panel_of, panels_of
from stream.core.family import Board
from stream.core.figure import Row
from stream.core.policies import Policies, Rule
from stream.families.customers.family import FAMILY
from stream.families.registry import FAMILIES
from tests.board.customers import EVENING, a_customer_board
from tests.families.customers.told import customers_fold_of, on, snapshots_of, told

FEW = {"customer_minimum": 2}

THREE_OF_WHOM_ONE_LEFT = """
    1 09:00 joined ann plan=plus
    1 09:00 joined bob plan=plus
    1 09:00 joined eve plan=basic
    25 09:00 left ann
"""


def rows_of(table: str, window: str, day: int, **changes: Any) -> dict[str, Row]:
    """What a list shows of a story at noon of a day, by plan, queue, or `everybody`."""
    policies = Policies(rules=(Rule(changes=changes),))
    snapshots = snapshots_of(customers_fold_of(told(table), policies), on(day))
    board = Board(at=on(day), snapshots={"customers": tuple(snapshots.values())})
    rows = panel_of(board, FAMILY, FAMILIES, window).rows
    return {row["plan"] or row["queue"] or "everybody": row for row in rows}


@pytest.mark.parametrize("window", ["today", "7d", "30d", "90d", "quarter"])
def test_churn_is_judged_by_that_of_30_days_in_every_window(window: str) -> None:
    # On day 40 she left 15 days ago: nobody was lost today, and one of three in 30 days.
    row = rows_of(THREE_OF_WHOM_ONE_LEFT, window, 40, churn_limit=0.2, **FEW)["everybody"]

    assert row["churn_30d"] == pytest.approx(1 / 3)
    assert row["judged"]["churn"] == row["state"] == "breached"
    assert row["churn_elsewhere"] == (None if window == "30d" else row["churn_30d"])


@pytest.mark.parametrize(("limit", "state"), [(0.2, "breached"), (0.4, "at_risk"), (0.5, "ok"), (None, "ok")], ids=str)
def test_churn_is_judged_by_the_limit_and_without_one_all_is_well(limit: float | None, state: str) -> None:
    changes = FEW | ({} if limit is None else {"churn_limit": limit})

    assert rows_of(THREE_OF_WHOM_ONE_LEFT, "30d", 40, **changes)["everybody"]["state"] == state


def test_of_too_few_customers_nothing_is_judged() -> None:
    judged = rows_of(THREE_OF_WHOM_ONE_LEFT, "30d", 40, churn_limit=0.2, customer_minimum=4)

    assert {row["state"] for row in judged.values()} == {"no_sample"}


CARTS = """
    1 09:00 cart.created one value=10
    1 10:00 cart.created two value=20
    1 10:10 cart.ordered two value=20 order=o-2
    5 09:00 cart.created three value=30
"""


def test_carts_are_judged_by_as_many_as_their_window_has() -> None:
    in_30_days, today = (rows_of(CARTS, window, 5, cart_abandonment_limit=0.6, **FEW) for window in ("30d", "today"))

    assert in_30_days["everybody"]["judged"]["cart_abandonment"] == "breached"  # two of three
    assert today["everybody"]["cart_abandonment"] == 1
    assert today["everybody"]["judged"] == {}, "one cart is too few"


def test_the_line_of_the_studies_is_told_where_carts_were_decided() -> None:
    assert rows_of(CARTS, "today", 5)["everybody"]["typical_abandonment"] == 0.63
    assert rows_of(THREE_OF_WHOM_ONE_LEFT, "today", 5)["everybody"]["typical_abandonment"] is None


def test_who_was_active_is_told_in_the_windows_of_which_it_is_known() -> None:
    story = """
        1 09:00 joined ann
        38 09:00 contacted ann contact=c1
        40 09:00 active ann
    """
    active = {window: rows_of(story, window, 40)["everybody"]["active"] for window in FAMILY.windows}

    assert {name: found.get("in_any_way") for name, found in active.items()} == {
        "today": 1,
        "7d": 1,
        "30d": 1,
        "90d": None,
        "month": None,
        "quarter": None,
    }
    assert (active["today"]["visit"], active["today"]["contact"], active["7d"]["contact"]) == (1, 0, 1)


def test_money_is_in_the_currency_of_its_row_and_queues_have_none() -> None:
    story = THREE_OF_WHOM_ONE_LEFT + "26 09:00 contacted bob contact=c1\n"
    rows = rows_of(story, "30d", 40, currency="CHF")

    assert {name: row["currency"] for name, row in rows.items()} == {
        "everybody": "CHF",
        "plus": "CHF",
        "basic": "CHF",
        "support": None,
    }


def test_changed_is_only_what_is_no_chance_the_most_first_with_its_margin_of_error() -> None:
    row = next(row for row in panels_of(a_customer_board(), FAMILIES, "90d")["customers"].rows if not row["queue"])
    changed = row["journey_changed"]

    assert changed.keys() <= row["journey_after"].keys()
    assert all(abs(more) > margin > 0 for more, margin in changed.values())
    assert [*changed.values()] == sorted(changed.values(), key=lambda of: -abs(of[0]))
    for channel, (more, _) in changed.items():
        assert more == pytest.approx(row["journey_after"][channel] - row["journey_usual"][channel])


def test_rows_of_one_state_begin_with_all_customers_and_end_with_queues() -> None:
    rows = panels_of(a_customer_board(), FAMILIES, "30d")["customers"].rows
    kinds = ["queue" if row["queue"] else "member" if row["plan"] or row["group"] else "everybody" for row in rows]
    states = [row["state"] for row in rows]

    for state in set(states):
        of_state = [kind for kind, one in zip(kinds, states, strict=True) if one == state]
        assert of_state == sorted(of_state, key=["everybody", "member", "queue"].index)
    lost = [
        row["churn"] for row, kind in zip(rows, kinds, strict=True) if kind == "member" and row["state"] == states[0]
    ]
    assert lost == sorted(lost, reverse=True)


# --- in a terminal ----------------------------------------------------------------------------------


def printed(width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    board = Board(at=EVENING, snapshots={"customers": a_customer_board().snapshots["customers"]})
    print_board(panels_of(board, FAMILIES, "30d"), FAMILIES, "30d", console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_terminal_names_all_customers_plans_groups_and_queues_in_one_column() -> None:
    lines = printed(200)

    assert lines[0].split()[:3] == ["queue", "channel", "state"]
    names = {line[:16].strip() for line in lines[1:-1]}
    assert {"(all)", "plan basic", "group business", "support", "support-chat"} <= names
    everybody = next(line for line in lines if line.startswith("(all)"))
    assert "EUR" in everybody
    assert "–" not in everybody, "what only queues have is left empty"


@pytest.mark.parametrize("width", range(45, 201, 5))
def test_lines_of_customers_never_wrap(width: int) -> None:
    lines = printed(width)

    assert len(lines) == 11
    assert all(len(line) <= width for line in lines)
