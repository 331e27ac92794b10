"""A customer who is to be forgotten: nothing is kept of whom, and all that was counted stays."""

import pytest

from stream.core.family import Applied
from stream.core.identity import CustomerKeys
from stream.families.customers.fold import CustomersFold
from stream.families.customers.tables import CART_ROWS, CUSTOMER_COUNTS, CUSTOMER_ROWS
from tests.families.customers.told import (
    EVERYBODY,
    SUPPORT,
    apply,
    counts_of,
    customers_fold_of,
    figure,
    of_plan,
    on,
    snapshots_of,
    told,
)

KEYS = CustomerKeys(b"k" * 32)

LIFE = """
1 09:00 joined    ann plan=basic monthly=10
2 09:00 purchased ann order=o1 amount=100
3 09:00 contacted ann contact=k1
3 10:00 solved    ann contact=k1
3 11:00 asked     ann survey=s1
4 09:00 active    ann
"""
FORGOTTEN = "5 09:00 forgotten ann"

JOINED = "customer_window_joined"


def rows_written(fold: CustomersFold) -> dict[bytes, bytes | None]:
    """Return by key what the next checkpoint writes to the changelogs of customers and carts; None: a tombstone."""
    written: dict[bytes, bytes | None] = {}
    for name, codec in (("customers", CUSTOMER_ROWS), ("carts", CART_ROWS), ("customer_counts", CUSTOMER_COUNTS)):
        for key, row in fold.tables[name].drain_changed():
            written[codec.encode_key(key)] = None if row is None else codec.encode_row(row)
    return written


def test_a_customer_who_was_there_is_lost_by_it_and_what_was_counted_stays() -> None:
    before, fold = customers_fold_of(told(LIFE)), customers_fold_of(told(LIFE + FORGOTTEN))
    for part in (EVERYBODY, of_plan("basic")):
        was, now = (snapshots_of(one, on(5))[part] for one in (before, fold))
        of_who_is_there = {"gained", "monthly_gained", "monthly_change"}
        stays = {name: number for name, number in counts_of(was, "30d").items() if name not in of_who_is_there}

        assert stays.keys() >= {"joined", "purchases", "revenue", "came_by"}
        assert counts_of(now, "30d") == stays | {"left": 1}
        assert (now.present, now.monthly, now.revenue, now.active) == (0, 0, 0, ((0, 0, 0),) * 5)
    assert snapshots_of(fold, on(5))[SUPPORT] == snapshots_of(before, on(5))[SUPPORT]
    assert figure(fold, on(20), "fcr_ratio", "30d", SUPPORT) == 1


@pytest.mark.parametrize("batch", [1, 7])
def test_churn_knows_a_customer_who_was_there_at_the_start_and_was_forgotten(batch: int) -> None:
    fold = customers_fold_of(told("-40 09:00 joined ann\n-40 09:00 joined bob\n5 09:00 forgotten ann"), batch=batch)

    assert figure(fold, on(20), "customers") == 1
    assert figure(fold, on(20), "churn_ratio", "month") == 1 / 2


@pytest.mark.parametrize("when", ["2 09:00", "1 12:00", "5 09:00"])
def test_who_became_a_customer_by_buying_is_lost_also_where_that_is_told_late_or_at_the_same_instant(when: str) -> None:
    fold = customers_fold_of(told(f"2 09:00 purchased ann order=o1 amount=100\n{when} forgotten ann"))

    assert figure(fold, on(20), "customers") == 0
    assert figure(fold, on(20), JOINED, "month") == figure(fold, on(20), "customer_window_left", "month") == 1
    assert figure(fold, on(20), "customer_window_lost", "month") == 0
    assert figure(fold, on(20), "customer_window_revenue", "month") == 100


def test_who_had_left_already_leaves_no_second_time() -> None:
    fold = customers_fold_of(told(LIFE + "4 10:00 left ann\n" + FORGOTTEN))

    assert figure(fold, on(20), "customer_window_left", "month") == 1


def test_of_somebody_unknown_nothing_is_kept_and_nothing_counts() -> None:
    fold = CustomersFold(keys=KEYS)
    applied: Applied = apply(fold, told(FORGOTTEN))
    fold.settle()

    assert applied.duplicates == 1
    assert rows_written(fold) == {}


def test_the_row_is_empty_at_once_and_goes_when_the_erasure_is_durable() -> None:
    events = told(LIFE + FORGOTTEN)
    fold = customers_fold_of(events, keys=KEYS)
    key = CUSTOMER_ROWS.encode_key(KEYS.digest("acme", "ann"))
    digest = f"{KEYS.digest('acme', 'ann')}".encode()

    written = rows_written(fold)
    assert written[key] is not None
    [empty] = fold.customers.values()
    assert (empty.history, empty.places, empty.membership) == (b"", (), ("", "", ""))
    assert CUSTOMER_ROWS.decode_row(written.pop(key) or b"") == empty
    assert all(digest not in other and digest not in (row or b"") for other, row in written.items())

    fold.committed(len(events) - 1)  # the erasure itself is not committed
    fold.settle()
    assert rows_written(fold) == {}
    fold.committed(len(events))
    fold.settle()
    assert rows_written(fold) == {key: None}
    assert fold.customers == {}


def test_the_row_goes_also_when_the_worker_was_started_anew_in_between() -> None:
    events = told(LIFE + FORGOTTEN)
    fold, again = customers_fold_of(events), CustomersFold()
    for name in fold.tables:
        for key, row in fold.tables[name].items():
            again.tables[name].load(key, row)
    again.recovered()
    apply(again, told("6 09:00 active bob"), first=len(events))
    again.committed(len(events) + 1)
    again.settle()

    assert len(again.customers) == 1
    assert snapshots_of(again, on(5))[EVERYBODY].present == 0


def test_an_erasure_that_comes_again_after_a_crash_is_known() -> None:
    events = told(LIFE + FORGOTTEN)
    fold = customers_fold_of(events)
    shown = snapshots_of(fold, on(6))

    assert apply(fold, events).replayed == len(events)
    fold.settle()
    assert snapshots_of(fold, on(6)) == shown


def test_who_is_heard_of_again_is_somebody_new_with_no_past() -> None:
    events = told(LIFE + FORGOTTEN + "\n6 09:00 contacted ann contact=k2\n7 09:00 joined ann")
    fold = customers_fold_of(events)
    fold.committed(len(events))
    fold.settle()

    assert figure(fold, on(20), "customers") == 1
    assert figure(fold, on(20), "customer_window_first_joined", "month") == 2
    assert figure(fold, on(20), "repeat_ratio", "30d", SUPPORT) == 0
    assert len(fold.customers) == 1
    assert figure(fold, on(20), "customers", "", of_plan("basic")) == 0


def test_a_customer_known_by_an_older_key_is_forgotten_by_both() -> None:
    older, newer = b"o" * 32, b"n" * 32
    fold = customers_fold_of(told(LIFE), keys=CustomerKeys(older))
    again = CustomersFold(keys=CustomerKeys(newer, older))
    for name in fold.tables:
        for key, row in fold.tables[name].items():
            again.tables[name].load(key, row)
    again.recovered()
    apply(again, told(FORGOTTEN), first=10)
    again.committed(11)
    again.settle()

    keys = [CUSTOMER_ROWS.encode_key(CustomerKeys(one).digest("acme", "ann")) for one in (older, newer)]
    written = rows_written(again)
    # By the newer key nothing was ever written: there is nothing to take back.
    assert written[keys[0]] is None
    assert written.get(keys[1]) is None
    assert again.customers == {}
