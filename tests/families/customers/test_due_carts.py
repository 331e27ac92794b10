"""What is due later is what a list of it would say, whatever comes and goes."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stream.families.customers.due_carts import DueCarts

Due = tuple[int, int, int]
"""When, how many, and of what value."""

LAST = 2000
instants = st.integers(0, LAST)


def naive(dues: list[Due], at: int, until: int) -> tuple[int, int]:
    later = [due for due in dues if at < due[0] <= until]
    return sum(number for _, number, _ in later), sum(value for _, _, value in later)


def some(chance: random.Random, many: int) -> list[Due]:
    return [(chance.randrange(1, LAST), 1, chance.choice([0, 1, 99, 10**11])) for _ in range(many)]


class AsAList(RuleBasedStateMachine):
    """Hundreds come and go at a time, so that blocks part and vanish."""

    @initialize(chance=st.integers(0, 2**32).map(random.Random), many=st.sampled_from([0, 1, 3000]))
    def load(self, chance: random.Random, many: int) -> None:
        self.chance, self.forgotten = chance, -1
        self.dues, self.carts = some(chance, many), DueCarts()
        for due in self.dues:
            self.carts.load(*due)
        self.carts.loaded()

    @rule(many=st.integers(1, 700))
    def add(self, many: int) -> None:
        for due in some(self.chance, many):
            self.carts.add(*due)
            self.dues.append(due)

    @rule(share=st.floats(0, 1))
    def remove(self, share: float) -> None:
        self.chance.shuffle(self.dues)
        gone = round(share * len(self.dues))
        for due in self.dues[:gone]:
            self.carts.remove(*due)
        del self.dues[:gone]

    @rule(share=st.floats(0, 1))
    def move(self, share: float) -> None:
        for place in range(round(share * len(self.dues))):
            due, number, value = self.dues[place]
            self.carts.remove(due, number, value)
            self.dues[place] = (due + 7, number, value)
            self.carts.add(*self.dues[place])

    @rule(until=instants)
    def forget(self, until: int) -> None:
        self.carts.forget(until)
        self.forgotten = max(self.forgotten, until)

    @rule(at=instants, until=instants)
    def read(self, at: int, until: int) -> None:
        at = max(at, self.forgotten)
        assert self.carts.after(at, until) == naive(self.dues, at, until)

    @invariant()
    def nothing_is_kept_that_nobody_can_read(self) -> None:
        if hasattr(self, "carts"):
            assert len(self.carts) == len({due for due, *_ in self.dues if due > self.forgotten})


TestAsAList = AsAList.TestCase
TestAsAList.settings = settings(max_examples=30, stateful_step_count=20)


@pytest.mark.parametrize(("at", "until", "due"), [(9, 20, 2), (10, 20, 1), (10, 19, 0), (9, 10, 1), (20, 10, 0)])
def test_due_is_what_comes_after_the_instant_up_to_the_end_and_with_it(at: int, until: int, due: int) -> None:
    carts = DueCarts()
    carts.add(10, 1, 500)
    carts.add(20, 1, 700)

    assert carts.after(at, until)[0] == due


def test_number_and_value_may_come_and_go_by_themselves() -> None:
    carts = DueCarts()
    carts.add(10, 1, 0)
    carts.add(10, 0, 500)
    carts.remove(10, 1, 0)
    assert carts.after(0, 99) == (0, 500)

    carts.remove(10, 0, 500)
    assert (carts.after(0, 99), len(carts)) == ((0, 0), 0)


def test_what_is_forgotten_may_be_removed_and_nothing_owes() -> None:
    carts = DueCarts()
    carts.add(10, 1, 500)
    carts.forget(10)
    carts.remove(10, 1, 500)
    carts.add(9, 1, 1)
    carts.forget(5)

    assert (carts.after(10, 99), len(carts)) == ((0, 0), 0)


@given(st.lists(st.tuples(instants, st.just(1), st.integers(0, 9)), max_size=50), instants, instants)
def test_what_is_added_after_a_restart_adds_to_what_was_loaded(dues: list[Due], at: int, until: int) -> None:
    carts = DueCarts()
    for number, due in enumerate(dues):
        (carts.load if number % 2 else carts.add)(*due)
    carts.loaded()

    assert carts.after(at, until) == naive(dues, at, until)
    assert len(carts) == len(Counter(due for due, *_ in dues))
