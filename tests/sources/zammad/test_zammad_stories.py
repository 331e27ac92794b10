"""A day of a Zammad with figures computed by hand: whatever the order, however often each is posted."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.sdk.producer import checked
from stream.sources.source import Webhook
from tests.sources.desk_boards import counted_cases, counts, open_cases, told_by
from tests.sources.zammad.service_desk import BEGIN, TICKETS, request, webhook_in

EVENING = BEGIN + timedelta(hours=9)


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(tmp_path_factory.mktemp("zammad"))


def counted(webhook: Webhook, told: Sequence[bytes]) -> dict[tuple[str, str], dict[str, int]]:
    return counted_cases(told_by(webhook, map(request, told)), EVENING)


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(webhook, TICKETS) == {
        # 101 and 103 are opened and asked; 101 was handed on. 104 was opened four days ago, and is answered: nobody
        # knows whether it had waited.
        ("Service Desk", "email"): counts(
            "opened 3, assigned 3, reassigned 1, received 2, automatic 1, sent 1, merged 1"
        ),
        # 101: asked at 0, 60 and 120, answered at 30, 75 and 140; nobody waits for an answer to what a machine wrote at
        # 31, and what was resolved at 75 stays so when it is changed.
        ("Second Level", "email"): counts(
            "assigned 1, received 2, sent 3, automatic 1, first_responses 1, first_responses_ms 1800000",
            "next_responses 2, next_responses_ms 2100000",
            "resolved 2, reopened 1, first_resolutions 1, first_resolutions_ms 4500015",
            "full_resolutions 1, full_resolutions_ms 8400015, messages 6, assigned_resolved 1",
        ),
        # 102: written to at 5; asked at 25, answered at 35.
        ("Service Desk", "messaging"): counts(
            "opened 1, assigned 1, received 1, sent 2, first_responses 1, first_responses_ms 600000"
        ),
    }


def test_what_is_open_in_the_evening_and_waits(webhook: Webhook) -> None:
    standing = open_cases(told_by(webhook, map(request, TICKETS)), EVENING)

    assert {place: shown for place, shown in standing.items() if any(shown)} == {
        ("Service Desk", "email"): (1, 0),  # 104
        ("Service Desk", "messaging"): (1, 0),  # 102
    }


@given(st.permutations([*TICKETS, *TICKETS[::3]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, told: list[bytes]) -> None:
    assert counted(webhook, told) == counted(webhook, TICKETS)


def test_where_the_first_request_is_lost_the_next_one_opens_the_ticket(webhook: Webhook) -> None:
    told = counted(webhook, TICKETS[1:11])

    assert sum(each.get("opened", 0) for each in told.values()) == 1
    assert sum(each.get("next_responses", 0) + each.get("first_responses", 0) for each in told.values()) == 2


def test_nothing_personal_is_told(webhook: Webhook) -> None:
    events = [checked(event) for event in told_by(webhook, map(request, TICKETS))]

    assert b"Marked" in b"".join(TICKETS)
    assert b"example.org" in b"".join(TICKETS)
    assert not [event for event in events for word in (b"Marked", b"example", b"invented") if word in event]
