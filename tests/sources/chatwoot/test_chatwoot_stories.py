"""A day of an account of Chatwoot with figures computed by hand: whatever the order, however often each is posted."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.families.cases.events import CaseResolved
from stream.families.surveys.events import SurveyAnswered, SurveyInvited
from stream.sdk.producer import checked
from stream.sources.source import Webhook
from tests.sources.chatwoot.account import BEGIN, CONVERSATIONS, request, webhook_in
from tests.sources.desk_boards import counted_cases, counts, open_cases, told_by

EVENING = BEGIN + timedelta(hours=9)


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(tmp_path_factory.mktemp("chatwoot"))


def counted(webhook: Webhook, told: Sequence[bytes]) -> dict[tuple[str, str], dict[str, int]]:
    return counted_cases(told_by(webhook, map(request, told)), EVENING)


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(webhook, CONVERSATIONS) == {
        # 101: asked at 0, 60 and 120, answered at 30, 75 and 150. A greeting, a bot and a rule answered nobody, and the
        # note is none of the customer's.
        ("Support", "chat"): counts(
            "opened 1, assigned 1, received 3, sent 3, automatic 3",
            "first_responses 1, first_responses_ms 1800000, next_responses 2, next_responses_ms 2700000",
            # Resolved after 80 minutes, and at last after 150.
            "resolved 2, reopened 1, first_resolutions 1, first_resolutions_ms 4800000",
            "full_resolutions 1, full_resolutions_ms 9000000, messages 6, assigned_resolved 1",
        ),
        # 102: written to at 5; asked at 25, answered at 35.
        ("Support", "messaging"): counts(
            "opened 1, assigned 1, received 1, sent 2, first_responses 1, first_responses_ms 600000"
        ),
        # 103: asked at 41.
        ("Support", "email"): counts("opened 1, assigned 1, received 1, automatic 1"),
    }


def test_what_is_open_in_the_evening_and_waits(webhook: Webhook) -> None:
    assert open_cases(told_by(webhook, map(request, CONVERSATIONS)), EVENING) == {
        ("Support", "chat"): (0, 0),
        ("Support", "messaging"): (1, 0),  # 102, which is snoozed
        ("Support", "email"): (1, 1),  # 103
    }


def test_who_is_asked_for_a_rating_and_gives_one_is_told(webhook: Webhook) -> None:
    told = told_by(webhook, map(request, CONVERSATIONS))
    (asked,) = [event for event in told if isinstance(event, SurveyInvited)]
    (answer,) = [event for event in told if isinstance(event, SurveyAnswered)]

    assert asked.subject == answer.subject
    assert (asked.time, answer.time) == (BEGIN + timedelta(minutes=80), BEGIN + timedelta(minutes=90))
    assert (answer.data.score, answer.data.queue, answer.data.agent, answer.data.comment) == (5, "Support", "5", True)


def test_each_solution_is_told_with_one_time(webhook: Webhook) -> None:
    """Of a customer, unlike of a case, a solution that is told with two times is two."""
    told = told_by(webhook, map(request, CONVERSATIONS))

    solved = {(event.subject, event.time) for event in told if isinstance(event, CaseResolved)}
    assert solved == {("/chatwoot/101", BEGIN + timedelta(minutes=minutes)) for minutes in (80, 150)}


@given(st.permutations([*CONVERSATIONS, *CONVERSATIONS[::3]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, told: list[bytes]) -> None:
    assert counted(webhook, told) == counted(webhook, CONVERSATIONS)


def test_nothing_personal_is_told(webhook: Webhook) -> None:
    events = [checked(event) for event in told_by(webhook, map(request, CONVERSATIONS))]

    assert b"arked" in b"".join(CONVERSATIONS)
    assert b"arked" not in b"".join(events)
