"""A day of a Zendesk account with figures computed by hand: whatever the order, however often each is posted."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.families.surveys.events import SurveyAnswered
from stream.sdk.producer import checked
from stream.sources.source import Webhook
from tests.sources.desk_boards import counted_cases, counts, open_cases, told_by
from tests.sources.zendesk.account import BEGIN, BILLING, MIA, SUPPORT, TICKETS, Ticket, signed, webhook_in

EVENING = BEGIN + timedelta(hours=9)


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(tmp_path_factory.mktemp("zendesk"))


def counted(webhook: Webhook, bodies: Sequence[bytes]) -> dict[tuple[str, str], dict[str, int]]:
    return counted_cases(told_by(webhook, map(signed, bodies)), EVENING)


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(webhook, TICKETS) == {
        # 101 came without a group, and left the queue of those at once.
        ("unassigned", "email"): counts("opened 1, assigned 1, reassigned 1, received 1"),
        # 105 came in here, too, and was handed on. 101 was answered after 30 minutes, then from 60 to 75 and from 120
        # to 140; a note is no answer. It was solved after 75, and at last after 140 with three messages of each side;
        # closing it adds nothing.
        ("Support", "email"): counts(
            "opened 1, assigned 2, reassigned 1, received 2, sent 3",
            "first_responses 1, first_responses_ms 1800000, next_responses 2, next_responses_ms 2100000",
            "resolved 2, reopened 1, first_resolutions 1, first_resolutions_ms 4500000",
            "full_resolutions 1, full_resolutions_ms 8400000, messages 6, assigned_resolved 1",
        ),
        ("Billing", "email"): counts("assigned 1"),
        # Tom's own words about 102 are no response: nobody had waited for one.
        ("Support", "voice"): counts(
            "opened 1, assigned 1, sent 1, resolved 1, one_touch 1, messages 1",
            "first_resolutions 1, full_resolutions 1, assigned_resolved 1",
        ),
        # That 103 was merged is neither an answer nor a solution.
        ("Support", "social"): counts("opened 1, assigned 1, automatic 1, merged 1"),
        ("Support", "messaging"): counts("spam 1"),
        # 106 was answered by Mia after 3 minutes; what the bot had said before is no answer.
        ("Support", "chat"): counts(
            "opened 1, assigned 1, received 1, automatic 1, sent 1, first_responses 1, first_responses_ms 180000"
        ),
    }


def test_what_is_open_in_the_evening_and_waits(webhook: Webhook) -> None:
    standing = open_cases(told_by(webhook, map(signed, TICKETS)), EVENING)

    assert {place: shown for place, shown in standing.items() if any(shown)} == {
        ("Billing", "email"): (1, 1),  # on hold, and never answered
        ("Support", "chat"): (1, 0),
    }


def test_what_one_action_answered_and_solved_counts_for_the_queue_that_it_chose(webhook: Webhook) -> None:
    """Mia takes a ticket that was in no group, answers, and solves it; what is told of that has any fraction."""
    second = 1 / 60
    ticket = Ticket(201, "mail")
    told = [
        ticket.created(0),
        ticket.status(5 + 0.1 * second, "SOLVED"),
        ticket.comment(5 + 0.2 * second, MIA),
        ticket.group(5 + 0.3 * second, SUPPORT),
        ticket.agent(5 + 0.4 * second, MIA),
    ]

    assert counted(webhook, told) == {
        ("unassigned", "email"): counts("opened 1, assigned 1, reassigned 1"),
        ("Support", "email"): counts(
            "assigned 1, sent 1, first_responses 1, first_responses_ms 300000, resolved 1, one_touch 1, messages 1",
            "first_resolutions 1, first_resolutions_ms 300000, full_resolutions 1, full_resolutions_ms 300000",
            "assigned_resolved 1",
        ),
    }


@pytest.mark.parametrize("groups", [(SUPPORT, BILLING), (BILLING, SUPPORT)])
def test_of_two_groups_within_a_second_the_later_has_the_ticket(webhook: Webhook, groups: Sequence[str]) -> None:
    ticket = Ticket(202, "mail")
    told = [ticket.created(0), *(ticket.group(0.001 + 0.01 * place, group) for place, group in enumerate(groups))]

    standing = open_cases(told_by(webhook, map(signed, reversed(told))), EVENING)

    assert [place for place, (is_open, _) in standing.items() if is_open] == [
        ({SUPPORT: "Support", BILLING: "Billing"}[groups[1]], "email")
    ]


def test_a_rating_that_was_changed_replaces_the_first(webhook: Webhook) -> None:
    answers = [event for event in told_by(webhook, map(signed, TICKETS)) if isinstance(event, SurveyAnswered)]

    assert [(each.subject, each.data.queue, each.data.scale, each.data.score) for each in answers] == [
        ("/zendesk/101", "Support", "thumbs", 1),
        ("/zendesk/101", "Support", "thumbs", 0),
    ]
    assert answers[0].time < answers[1].time


def test_that_a_merge_closes_its_ticket_is_no_solution_whenever_that_is_told(webhook: Webhook) -> None:
    for minutes in (11.99, 12, 12.005, 13):
        ticket = Ticket(107, "mail", group_id=SUPPORT)
        bodies = [ticket.created(2), ticket.status(minutes, "CLOSED"), ticket.merged(12.005, 101)]

        for told in (bodies, bodies[::-1]):
            assert counted(webhook, told) == {("Support", "email"): counts("opened 1, assigned 1, merged 1")}


def test_a_ticket_that_is_undeleted_counts_as_if_nobody_had_deleted_it(webhook: Webhook) -> None:
    ticket = Ticket(108, "mail", group_id=SUPPORT)
    bodies = [ticket.created(0), ticket.comment(30, MIA), ticket.status(30, "SOLVED")]
    kept = counted(webhook, bodies)
    gone = [*bodies, ticket.gone(40, "marked_as_spam"), ticket.gone(40.01, "soft_deleted")]
    back = [*gone, ticket.gone(50, "undeleted")]

    assert counted(webhook, gone) == {("Support", "email"): counts("spam 1")}
    assert counted(webhook, back) == counted(webhook, back[::-1]) == kept


@given(st.permutations([*TICKETS, *TICKETS[::3]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, bodies: list[bytes]) -> None:
    assert counted(webhook, bodies) == counted(webhook, TICKETS)


def test_no_two_things_have_the_same_id_and_nothing_personal_is_told(webhook: Webhook) -> None:
    events = told_by(webhook, map(signed, TICKETS))

    assert len({(event.source, event.id) for event in events}) == len(events)
    assert b"Marked" in b"".join(TICKETS)
    assert b"Marked" not in b"".join(map(checked, events))
