"""A list of responses is read round after round: each is told once, and each change as one."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.pulling.web_api import WebApi
from stream.sources.survey_lists import (
    ListCursor,
    ListPace,
    ResponseList,
    ResponsePage,
    SurveyAccount,
    ToldResponse,
)
from stream.sources.survey_questions import Question, QuestionScore, SurveyResponse
from tests.families.surveys.told import counted, figure, rated

FIRST = datetime(2026, 11, 1, 9, tzinfo=UTC)
NOW = FIRST + timedelta(days=9)
PAGE = 3


class _Given(Struct):
    id: str
    at: datetime
    score: int
    modified: datetime | None = None
    comment: bool = False


class System:
    """A system whose list can be changed, and what was told of it."""

    def __init__(self, reread: timedelta = timedelta(days=7), **account: Any) -> None:
        self.given: list[_Given | bytes] = []
        self.asked: list[tuple[datetime, int]] = []
        self.now = NOW
        self.always_more = False
        self.aside: list[BadLine] = []
        self.intake = Intake(self.aside.append)
        told = {"token_file": Path("token"), "since": date(2026, 11, 1), "poll_seconds": 60, "source_name": "/list"}
        self._account = SurveyAccount(**{**told, "queue": "sales", "channel": "chat", **account})
        self._pace = ListPace(begin=self._account.begin, reread=reread, remember=timedelta(days=7))
        self._api = WebApi("https://api.example.org", dict)
        self.cursor = ListCursor(self._account.begin)
        self.restart()

    def restart(self) -> None:
        """Go on with what is on the disk."""
        self.cursor = msgspec.json.decode(msgspec.json.encode(self.cursor), type=ListCursor)
        self._list = ResponseList(
            self._account, self.intake, fetch=self._fetch, read=self._read, pace=self._pace, clock=lambda: self.now
        )

    async def round(self) -> list[Event]:
        """Return what one round tells, page by page."""
        events: list[Event] = []
        more = True
        while more:
            page = await self._list.ask(self._api, self.cursor)
            events += page.events
            self.cursor, more = page.cursor, page.more
        return events

    async def rounds(self) -> list[Event]:
        """Return what is told within more than an hour."""
        events = await self.round()
        self.now += timedelta(hours=1)
        return events + [event for _ in range(2) for event in await self.round()]

    async def _fetch(self, _: WebApi, after: datetime, page: int) -> ResponsePage:
        self.asked.append((after, page))
        begin = (page - 1) * PAGE
        found = [each if isinstance(each, bytes) else msgspec.json.encode(each) for each in self.given]
        return ResponsePage(found[begin : begin + PAGE], self.always_more or begin + PAGE < len(found))

    def _read(self, raw: bytes) -> ToldResponse:
        told = msgspec.json.decode(raw, type=_Given)
        scores = [QuestionScore("csat", Question(kind="csat"), told.score)]
        return ToldResponse(
            response=SurveyResponse(id=told.id, scores=scores, at=told.at),
            told={"queue": self._account.queue, "channel": self._account.channel, "comment": told.comment},
            modified=told.modified,
        )


def given_at(number: int, score: int = 5, **fields: Any) -> _Given:
    """Return the response of a day: one each, from the first on."""
    return _Given(f"r{number}", FIRST + timedelta(days=number), score, **fields)


def said(events: Iterable[Event]) -> list[tuple[str, str, int]]:
    """Return what happened, to which survey, with which score."""
    kinds = {"SurveyAnswered": "answered", "SurveyChanged": "changed"}
    shown: list[Any] = [*events]
    return [(kinds[type(one).__name__], one.subject, one.data.score) for one in shown]


async def test_each_response_is_told_once_however_often_the_list_is_read() -> None:
    system = System()
    system.given = [given_at(number) for number in range(8)]

    events = await system.round()

    assert [subject for _, subject, _ in said(events)] == [f"r{number}/csat" for number in range(8)]
    assert [await system.round() for _ in range(3)] == [[], [], []]
    assert (system.intake.read, system.intake.used.total()) == (8, 8)


async def test_a_restart_tells_nothing_again() -> None:
    system = System()
    system.given = [given_at(1), given_at(2)]
    await system.round()

    system.restart()

    assert await system.round() == []


async def test_an_answer_that_changes_is_told_as_changed_when_that_is_seen() -> None:
    system = System()
    system.given = [given_at(7, 5)]
    (first,) = await system.round()
    system.given = [given_at(7, 2)]
    system.now = NOW + timedelta(hours=1)

    (changed,) = await system.round()

    assert said([first, changed]) == [("answered", "r7/csat", 5), ("changed", "r7/csat", 2)]
    assert (first.time, changed.time) == (FIRST + timedelta(days=7), system.now)
    assert (first.id, changed.id) == ("r7/csat", "r7/csat/2026-11-10T10:00:00+00:00")
    assert await system.round() == []


async def test_an_answer_that_changes_is_of_when_the_system_says_that_it_did() -> None:
    at = FIRST + timedelta(days=8)
    told = []
    for _ in range(2):
        system = System()
        system.given = [given_at(7, 5)]
        await system.round()
        system.given = [given_at(7, 2, modified=at)]
        told += await system.round()

    assert [event.time for event in told] == [at, at]
    assert told[0].id == told[1].id == f"r7/csat/{at.isoformat()}"


async def test_words_that_are_added_are_a_change_and_anything_else_is_none() -> None:
    system = System()
    system.given = [given_at(7)]
    await system.round()
    system.given = [given_at(7, modified=NOW)]
    assert await system.round() == []

    system.given = [given_at(7, comment=True)]

    assert said(await system.round()) == [("changed", "r7/csat", 5)]


async def test_the_last_days_are_read_again_once_and_then_what_is_new() -> None:
    system = System()
    system.given = [given_at(8)]
    for _ in range(4):
        await system.round()

    newest = FIRST + timedelta(days=8)
    overlap, week = newest - timedelta(minutes=15), newest - timedelta(days=7)
    assert [after for after, _ in system.asked] == [datetime(2026, 11, 1, tzinfo=UTC), week, overlap, overlap]


class Moving(System):
    """A system whose list is in the order of changes, and which can be asked for what has changed since."""

    def __init__(self) -> None:
        super().__init__(reread=timedelta(0))
        self._pace = replace(self._pace, moves=True)
        self.restart()

    async def _fetch(self, api: WebApi, after: datetime, page: int) -> ResponsePage:
        known = self.given
        since = [one for one in known if isinstance(one, _Given) and one.at >= after]
        self.given = [*sorted(since, key=lambda one: one.at)]
        try:
            return await super()._fetch(api, after, page)
        finally:
            self.given = known


async def test_what_is_changed_while_pages_are_read_hides_no_other() -> None:
    system = Moving()
    system.given = [given_at(number) for number in range(7)]
    page = await system._list.ask(system._api, system.cursor)
    system.cursor = page.cursor
    system.given[1] = _Given("r1", FIRST + timedelta(days=8), 2)  # a page found by its number would begin with r4

    events = [*page.events, *await system.round()]

    assert sorted(said(events)) == sorted(
        [*(("answered", f"r{number}/csat", 5) for number in range(7)), ("changed", "r1/csat", 2)]
    )


async def test_more_of_one_second_than_a_page_has_are_all_read() -> None:
    system = Moving()
    system.given = [_Given(f"r{number}", FIRST, 5) for number in range(8)]

    assert len(await system.round()) == 8
    assert await system.round() == []


async def test_where_answers_do_not_change_nothing_is_read_again() -> None:
    system = System(reread=timedelta(0))
    system.given = [given_at(8)]
    for _ in range(3):
        await system.round()

    overlap = FIRST + timedelta(days=8) - timedelta(minutes=15)
    assert [after for after, _ in system.asked[1:]] == [overlap, overlap]


async def test_nothing_is_told_of_before_the_first_day() -> None:
    system = System(since=date(2026, 11, 3))
    system.given = [given_at(number) for number in range(5)]

    assert [subject for _, subject, _ in said(await system.round())] == ["r2/csat", "r3/csat", "r4/csat"]
    assert min(after for after, _ in system.asked) == datetime(2026, 11, 3, tzinfo=UTC)


async def test_one_from_the_future_does_not_hide_what_comes_until_then() -> None:
    system = System(reread=timedelta(0))
    system.given = [_Given("ahead", NOW + timedelta(days=400), 4)]
    await system.round()
    system.now = NOW + timedelta(minutes=5)
    system.given.append(_Given("now", NOW + timedelta(minutes=1), 3))

    assert said(await system.round()) == [("answered", "now/csat", 3)]


async def test_a_list_that_always_has_more_is_at_its_end_when_it_has_nothing() -> None:
    system = System()
    system.given = [given_at(1)]
    system.always_more = True

    assert len(await system.round()) == 1
    assert [page for _, page in system.asked] == [1, 2]


async def test_an_empty_list_is_asked_again_from_the_same_day() -> None:
    system = System()
    assert [await system.round() for _ in range(2)] == [[], []]

    system.given = [given_at(1)]

    assert len(await system.round()) == 1


async def test_what_is_of_no_use_is_set_aside_once_however_often_it_is_read() -> None:
    system = System()
    system.given = [b'{"id": "r1"}', given_at(2, 9), given_at(3)]
    for _ in range(3):
        await system.round()

    assert {bad.reason: bad.detail for bad in system.aside} == {
        "invalid_field": "Object missing required field `at`",
        "score_outside_scale": "the score is outside the scale of its question: see what `questions` says of it",
    }
    assert [str(bad.place) for bad in system.aside] == ["/list page 1:1", "/list page 1:2"]
    assert system.intake.read == 3


async def test_what_was_told_is_remembered_for_the_last_days_alone() -> None:
    system = System()
    system.given = [given_at(number) for number in range(0, 400, 40)]
    system.now = FIRST + timedelta(days=400)

    await system.round()

    assert system.cursor.told.keys() == {"r360"}


STORY = [
    given_at(0, 5),
    given_at(1, 4),
    given_at(2, 1),
    given_at(3, 2),
]
"""Two of four are satisfied: 0.5."""


@given(st.data())
async def test_whatever_is_seen_when_of_changing_answers_the_board_has_the_last(data: st.DataObject) -> None:
    """r2 becomes a 5 and r1 a 3, at times that the system tells; then a 4, 5, 3 and 2 stand: 2 of 4, mean 3.75."""
    changed = [given_at(0, 5), given_at(1, 3, modified=NOW), given_at(2, 5, modified=NOW), given_at(3, 2)]
    system = System()
    told: list[Event] = []
    for number in data.draw(st.lists(st.integers(0, 4), max_size=3)):
        system.given = [*STORY[:number]]
        told += await system.rounds()
        if data.draw(st.booleans()):
            system.restart()
    system.given = [*STORY]
    told += await system.rounds()
    system.given = [*changed]
    told += await system.rounds()
    again = data.draw(st.permutations(told + told[: data.draw(st.integers(0, len(told)))]))

    sales = rated([*again], NOW + timedelta(hours=1), queue="sales")

    assert counted(sales, "30d").csat_answered == 4
    assert figure(sales, "csat", "30d").value == 0.5
    assert figure(sales, "csat_mean", "30d").value == 3.75
