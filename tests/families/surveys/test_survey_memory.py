"""What is over goes from every table, by the time of events, and never before a replay can miss it."""

from datetime import datetime, timedelta

import pytest

from stream.core.cloudevents import Event
from stream.core.policies import Policies, Rule
from stream.families.surveys.fold import SurveysFold
from tests.families.surveys.told import counted, on, snapshots_of, survey_event, told


class Committing:
    """A fold whose every batch of one event is settled, written and committed, as by a checkpoint."""

    def __init__(self, policies: Policies = Policies()) -> None:
        self.fold = SurveysFold(policies)
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

    @property
    def sizes(self) -> list[int]:
        """How many rows each table has."""
        return [len(rows) for rows in self.fold.tables.values()]


def asked(subject: str, at: datetime, **data: str) -> Event:
    return survey_event("invited", subject, at, customer=f"of-{subject}", **data)


def test_surveys_go_after_a_hundred_days() -> None:
    life = Committing()
    life.tell(asked("s1", on(1)))
    kept = {}
    for day in (101, 102):
        life.tell(survey_event("answered", f"a{day}", on(day), score=5))
        kept[day] = "s1" in {key[3] for key in life.fold.surveys}

    assert kept == {101: True, 102: False}


def test_a_survey_that_was_heard_of_again_stays_as_long_from_then_on() -> None:
    life = Committing()
    life.tell(asked("s1", on(1)), survey_event("answered", "s1", on(90), score=5))
    life.tell(survey_event("answered", "other", on(150), score=5), survey_event("changed", "s1", on(151), score=1))
    [sales] = snapshots_of(life.fold, on(151))

    assert counted(sales, "90d").csat_answered == 2
    assert counted(sales, "90d").csat_satisfied == 1, "the answer of day 90 is taken back where it had counted"


def test_what_a_replay_may_bring_again_stays() -> None:
    life = Committing()
    life.tell(asked("s1", on(1)), commit=False)
    life.tell(survey_event("answered", "a", on(250), score=5), commit=False)
    assert len(life.fold.surveys) == 2

    life.fold.committed(life.position)
    life.tell(survey_event("answered", "b", on(251), score=5))
    assert {key[3] for key in life.fold.surveys} == {"a", "b"}


def test_days_of_a_queue_are_bounded_however_long_it_lives() -> None:
    life = Committing()
    for day in range(1, 400):
        life.tell(survey_event("answered", f"s{day}", on(day), score=5))

    assert sum(key[5] == "day" for key in life.fold.counts) == 182
    assert len(life.fold.surveys) == 101


def test_a_silent_queue_goes_from_every_table_while_others_go_on() -> None:
    life = Committing()
    life.tell(asked("s1", on(1), queue="gone", group="vip"))
    for day in range(2, 210):
        life.tell(survey_event("answered", f"s{day}", on(day), score=5))

    assert {key[1] for key in life.fold.counts} == {"sales"}
    assert "s1" not in {key[3] for key in life.fold.surveys}
    assert [*life.fold.queues] == [("acme", "sales")]


def test_a_silent_group_makes_room_for_another_one() -> None:
    life = Committing(Policies(rules=(Rule(changes={"survey_groups": 1}),)))
    life.tell(survey_event("answered", "s1", on(1), score=5, group="old"))
    for day in range(2, 210):
        life.tell(survey_event("answered", f"s{day}", on(day), score=5))
    life.tell(survey_event("answered", "new", on(211), score=5, group="new"))

    assert {one.group for one in snapshots_of(life.fold, on(211))} == {"", "new"}


def test_a_survey_that_turns_out_to_be_of_another_queue_is_kept_as_long_as_that_wants_it() -> None:
    life = Committing()
    life.tell(survey_event("answered", "s1", on(2), score=5, queue="second"))
    life.tell(survey_event("answered", "s1", on(1), score=4, queue="first"))
    for day in range(3, 111):
        life.tell(survey_event("answered", f"s{day}", on(day), score=5, queue="second"))
    life.tell(survey_event("changed", "s1", on(110, "13:00"), score=1, queue="third"))

    answered = {one.queue: counted(one, "all").csat_answered for one in snapshots_of(life.fold, on(111))}
    assert answered == {"first": 1, "second": 108}


def test_names_beyond_the_limit_share_a_queue_and_their_surveys_stay_apart() -> None:
    fold = SurveysFold(max_queues_per_tenant=1)
    events = [survey_event("answered", queue, on(1), score=5, queue=queue) for queue in ("first", "second", "third")]
    applied = fold.apply([*events, *events], range(6))

    assert (applied.overflowed, applied.duplicates) == (4, 3)
    answered = {one.queue: counted(one).csat_answered for one in snapshots_of(fold, on(1))}
    assert answered == {"first": 1, "(other)": 2}


@pytest.mark.parametrize("days", [0, 1, 200])
def test_a_recovery_in_the_middle_changes_nothing_of_what_is_kept(days: int) -> None:
    life = Committing()
    life.tell(*told("1 10:00 invited s1 customer=c group=vip\n2 10:00 answered s1 score=5"))
    at = on(2 + days)
    again = SurveysFold()
    for name, rows in life.fold.tables.items():
        for key, row in rows.items():
            again.tables[name].load(key, row)
    again.recovered()
    again.committed(life.position)
    later = [
        survey_event("answered", "late", at, score=1),
        survey_event("changed", "s1", at + timedelta(hours=1), score=2),
    ]
    for fold in (life.fold, again):
        fold.apply(later, range(life.position, life.position + len(later)))
        fold.settle()

    assert snapshots_of(again, at) == snapshots_of(life.fold, at)
    assert {name: [*rows] for name, rows in again.tables.items()} == {
        name: [*rows] for name, rows in life.fold.tables.items()
    }
