"""A day of an Intercom workspace with figures computed by hand: whatever the order, however often each is posted."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.families.surveys.events import SurveyAnswered
from stream.sdk.producer import checked
from stream.sources.source import Webhook
from tests.sources.desk_boards import counted_cases, counts, open_cases, told_by
from tests.sources.intercom.messenger import BEGIN, NOTIFICATIONS, signed, webhook_in

EVENING = BEGIN + timedelta(hours=9)


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(tmp_path_factory.mktemp("intercom"))


def counted(webhook: Webhook, bodies: Sequence[bytes]) -> dict[tuple[str, str], dict[str, int]]:
    return counted_cases(told_by(webhook, map(signed, bodies)), EVENING)


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(webhook, NOTIFICATIONS) == {
        # 101 came without a team; the bot had answered within half a minute, which is no answer.
        ("unassigned", "chat"): counts("opened 1, assigned 1, reassigned 1, received 1, automatic 1"),
        ("Support", "chat"): counts(
            # 101 was answered after 30 minutes, then from 60 to 75 and from 120 to 140; a note is no answer.
            "assigned 1, received 2, sent 3",
            "first_responses 1, first_responses_ms 1800000, next_responses 2, next_responses_ms 2100000",
            # It was closed after 75 minutes, and at last after 140, with three messages of each side.
            "resolved 2, reopened 1, first_resolutions 1, first_resolutions_ms 4500000",
            "full_resolutions 1, full_resolutions_ms 8400000, messages 6, assigned_resolved 1",
        ),
        # 102: Mia wrote at 5, which was told to be closed 20 s later; asked at 25 it opened, and was answered at 35.
        ("Support", "email"): counts(
            "opened 1, assigned 1, received 1, sent 2, first_responses 1, first_responses_ms 600000",
            "resolved 1, reopened 1, first_resolutions 1, first_resolutions_ms 20000",
        ),
        # 103 was on WhatsApp.
        ("Support", "messaging"): counts(
            # 105 was closed at 52 by mistake, two minutes after it had come by Messenger; answered from 53 to 58.
            "deleted 1, opened 1, assigned 1, received 1, sent 1, resolved 1, reopened 1",
            "first_responses 1, first_responses_ms 300000, first_resolutions 1, first_resolutions_ms 120000",
        ),
        ("Support", "social"): counts("opened 1, assigned 1, reassigned 1, received 1"),
        ("Billing", "social"): counts("assigned 1"),
    }


def test_what_is_open_in_the_evening_and_waits(webhook: Webhook) -> None:
    standing = open_cases(told_by(webhook, map(signed, NOTIFICATIONS)), EVENING)

    assert {place: shown for place, shown in standing.items() if any(shown)} == {
        ("Support", "email"): (1, 0),
        ("Support", "messaging"): (1, 0),
        ("Billing", "social"): (1, 1),
    }


def test_a_rating_that_was_given_again_replaces_the_first(webhook: Webhook) -> None:
    events = told_by(webhook, map(signed, NOTIFICATIONS))
    answers = [event for event in events if isinstance(event, SurveyAnswered)]

    assert [(each.subject, each.data.queue, each.data.rated_on, each.data.score) for each in answers] == [
        ("/intercom/101", "Support", "1-5", 4),
        ("/intercom/101", "Support", "1-5", 2),
    ]
    assert all(each.data.comment is True for each in answers)


@given(st.permutations([*NOTIFICATIONS, *NOTIFICATIONS[::3]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, bodies: list[bytes]) -> None:
    assert counted(webhook, bodies) == counted(webhook, NOTIFICATIONS)


def test_no_two_things_have_the_same_id_and_nothing_personal_is_told(webhook: Webhook) -> None:
    events = told_by(webhook, map(signed, NOTIFICATIONS))

    assert len({(event.source, event.id) for event in events}) == len(events)
    assert b"Marked" in b"".join(NOTIFICATIONS)
    assert b"Marked" not in b"".join(map(checked, events))
