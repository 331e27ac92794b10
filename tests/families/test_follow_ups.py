"""A contact that needs follow-up opens a case, and a solved case invites to a survey: where the policy says so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.core.family import Board
from stream.core.policies import Policies
from stream.families import follow_ups
from stream.families.cases.events import CaseResolved, MessageSent
from stream.families.cases.payloads import ResolvedData
from stream.families.cases.tally import CaseTally
from stream.families.contacts.events import ContactDequeued, ContactEnded, ContactEnqueued
from stream.families.contacts.payloads import DequeuedData, EndedData, EnqueuedData
from stream.families.surveys.events import SurveyAnswered
from stream.families.surveys.payloads import SurveyAnswerData

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)

POLICY = """
[[queue]]
tenant = "acme"
channel = "voice"
follow_up_dispositions = ["ticket"]
follow_up_voicemail = true
follow_up_queue = "back-office"

[[queue]]
tenant = "acme"
name = "back-office"
survey_after_solution = "csat"
"""
BY_POLICY = policies_of(POLICY, "policy")


def told(kind: type[Event], minutes: int, subject: str, data: Any = None, tenant: str = "acme") -> Event:
    """An event some minutes after noon, named by what it is and of what."""
    fields = {} if data is None else {"data": data}
    return kind(
        id=f"{kind.__name__}-{subject}",
        source="/pbx",
        time=NOON + timedelta(minutes=minutes),
        subject=subject,
        tenantid=tenant,
        specversion="1.0",
        **fields,
    )


def call(subject: str, disposition: str | None, *, tenant: str = "acme", **data: Any) -> list[Event]:
    return [
        told(ContactEnqueued, 0, subject, EnqueuedData(queue="sales", **data), tenant),
        told(ContactEnded, 5, subject, EndedData(queue="sales", disposition=disposition, **data), tenant),
    ]


def cases(board: Board) -> dict[tuple[str, str], tuple[int, int]]:
    """By queue and channel: cases that are open, and that wait."""
    return {(one.queue, one.channel): (one.open, one.waiting) for one in board.snapshots["cases"]}


def surveys(board: Board) -> dict[str, tuple[int, int]]:
    """By queue: invitations, and answers that count for satisfaction."""
    return {
        one.queue: (one.windows["today"].invited, one.windows["today"].csat_answered)
        for one in board.snapshots["surveys"]
    }


def test_nothing_follows_where_the_policy_asks_for_nothing() -> None:
    assert follow_ups.after_contact(Policies()) == {} == follow_ups.after_case(Policies())
    no_interest = policies_of("[defaults]\ntarget = 0.9\nfollow_up_dispositions = []\n", "policy")
    assert follow_ups.after_contact(no_interest) == {} == follow_ups.after_case(no_interest)
    assert cases(replay(call("1", "ticket")).board(NOON + timedelta(hours=1))) == {}


@pytest.mark.parametrize(
    ("day", "opened"),
    [
        (call("1", "ticket"), {("back-office", "voice"): (1, 1)}),
        (call("1", "solved"), {}),
        (call("1", None), {}),
        (call("1", "ticket", tenant="other"), {}),
        (call("1", "ticket", channel="chat"), {}),
        (
            [told(ContactDequeued, 1, "1", DequeuedData(queue="sales", reason="voicemail"))],
            {("back-office", "voice"): (1, 1)},
        ),
        ([told(ContactDequeued, 1, "1", DequeuedData(queue="sales", reason="overflow"))], {}),
    ],
)
def test_a_contact_that_needs_follow_up_opens_a_case_and_its_customer_waits(
    day: list[Event], opened: dict[tuple[str, str], tuple[int, int]]
) -> None:
    assert cases(replay(day, policies=BY_POLICY).board(NOON + timedelta(hours=1))) == opened


def test_a_contact_reported_twice_opens_one_case() -> None:
    day = [*call("1", "ticket"), *call("1", "ticket"), *call("2", "ticket")]

    assert cases(replay(day, policies=BY_POLICY).board(NOON + timedelta(hours=1))) == {("back-office", "voice"): (2, 2)}


def test_the_case_goes_on_under_the_name_of_the_contact_and_its_solution_invites_to_a_survey() -> None:
    where = ResolvedData(queue="back-office", channel="voice")
    day = [
        *call("1", "ticket"),
        told(MessageSent, 30, "1"),
        told(CaseResolved, 40, "1", where),
        told(SurveyAnswered, 50, "1", SurveyAnswerData(kind="csat", score=5, queue="back-office", channel="voice")),
    ]

    board = replay(day, policies=BY_POLICY).board(NOON + timedelta(hours=1))

    (queue,) = board.snapshots["cases"]
    today = queue.counted.window("today", CaseTally)
    assert (queue.open, today.resolved, today.first_responses_ms) == (0, 1, 25 * 60_000)
    assert surveys(board) == {"back-office": (1, 1)}


def test_a_case_that_is_solved_twice_is_asked_about_once() -> None:
    where = ResolvedData(queue="back-office", channel="voice")
    day = [*call("1", "ticket"), *(told(CaseResolved, minutes, "1", where) for minutes in (40, 90))]

    assert surveys(replay(day, policies=BY_POLICY).board(NOON + timedelta(hours=2))) == {"back-office": (1, 0)}


def test_who_does_not_tell_the_queue_of_a_case_has_the_tenant_rated() -> None:
    policies = policies_of('[defaults]\nsurvey_after_solution = "nps"\n', "policy")
    day = [told(CaseResolved, 40, "1")]

    assert list(surveys(replay(day, policies=policies).board(NOON + timedelta(hours=1)))) == ["(none)"]


def test_what_follows_has_an_id_within_the_contract_however_long_that_of_its_event_is() -> None:
    long = told(CaseResolved, 40, "1" * 256)
    (asked,) = follow_ups.after_case(policies_of('[defaults]\nsurvey_after_solution = "nps"\n', "policy"))[
        CaseResolved
    ](long)

    assert len(long.id) > 256 > len(asked.id)


def test_what_follows_is_of_the_same_customer_and_about_the_same() -> None:
    [_, ended] = call("1", "ticket", customer="c-1", topic="delivery")
    [opened] = follow_ups.after_contact(BY_POLICY)[ContactEnded](ended)
    resolved = told(CaseResolved, 9, "1", ResolvedData(queue="back-office", channel="voice", customer="c-1"))
    [invited] = follow_ups.after_case(BY_POLICY)[CaseResolved](resolved)

    assert (opened.data.customer, opened.data.topic, invited.data.customer) == ("c-1", "delivery", "c-1")
