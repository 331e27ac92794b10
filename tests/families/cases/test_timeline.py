"""Stories of cases, and that neither order nor repetition of reports matters."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stream.families.cases.story import CaseFact, Changes, Story, story_of
from stream.families.cases.timeline import Step, added, entry_of, fingerprint, instant, newest

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
START = (NINE - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

Report = tuple[int, Step, int]
"""Hours after nine, what, and its detail."""


def timeline_of(*reports: Report) -> bytes:
    timeline = b""
    for hours, kind, detail in reports:
        timeline = added(timeline, [entry_of(NINE + hours * HOUR, kind, detail)])
    return timeline


def told(*reports: Report) -> tuple[list[tuple[str, int, int, int]], Story]:
    """Return the facts with hours in place of instants, and the story."""
    story = story_of(timeline_of(*reports))
    return [in_hours(fact) for fact in story.facts], story


def in_hours(fact: CaseFact) -> tuple[str, int, int, int]:
    what, at, place, number = fact
    return what, hours(at), place, hours(number) if number >= START else number


def hours(ms: int) -> int:
    return (ms - START) // 3_600_000


OPENED: Report = (0, Step.OPENED_BY_CUSTOMER, 0)
CAME = [("opened", 0, 0, 1), ("assigned", 0, 0, 1)]

reports = st.tuples(st.integers(-3, 50), st.sampled_from(Step), st.integers(0, 3))


@given(st.lists(reports), st.data())
def test_neither_order_nor_repetition_matters(known: list[Report], data: st.DataObject) -> None:
    again = [
        *data.draw(st.permutations(known)),
        *data.draw(st.lists(st.sampled_from(known or [(0, Step.ASKED, 0)]), max_size=5 if known else 0)),
    ]

    assert timeline_of(*known) == timeline_of(*again)


@given(st.lists(reports))
def test_what_was_known_is_the_same_object(known: list[Report]) -> None:
    timeline = timeline_of(*known)

    assert all(added(timeline, [entry_of(NINE + at * HOUR, kind, detail)]) is timeline for at, kind, detail in known)


@given(st.lists(reports))
def test_what_a_story_counts_fits_together(known: list[Report]) -> None:
    story = story_of(timeline_of(OPENED, *known))
    count = [what for what, *_ in story.facts].count

    assert count("opened") + count("deleted") + count("spam") == 1
    assert count("first_responses") <= 1
    assert count("first_responses") + count("next_responses") <= count("sent")
    assert count("resolved") - count("reopened") == count("full_resolutions")
    assert count("full_resolutions") <= count("first_resolutions") <= 1
    assert count("full_resolutions") + count("merged") <= 1
    assert count("assigned_resolved") == count("full_resolutions") >= count("one_touch")
    assert count("assigned") in {0, count("reassigned") + 1}
    assert all(number <= at for what, at, _, number in story.facts if what.endswith(("responses", "resolutions")))
    if story.standing is not None:
        assert story.standing.waiting_since <= newest(timeline_of(OPENED, *known))
        assert count("full_resolutions") == 0


@given(st.lists(st.tuples(st.integers(0, 1), reports), min_size=1), st.integers(1, 3))
def test_what_changes_is_the_difference_of_the_stories_however_many_are_kept(
    told: list[tuple[int, Report]], kept: int
) -> None:
    changes, timelines, counted = Changes(kept=kept), [b"", b""], [Counter[CaseFact](), Counter[CaseFact]()]
    for number, (hours, kind, detail) in told:
        before = timelines[number]
        after = timelines[number] = added(before, [entry_of(NINE + hours * HOUR, kind, detail)])
        if after is before:
            continue
        change = changes.between(before, after)
        counted[number].update(change.new)
        counted[number].subtract(change.gone)

        was, now = story_of(before), story_of(after)
        assert (change.opened_before, change.opened_in, change.place) == (was.opened_in, now.opened_in, now.place)
        assert (change.was, change.now) == (was.standing, now.standing)
        assert counted[number] == Counter(now.facts)
        assert not set(change.new) & set(change.gone)


def test_of_a_case_of_which_nobody_says_how_it_came_in_nothing_counts() -> None:
    facts, story = told((1, Step.ASKED, 1), (2, Step.ANSWERED, 2), (3, Step.RESOLVED, 0))

    assert (facts, story.standing, story.opened_in) == ([], None, -1)


def test_a_request_is_answered_asked_again_answered_by_another_queue_and_solved() -> None:
    facts, story = told(
        *(
            OPENED,
            (0, Step.ASKED, 1),
            (2, Step.ANSWERED, 2),
            (5, Step.ASKED, 3),
            (6, Step.ASKED, 4),
        ),
        *((7, Step.ASSIGNED, 1), (9, Step.ANSWERED, 5), (10, Step.RESOLVED, 0)),
    )

    assert facts == [
        *CAME,
        *(("received", 0, 0, 1), ("sent", 2, 0, 1), ("first_responses", 2, 0, 0)),
        *(("received", 5, 0, 1), ("received", 6, 0, 1)),
        *(("reassigned", 7, 0, 1), ("assigned", 7, 1, 1)),
        *(("sent", 9, 1, 1), ("next_responses", 9, 1, 5)),
        *(("resolved", 10, 1, 1), ("first_resolutions", 10, 1, 0)),
        *(("full_resolutions", 10, 1, 0), ("messages", 10, 1, 5), ("assigned_resolved", 7, 1, 1)),
    ]
    assert story.standing is None


def test_of_two_solutions_the_last_is_the_full_one_and_one_answer_is_one_touch() -> None:
    facts, _ = told(
        OPENED,
        (1, Step.ANSWERED, 1),
        (2, Step.RESOLVED, 0),
        (5, Step.REOPENED, 0),
        (8, Step.RESOLVED, 0),
    )

    assert facts == [
        *CAME,
        *(("sent", 1, 0, 1), ("first_responses", 1, 0, 0)),
        *(("resolved", 2, 0, 1), ("first_resolutions", 2, 0, 0)),
        *(("reopened", 5, 0, 1), ("resolved", 8, 0, 1)),
        *(("full_resolutions", 8, 0, 0), ("messages", 8, 0, 1), ("assigned_resolved", 0, 0, 1), ("one_touch", 8, 0, 1)),
    ]


def test_thanks_for_a_solution_are_no_wait_until_the_case_is_reopened() -> None:
    thanked = (OPENED, (1, Step.RESOLVED, 0), (2, Step.ASKED, 1))
    _, solved = told(*thanked)
    _, reopened = told(*thanked, (3, Step.REOPENED, 0))

    assert solved.standing is None
    assert reopened.standing is not None
    assert hours(reopened.standing.waiting_since) == 2


def test_a_case_that_an_agent_opened_waits_for_nobody_until_the_customer_writes() -> None:
    _, quiet = told((0, Step.OPENED_BY_US, 0), (0, Step.ANSWERED, 1))
    facts, asked = told(
        (0, Step.OPENED_BY_US, 0),
        (0, Step.ANSWERED, 1),
        (4, Step.ASKED, 2),
        (5, Step.ANSWERED, 3),
    )

    assert quiet.standing is not None
    assert quiet.standing.waiting_since == -1
    assert ("first_responses", 5, 0, 4) in facts
    assert asked.standing is not None


def test_what_a_machine_wrote_neither_asks_nor_answers() -> None:
    facts, story = told(OPENED, (0, Step.ASKED, 1), (1, Step.AUTOMATIC, 2))

    assert ("automatic", 1, 0, 1) in facts
    assert story.standing is not None
    assert hours(story.standing.waiting_since) == 0
    assert not any("responses" in fact[0] for fact in facts)


def test_a_case_that_was_deleted_counts_for_nothing_else_whatever_comes_later() -> None:
    for kind, name in ((Step.DELETED, "deleted"), (Step.SPAM, "spam")):
        facts, story = told(OPENED, (1, Step.ANSWERED, 1), (2, kind, 0), (3, Step.RESOLVED, 0), (4, Step.ASKED, 0))

        assert (facts, story.standing) == ([(name, 2, 0, 1)], None)


def test_what_is_spam_and_deleted_is_spam_whichever_is_told_first() -> None:
    for hour in (1, 2, 3):
        facts, _ = told(OPENED, (2, Step.SPAM, 0), (hour, Step.DELETED, 0), (5, Step.DELETED, 0))

        assert facts == [("spam", min(hour, 2), 0, 1)]


def test_a_case_that_was_deleted_by_mistake_stands_as_if_nobody_had() -> None:
    meanwhile = ((3, Step.ASKED, 1), (4, Step.ASSIGNED, 1))
    as_if = told(OPENED, (1, Step.ANSWERED, 1), *meanwhile)
    for kind in (Step.DELETED, Step.SPAM):
        facts, story = told(OPENED, (1, Step.ANSWERED, 1), (2, kind, 0), *meanwhile, (5, Step.REOPENED, 0))

        assert (facts, story.standing) == (
            as_if[0],
            as_if[1].standing,
        )
        assert "reopened" not in [what for what, *_ in facts]


def test_a_case_that_was_solved_and_then_deleted_by_mistake_is_solved_as_it_was() -> None:
    solved = (OPENED, (1, Step.ANSWERED, 1), (2, Step.RESOLVED, 0))

    assert told(*solved, (3, Step.DELETED, 0), (5, Step.REOPENED, 0)) == told(*solved)
    assert told(*solved, (3, Step.DELETED, 0), (5, Step.REOPENED, 0), (6, Step.SPAM, 0))[0] == [("spam", 6, 0, 1)]


def test_a_case_that_was_merged_is_open_no_more_and_was_not_solved() -> None:
    facts, story = told(OPENED, (1, Step.MERGED, 0), (2, Step.RESOLVED, 0), (3, Step.REOPENED, 0))

    assert (facts, story.standing) == ([*CAME, ("merged", 1, 0, 1)], None)


def test_that_a_merge_closes_the_case_is_no_solution_whichever_is_told_first() -> None:
    """Systems tell both: of the same instant, or one a moment before the other."""
    for ending in (Step.CLOSED, Step.RESOLVED):
        for hour in (1, 2, 3):
            facts, story = told(OPENED, (2, Step.MERGED, 0), (hour, ending, 0), (4, Step.CLOSED, 0))

            assert (facts, story.standing) == ([*CAME, ("merged", 2, 0, 1)], None)


def test_what_was_solved_and_opened_again_before_it_was_merged_was_solved_then() -> None:
    facts, _ = told(OPENED, (1, Step.RESOLVED, 0), (2, Step.REOPENED, 0), (3, Step.MERGED, 0), (3, Step.CLOSED, 0))

    assert facts == [
        *CAME,
        *(("resolved", 1, 0, 1), ("first_resolutions", 1, 0, 0)),
        *(("reopened", 2, 0, 1), ("merged", 3, 0, 1)),
    ]


def test_closing_a_case_solves_it_where_nobody_has() -> None:
    closed, _ = told(OPENED, (1, Step.CLOSED, 0))
    both, _ = told(OPENED, (1, Step.RESOLVED, 0), (2, Step.CLOSED, 0))

    assert closed == both


def test_a_report_is_kept_to_the_millisecond() -> None:
    at = NINE + timedelta(milliseconds=123)

    assert instant(newest(added(b"", [entry_of(at, Step.ASKED, fingerprint("m"))]))) == at
