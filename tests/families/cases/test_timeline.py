"""Stories of cases, and that neither order nor repetition of reports matters."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stream.families.cases.timeline import Kind, Response, added, entry_of, fingerprint, story_of

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)

Report = tuple[int, Kind, int]
"""Hours after nine, what, and its detail."""


def timeline_of(*reports: Report) -> bytes:
    timeline = b""
    for hours, kind, detail in reports:
        timeline = added(timeline, entry_of(NINE + hours * HOUR, kind, detail))
    return timeline


reports = st.tuples(st.integers(0, 50), st.sampled_from(Kind), st.integers(0, 3))


@given(st.lists(reports), st.data())
def test_neither_order_nor_repetition_matters(told: list[Report], data: st.DataObject) -> None:
    again = [
        *data.draw(st.permutations(told)),
        *data.draw(st.lists(st.sampled_from(told or [(0, Kind.ASKED, 0)]), max_size=5 if told else 0)),
    ]

    assert timeline_of(*told) == timeline_of(*again)


@given(st.lists(reports))
def test_what_was_known_is_the_same_object(told: list[Report]) -> None:
    timeline = timeline_of(*told)

    assert all(added(timeline, entry_of(NINE + hours * HOUR, *rest)) is timeline for hours, *rest in told)


@given(st.lists(reports))
def test_each_response_ends_a_wait_and_only_one_is_the_first(told: list[Report]) -> None:
    story = story_of(timeline_of(*told))

    assert [one.first for one in story.responses] == [number == 0 for number in range(len(story.responses))]
    assert all(one.since <= one.at for one in story.responses)
    assert len(story.responses) <= story.answered
    assert len(story.resolutions) <= len(story.reopenings) + 1
    assert not (story.waiting_since and not story.is_open)


def test_a_request_is_answered_asked_again_answered_and_solved() -> None:
    story = story_of(
        timeline_of(
            (0, Kind.OPENED_BY_CUSTOMER, 0),
            (0, Kind.ASKED, 1),
            (2, Kind.ANSWERED, 2),
            (5, Kind.ASKED, 3),
            (6, Kind.ASKED, 4),
            (7, Kind.ASSIGNED, 1),
            (9, Kind.ANSWERED, 5),
            (9, Kind.RESOLVED, 0),
        )
    )

    assert story.responses == [
        Response(NINE + 2 * HOUR, NINE, 0, first=True),
        Response(NINE + 9 * HOUR, NINE + 5 * HOUR, 1, first=False),
    ]
    assert story.resolutions == [(NINE + 9 * HOUR, 1)]
    assert (story.asked, story.answered, story.is_open, story.waiting_since) == (3, 2, False, None)


def test_thanks_for_a_solution_are_no_wait_until_the_case_is_reopened() -> None:
    thanks: tuple[Report, ...] = ((0, Kind.OPENED_BY_CUSTOMER, 0), (1, Kind.RESOLVED, 0), (2, Kind.ASKED, 1))

    assert story_of(timeline_of(*thanks)).waiting_since is None
    assert story_of(timeline_of(*thanks, (3, Kind.REOPENED, 0))).waiting_since == NINE + 2 * HOUR


def test_an_agent_who_writes_first_answers_nobody() -> None:
    story = story_of(
        timeline_of((0, Kind.OPENED_BY_US, 0), (0, Kind.ANSWERED, 1), (3, Kind.ASKED, 2), (4, Kind.ANSWERED, 3))
    )

    assert story.responses == [Response(NINE + 4 * HOUR, NINE + 3 * HOUR, 0, first=True)]


def test_what_was_merged_or_deleted_waits_no_more() -> None:
    for kind in (Kind.MERGED, Kind.DELETED, Kind.CLOSED):
        story = story_of(timeline_of((0, Kind.OPENED_BY_CUSTOMER, 0), (1, kind, 0)))

        assert (story.is_open, story.waiting_since, story.ended) == (False, None, kind)


def test_messages_of_one_instant_are_told_apart_by_their_names() -> None:
    assert fingerprint("m1") != fingerprint("m2")
    assert story_of(timeline_of((0, Kind.ASKED, fingerprint("m1")), (0, Kind.ASKED, fingerprint("m2")))).asked == 2
