"""What is known of customers stays bounded, goes when it is over, and names nobody."""

from datetime import timedelta

import pytest

from stream.core.cloudevents import Event
from stream.core.policies import Policies
from stream.families.customers.fold import CustomersFold
from stream.families.customers.history import MOST_KEPT, History
from stream.families.customers.tables import CUSTOMER_ROWS
from tests.families.customers.told import counts_of, customer_event, on, snapshots_of, told

EVERYBODY = ("", "", "", "")


class Committing:
    """A fold whose every batch of one event is settled, written and committed, as by a checkpoint."""

    def __init__(self, policies: Policies = Policies()) -> None:
        self.fold = CustomersFold(policies)
        self.position = 0

    def tell(self, *events: Event, commit: bool = True) -> None:
        for event in events:
            applied = self.fold.apply([event], [self.position])
            assert not applied.failed
            self.position += 1
            self.fold.settle()
            for rows in self.fold.tables.values():
                rows.drain_changed()
            if commit:
                self.fold.committed(self.position)

    def pass_days(self, first: int, last: int) -> None:
        """Let somebody else be seen, so that time passes."""
        for day in range(first, last + 1):
            self.tell(customer_event("active", "somebody-else", on(day)))

    @property
    def known(self) -> int:
        """How many customers are known beside the one by whom time passes."""
        return len(self.fold.customers) - 1


def test_a_customer_goes_when_nothing_was_heard_for_half_a_year_and_not_before() -> None:
    life = Committing()
    life.tell(customer_event("contacted", "c1", on(1), contact="k1"))
    kept = {}
    for day in (185, 186, 187, 188):
        life.pass_days(day, day)
        kept[day] = life.known

    assert kept == {185: 1, 186: 1, 187: 0, 188: 0}


def test_who_is_a_customer_stays_however_long_nothing_is_heard() -> None:
    life = Committing()
    life.tell(customer_event("joined", "c1", on(1), monthly=10))
    life.pass_days(300, 302)

    assert life.known == 1
    assert snapshots_of(life.fold, on(302))[EVERYBODY].present == 1


def test_a_visit_keeps_a_customer_as_a_contact_does() -> None:
    life = Committing()
    life.tell(customer_event("contacted", "c1", on(1), contact="k1"), customer_event("active", "c1", on(100)))
    life.pass_days(200, 201)
    assert life.known == 1

    life.pass_days(290, 291)
    assert life.known == 0


def test_what_a_replay_may_bring_again_stays() -> None:
    life = Committing()
    life.tell(customer_event("contacted", "c1", on(1), contact="k1"), commit=False)
    life.tell(customer_event("active", "somebody-else", on(250)), commit=False)
    assert life.known == 1

    life.fold.committed(life.position)
    life.pass_days(251, 252)
    assert life.known == 0


def test_who_asks_to_be_forgotten_leaves_nothing_but_an_offset_and_then_no_row() -> None:
    life = Committing()
    life.tell(*told("1 10:00 joined c1 plan=plus monthly=10\n2 10:00 contacted c1 contact=k1"))
    life.tell(customer_event("active", "somebody-else", on(3)))
    life.tell(customer_event("forgotten", "c1", on(4)), commit=False)
    [erased] = [row for row in life.fold.customers.values() if row.applied_offset == life.position - 1]

    assert (erased.history, erased.places, erased.membership) == (b"", (), ("", "", ""))
    life.fold.committed(life.position)
    life.pass_days(5, 6)
    assert life.known == 0
    assert snapshots_of(life.fold, on(6))[EVERYBODY].present == 0


def test_who_comes_again_after_being_forgotten_is_somebody_new() -> None:
    life = Committing()
    life.tell(customer_event("contacted", "c1", on(1), contact="k1"), commit=False)
    life.tell(customer_event("forgotten", "c1", on(2)), commit=False)
    life.tell(customer_event("contacted", "c1", on(3), contact="k2"))
    counts = counts_of(snapshots_of(life.fold, on(3))["support", "voice", "", ""], "7d")

    assert (counts["contacts"], counts.get("repeats", 0)) == (2, 0)
    assert len(life.fold.customers) == 1


def test_a_history_keeps_the_newest_touchpoints_and_counts_those_that_it_drops() -> None:
    life = Committing()
    for number in range(MOST_KEPT + 6):
        life.tell(customer_event("contacted", "c1", on(1) + timedelta(minutes=number), contact=f"k{number}"))
    [row] = life.fold.customers.values()

    # The first 64 are one run, of which a mark stays.
    assert len(History(row.history).touchpoints) == 1 + 6
    counts = counts_of(snapshots_of(life.fold, on(1, "23:00"))[EVERYBODY], "today")
    assert counts["dropped"] == MOST_KEPT


def test_a_history_keeps_what_was_paid_by_purchases_that_it_drops() -> None:
    life = Committing()
    for number in range(MOST_KEPT + 6):
        life.tell(
            customer_event("purchased", "c1", on(1) + timedelta(minutes=number), order=f"o{number}", amount=number)
        )
    [row] = life.fold.customers.values()
    everybody = snapshots_of(life.fold, on(1, "23:00"))[EVERYBODY]

    assert len(History(row.history).account) == MOST_KEPT
    assert everybody.revenue == sum(range(MOST_KEPT + 6)) * 100
    assert counts_of(everybody, "today")["dropped"] == 6


def test_contacts_of_years_leave_a_history_of_months() -> None:
    life = Committing()
    for week in range(120):
        life.tell(customer_event("contacted", "c1", on(1 + 7 * week), contact=f"k{week}"))
    [row] = life.fold.customers.values()

    assert len(History(row.history).touchpoints) == 1 + 185 // 7


def test_a_queue_that_was_silent_for_long_goes_and_counts_again_when_it_comes_back() -> None:
    life = Committing()
    life.tell(customer_event("contacted", "c1", on(1), contact="k1", queue="gone"))
    life.pass_days(2, 240)
    assert "gone" not in {key[1] for key in life.fold.counts}

    life.tell(customer_event("contacted", "c2", on(240, "13:00"), contact="k2", queue="gone"))
    counts = counts_of(snapshots_of(life.fold, on(240, "14:00"))["gone", "voice", "", ""], "7d")
    assert counts["contacts"] == 1


@pytest.mark.parametrize("personal", ["c-4711", "+386 41 555 555", "order-0815", "survey-12", "call-99"])
def test_no_row_of_a_customer_has_an_id_in_it(personal: str) -> None:
    life = Committing()
    life.tell(
        customer_event("joined", personal, on(1), plan="plus"),
        customer_event("contacted", personal, on(2), contact=personal),
        customer_event("purchased", personal, on(3), order=personal, amount=5),
        customer_event("asked", personal, on(4), survey=personal),
        customer_event("active", personal, on(5)),
    )
    [(key, row)] = life.fold.customers.items()

    assert personal.encode() not in CUSTOMER_ROWS.encode_key(key) + CUSTOMER_ROWS.encode_row(row)
