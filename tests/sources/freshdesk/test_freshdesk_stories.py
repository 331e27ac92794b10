"""A day of a Freshdesk with figures computed by hand: whatever the order, however often each is posted."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.sdk.producer import checked
from stream.sources.source import Webhook
from tests.sources.desk_boards import counted_cases, counts, open_cases, told_by
from tests.sources.freshdesk.helpdesk import BEGIN, TICKETS, Ticket, request, webhook_in

EVENING = BEGIN + timedelta(hours=9)


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(tmp_path_factory.mktemp("freshdesk"))


def counted(webhook: Webhook, told: Sequence[bytes]) -> dict[tuple[str, str], dict[str, int]]:
    return counted_cases(told_by(webhook, map(request, told)), EVENING)


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(webhook, TICKETS) == {
        # 2001, which was handed on; 2002, written to at 5, asked at 25 and answered at 35; 2004 was deleted. 1999 was
        # opened four days ago, and is answered: nobody knows whether it had waited.
        ("Support", "email"): counts(
            "opened 3, assigned 3, reassigned 1, received 2, sent 2, deleted 1",
            "first_responses 1, first_responses_ms 600000",
        ),
        # 2001: asked at 0, 60 and 120, answered at 30, 75 and 140; what was resolved at 75 stays so when it is tagged.
        ("Second Level", "email"): counts(
            "assigned 1, received 2, sent 3, first_responses 1, first_responses_ms 1800000",
            "next_responses 2, next_responses_ms 2100000",
            "resolved 2, reopened 1, first_resolutions 1, first_resolutions_ms 4500000",
            "full_resolutions 1, full_resolutions_ms 8400000, messages 6, assigned_resolved 1",
        ),
        ("Support", "social"): counts("spam 1"),  # 2003
    }


def test_what_is_open_in_the_evening_and_waits(webhook: Webhook) -> None:
    standing = open_cases(told_by(webhook, map(request, TICKETS)), EVENING)

    assert {place: shown for place, shown in standing.items() if any(shown)} == {("Support", "email"): (2, 0)}


@pytest.mark.parametrize("groups", [("", "Aid"), ("", "zeal"), ("Aid", "zeal"), ("zeal", "Aid")])
def test_the_queue_is_what_a_rule_made_of_it_in_the_second_of_the_opening(
    webhook: Webhook, groups: Sequence[str]
) -> None:
    ticket = Ticket(2101, 0)
    told = [ticket.told("created", 0, group_name=groups[0]), ticket.told("changed", 0, group_name=groups[1])]

    for each in (told, told[::-1]):
        events = told_by(webhook, map(request, each))
        assert [place for place, (is_open, _) in open_cases(events, EVENING).items() if is_open] == [
            (groups[1], "email")
        ]
        assert sum(counts.get("reassigned", 0) for counts in counted_cases(events, EVENING).values()) == 1


@given(st.permutations([*TICKETS, *TICKETS[::3]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, told: list[bytes]) -> None:
    assert counted(webhook, told) == counted(webhook, TICKETS)


def test_nothing_personal_is_told(webhook: Webhook) -> None:
    events = [checked(event) for event in told_by(webhook, map(request, TICKETS))]

    assert b"marked@example.com" in b"".join(TICKETS)
    assert not [event for event in events for word in (b"marked", b"example", b"ana") if word in event]
