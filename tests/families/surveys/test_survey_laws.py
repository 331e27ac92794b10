"""What must hold of all surveys, whatever order their events arrive in, and wherever a worker dies."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from stream.core.cloudevents import Event
from stream.core.family import Family
from stream.core.limits import NO_QUEUE
from stream.core.policies import Policies, Rule
from stream.families.surveys.events import SurveyAnswered, SurveyChanged, SurveyInvited
from stream.families.surveys.family import FAMILY
from stream.families.surveys.fold import SurveysFold
from stream.families.surveys.scales import SCALES
from stream.families.surveys.snapshot import SurveySnapshot
from tests.families.surveys.told import FIRST, counted, on, snapshots_of, survey_event, surveys_fold_of

pytestmark = pytest.mark.slow

END = on(80)

BY_AGENT = Policies(rules=(Rule(changes={"survey_by_agent": True}),))

chances = st.integers(0, 2**32).map(random.Random)
"""A seed, and not the numbers one by one: these would mostly be the simplest, and nothing ever be cut off."""

instants = st.integers(0, 70 * 24 * 12).map(lambda number: FIRST + timedelta(minutes=5 * number))


@st.composite
def surveys(draw: st.DrawFn, subject: str) -> list[Event]:
    """One survey or review, perhaps with reports missing, answers changed, and two told of one instant."""
    at, kind = draw(instants), draw(st.sampled_from(["csat", "ces", "nps", "review"]))
    moves = st.sampled_from(draw(st.sampled_from([["sales"], ["support"], ["sales", "support", "none"]])))
    """Perhaps the case goes to another queue, by the time of any of its reports."""
    place = {
        "channel": draw(st.sampled_from(["chat", "voice", "none"])),
        "group": draw(st.sampled_from(["none", "none", "vip", "shoes"])),
        "agent": draw(st.sampled_from(["none", "eva"])),
    }
    if kind == "review":
        return [
            survey_event("reviewed", subject, draw(later(at)), categories=draw(categories), queue=draw(moves), **place)
            for _ in range(draw(st.integers(1, 2)))
        ]
    customer = draw(st.sampled_from(["none", "c1", "c2"]))
    told = [survey_event("invited", subject, at, kind=kind, customer=customer, queue=draw(moves), **place)]
    scale = draw(st.sampled_from([*SCALES])) if kind != "nps" else "0-10"
    for one in ["answered", *draw(st.lists(st.sampled_from(["changed", "answered"]), max_size=2))]:
        low, high = SCALES[scale]
        answer = {"kind": kind, "scale": scale, "score": draw(st.integers(low, high)), "comment": draw(st.booleans())}
        told.append(survey_event(one, subject, draw(later(at)), queue=draw(moves), **answer, **place))
    return [one for one in told if draw(st.integers(0, 9))]


def later(at: datetime) -> st.SearchStrategy[datetime]:
    """Return the same instant, or one of the days after it."""
    return st.sampled_from([0, 0, 1, 600, 1440, 4000, 9000]).map(lambda minutes: at + timedelta(minutes=minutes))


categories = st.lists(
    st.builds(
        lambda score, weight, critical: {
            "name": "tone",
            "score": score,
            "max": 4,
            "weight": weight,
            "critical": critical,
        },
        st.one_of(st.none(), st.integers(0, 4)),
        st.integers(0, 3),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def months(draw: st.DrawFn) -> list[Event]:
    """The events of up to a dozen surveys, in the order of time."""
    told = [one for n in range(draw(st.integers(1, 12))) for one in draw(surveys(f"s{n}"))]
    return sorted(told, key=lambda one: one.time)


def figures(fold: SurveysFold) -> list[SurveySnapshot]:
    """Return what a fold shows at the end; what was taken back depends on the order, and nothing else."""
    return [replace(one, counted=replace(one.counted, taken_back=b"")) for one in snapshots_of(fold, END)]


def arrived(month: list[Event], chance: random.Random) -> list[Event]:
    """Return the events in any order, some of them more than once."""
    mixed = month + [one for one in month if chance.random() < 0.3]
    chance.shuffle(mixed)
    return mixed


@given(months(), chances)
def test_neither_order_nor_repetition_changes_a_figure(month: list[Event], chance: random.Random) -> None:
    assert with_something(figures(surveys_fold_of(arrived(month, chance), BY_AGENT))) == with_something(
        figures(surveys_fold_of(month, BY_AGENT))
    )


def with_something(snapshots: Iterable[SurveySnapshot]) -> list[SurveySnapshot]:
    """Leave out parts that counted something once and have nothing left: that depends on what was known when."""
    return [one for one in snapshots if any(counted(one, "all").pack())]


@given(months(), st.integers(1, 9), chances)
def test_the_size_of_batches_changes_nothing(month: list[Event], batch: int, chance: random.Random) -> None:
    mixed = arrived(month, chance)

    one_by_one = snapshots_of(surveys_fold_of(mixed, BY_AGENT, batch=1), END)
    assert snapshots_of(surveys_fold_of(mixed, BY_AGENT, batch=batch), END) == one_by_one


@given(months())
def test_what_is_counted_step_by_step_is_what_the_last_answers_say(month: list[Event]) -> None:
    """By a way of its own: of each survey the last answer, in the queue and on the day of its first."""
    answers: dict[str, list[Any]] = {}
    for one in month:
        if isinstance(one, SurveyAnswered | SurveyChanged) and one.data.kind == "nps":
            answers.setdefault(one.subject, []).append(one)
    last = [
        max(of, key=lambda one: (one.time, isinstance(one, SurveyChanged), one.data.score)) for of in answers.values()
    ]
    asked: dict[str, Any] = {}
    for one in month:
        if isinstance(one, SurveyInvited):
            asked.setdefault(one.subject, one)

    whole = [one for one in figures(surveys_fold_of(month)) if not one.group]
    shown = [counted(one, "all") for one in whole]
    assert sum(one.nps_answered for one in shown) == len(answers)
    assert sum(one.nps_promoters for one in shown) == sum(one.data.score >= 9 for one in last)
    assert sum(one.nps_detractors for one in shown) == sum(one.data.score <= 6 for one in last)
    assert sum(one.invited for one in shown) == len(asked)
    first = Counter(first_queue([asked[name], *of] if name in asked else of) for name, of in answers.items())
    found = Counter[str]()
    for snapshot, counts in zip(whole, shown, strict=True):
        found[snapshot.queue] += counts.nps_answered
    assert found == first


def first_queue(told: list[Any]) -> str:
    """Return the queue that the invitation names, else the earliest answer, else that of no queue."""
    named = [one for one in told if one.data.queue]
    order = min(named, key=lambda one: (not isinstance(one, SurveyInvited), one.time, one.data.queue), default=None)
    return NO_QUEUE if order is None else str(order.data.queue)


@given(chances)
def test_an_answer_that_is_changed_counts_once_wherever_its_case_is_by_then(chance: random.Random) -> None:
    queues = ["sales", "support", "billing"]
    told = [
        survey_event(chance.choice(["answered", "changed"]), "s1", on(day), score=score, queue=chance.choice(queues))
        for day, score in enumerate(chance.choices(range(1, 6), k=chance.randint(2, 6)), start=1)
    ]
    shown = snapshots_of(surveys_fold_of(arrived(told, chance)), END)

    tallies = {one.queue: counted(one, "all") for one in shown}
    assert {queue: one.csat_answered for queue, one in tallies.items() if one.csat_answered} == {told[0].data.queue: 1}
    assert tallies[told[0].data.queue].csat_satisfied == (told[-1].data.score >= 4)


@given(months())
def test_no_count_falls_below_nothing(month: list[Event]) -> None:
    for one in snapshots_of(surveys_fold_of(month, BY_AGENT), END):
        for found in (*one.windows.values(), counted(one, "all")):
            assert min(astuple(found)) >= 0
            assert found.csat_satisfied <= found.csat_answered
            assert found.nps_promoters + found.nps_detractors <= found.nps_answered
            assert found.responded <= found.answered


@given(months(), chances)
def test_crashes_anywhere_count_nothing_twice_and_lose_nothing(month: list[Event], chance: random.Random) -> None:
    """Many checkpoints, each cut off anywhere, commits that lag, repeats; rows go through their codecs."""
    told = arrived(month, chance)
    life = Life(told, FAMILY)
    while life.position < len(told):
        life.fold_some(chance.randint(1, 6))
        if chance.random() < 0.6:
            life.checkpoint(chance, whole=chance.random() < 0.6, folds_meanwhile=chance.randint(0, 6))
        if chance.random() < 0.2:
            life.crash()

    assert snapshots_of(life.fold, END) == snapshots_of(surveys_fold_of(told, BY_AGENT, batch=1), END)


class Life:
    """A fold, what a changelog holds of it, and where its source is committed."""

    def __init__(self, told: list[Event], family: Family[SurveySnapshot]) -> None:
        self.told = told
        self.codecs = family.tables
        self.fold = SurveysFold(BY_AGENT)
        self.position = self.committed = 0
        self.changelogs: dict[str, dict[bytes, bytes]] = {name: {} for name in self.codecs}

    def fold_some(self, count: int) -> None:
        events = self.told[self.position : self.position + count]
        if events:
            assert not self.fold.apply(events, range(self.position, self.position + len(events))).failed
            self.position += len(events)

    def checkpoint(self, chance: random.Random, *, whole: bool, folds_meanwhile: int) -> None:
        """Cut, fold on, write table by table, commit; unless *whole*, crash after some writes."""
        offset = self.position
        self.fold.settle()
        cut = {
            name: [
                (self.codecs[name].encode_key(key), None if row is None else self.codecs[name].encode_row(row))
                for key, row in rows.drain_changed()
            ]
            for name, rows in self.fold.tables.items()
        }
        self.fold_some(folds_meanwhile)
        writes = sum(map(len, cut.values())) if whole else chance.randint(0, sum(map(len, cut.values())))
        for name, rows in cut.items():
            chance.shuffle(rows)
            self._write(name, rows[:writes])
            writes = max(writes - len(rows), 0)
        if whole:
            self.committed = offset
            self.fold.committed(offset)
        else:
            self.crash()

    def _write(self, name: str, rows: list[tuple[bytes, bytes | None]]) -> None:
        for key, row in rows:
            if row is None:
                self.changelogs[name].pop(key, None)
            else:
                self.changelogs[name][key] = row

    def crash(self) -> None:
        """Begin anew from what was written, at what was committed."""
        self.fold = SurveysFold(BY_AGENT)
        for name, rows in self.changelogs.items():
            for key, row in rows.items():
                self.fold.tables[name].load(self.codecs[name].decode_key(key), self.codecs[name].decode_row(row))
        self.fold.recovered()
        self.position = self.committed
        self.fold.committed(self.committed)
