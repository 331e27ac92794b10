"""The job that peers are measured with is ours: their fold answers what our fold answers."""

import pytest

from bench.material import Sent, material
from bench.peers.answers import oracle, wrong_answers
from stream.families.contacts.fold import ContactsFold
from stream.families.registry import DECODER

EVENTS = 3000


@pytest.fixture(scope="module")
def day() -> list[Sent]:
    return material(EVENTS, 5, 1).by_partition[0]


def test_the_job_of_the_peers_counts_what_a_floor_counts_although_events_are_repeated(day: list[Sent]) -> None:
    values = [record.value for index, record in enumerate(day) for _ in range(1 + (index % 3 == 0))]
    fold = ContactsFold()
    fold.apply([DECODER.decode(value) for value in values], range(len(values)))

    sums = {key[:2]: sums for key, sums in oracle(values).items() if key[2] is None}
    fold.settle()
    totals = {key[1:3]: row.tally for key, row in fold.tallies.items() if key[3] == "total"}

    assert {
        key: (
            *(tally.offered, tally.answered, tally.answered_in_target, tally.answer_wait_ms),
            *(tally.abandoned, tally.handled, tally.handle_ms),
        )
        for key, tally in totals.items()
    } == sums
    assert len(sums) == 5


def test_an_answer_that_differs_or_is_missing_is_wrong(day: list[Sent]) -> None:
    right = oracle(record.value for record in day)
    key, tally = next((key, tally) for key, tally in right.items() if key[2] is not None)
    queue = (*key[:2], None)

    assert wrong_answers(right, right) == 0
    assert wrong_answers(right | {key: (*tally[:-1], tally[-1] + 1)}, right) == 1
    assert wrong_answers({known: figures for known, figures in right.items() if known != queue}, right) == 1
