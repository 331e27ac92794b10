"""A day of a Help Scout account with figures computed by hand: whatever the order, however often each is posted."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.families.surveys.events import SurveyAnswered
from stream.sdk.producer import checked
from stream.sources.source import Webhook
from tests.sources.desk_boards import counted_cases, counts, open_cases, told_by
from tests.sources.help_scout.inbox import BEGIN, CONVERSATIONS, request, webhook_in

EVENING = BEGIN + timedelta(hours=9)


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(tmp_path_factory.mktemp("help-scout"))


def counted(webhook: Webhook, told: Sequence[tuple[str, bytes]]) -> dict[tuple[str, str], dict[str, int]]:
    return counted_cases(told_by(webhook, (request(*each) for each in told)), EVENING)


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(webhook, CONVERSATIONS) == {
        ("Support", "email"): counts(
            # 101, 102 by an agent, 105 which was deleted, and 106 which was handed on; 104 was spam.
            "opened 3, assigned 3, reassigned 1, deleted 1, spam 1",
            # 101: asked at 0, 60 and 120, answered at 30, 75 and 140. 102: written to at 5, asked at 25, answered at
            # 35.
            # 106: asked at 20, and no person has answered.
            "received 5, sent 5, automatic 1",
            "first_responses 2, first_responses_ms 2400000, next_responses 2, next_responses_ms 2100000",
            # 101 was closed after 75 minutes, and at last after 140, with three messages of each side.
            "resolved 2, reopened 1, first_resolutions 1, first_resolutions_ms 4500000",
            "full_resolutions 1, full_resolutions_ms 8400000, messages 6, assigned_resolved 1",
        ),
        ("Billing", "email"): counts("assigned 1"),
        # 103 goes on in 101: that answers nobody, and solves nothing.
        ("Support", "chat"): counts("opened 1, assigned 1, received 1, merged 1"),
    }


def test_what_is_open_in_the_evening_and_waits(webhook: Webhook) -> None:
    standing = open_cases(told_by(webhook, (request(*each) for each in CONVERSATIONS)), EVENING)

    assert {place: shown for place, shown in standing.items() if any(shown)} == {
        ("Support", "email"): (1, 0),  # 102, which is pending
        ("Billing", "email"): (1, 1),  # 106
    }


def test_a_rating_that_was_changed_replaces_the_first(webhook: Webhook) -> None:
    events = told_by(webhook, (request(*each) for each in CONVERSATIONS))
    answers = [event for event in events if isinstance(event, SurveyAnswered)]

    assert [(each.subject, each.data.queue, each.data.scale, each.data.score) for each in answers] == [
        ("/help-scout/rating-5434", "Support", "smileys", 3),
        ("/help-scout/rating-5434", "Support", "smileys", 1),
    ]
    assert all(each.data.comment is True for each in answers)
    assert answers[0].time < answers[1].time


@given(st.permutations([*CONVERSATIONS, *CONVERSATIONS[::3]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, told: list[tuple[str, bytes]]) -> None:
    assert counted(webhook, told) == counted(webhook, CONVERSATIONS)


def test_what_has_the_same_id_says_the_same_and_nothing_personal_is_told(webhook: Webhook) -> None:
    events = [checked(event) for event in told_by(webhook, (request(*each) for each in CONVERSATIONS))]

    assert b"arked" in b"".join(body for _, body in CONVERSATIONS)
    assert b"arked" not in b"".join(events)
