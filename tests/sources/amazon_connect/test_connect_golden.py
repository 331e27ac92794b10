"""A quarter of an hour of an Amazon Connect, with figures computed by hand: by events, by records, and by both."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.families.contacts.tally import Tally
from stream.sdk.producer import checked
from stream.sources.amazon_connect.source import AmazonConnectWebhook
from stream.sources.source import Received
from tests.sources.amazon_connect.aws import (
    Call,
    connected,
    contact_events,
    contact_record,
    counted,
    firehose,
    posted,
    told,
)
from tests.timeline import after, fold_of, shown

DAY = [
    # Waits 10 s, talks 180 s of which 30 on hold, wrap-up 30 s.
    Call(contact="ann", queued="00:00", answered="00:10", left="03:10", ended="03:10", wrapped_up="03:40", hold=30),
    # Gives up after 40 s.
    Call(contact="bob", queued="01:00", ended="01:40", reason="CUSTOMER_DISCONNECT"),
    # Waits 50 s, is handed on to somebody outside after 120 s, and talks there for another 310; wrap-up 20 s.
    Call(
        contact="cid",
        queued="02:00",
        answered="02:50",
        left="04:50",
        ended="10:00",
        wrapped_up="05:10",
        elsewhere=True,
    ),
    # An agent handed a call on to another queue: waits 5 s there, talks 60 s, no wrap-up.
    Call(
        contact="dan",
        queue="support",
        method="TRANSFER",
        queued="05:30",
        answered="05:35",
        ended="06:35",
        reason="AGENT_DISCONNECT",
    ),
    # Called by us: 80 s with wrap-up of 30 s, and nobody waited.
    Call(
        contact="eve",
        method="OUTBOUND",
        reached="07:20",
        answered="07:00",
        left="08:20",
        ended="08:20",
        wrapped_up="08:50",
    ),
    # Called by us in vain.
    Call(contact="fay", method="OUTBOUND", answered="08:00", ended="08:30", left="08:30", wrapped_up="08:32"),
    # Never in a queue: served by the flow.
    Call(contact="gil", queue=None, ended="09:00", reason="CONTACT_FLOW_DISCONNECT"),
    # Sent away by the flow after 20 s.
    Call(contact="hal", queue="support", queued="09:00", ended="09:20", reason="CONTACT_FLOW_DISCONNECT"),
]

BY_EVENTS = [posted(event) for call in DAY for event in contact_events(call)]
BY_RECORDS = [firehose(*(contact_record(call) for call in DAY))]


def expected(tally: Tally, **by_hand: int) -> None:
    assert {name: getattr(tally, name) for name in by_hand} == by_hand


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> AmazonConnectWebhook:
    return connected(tmp_path_factory.mktemp("connect"))


@pytest.mark.parametrize(
    ("requests", "hold_ms"),
    [(BY_EVENTS, 0), (BY_RECORDS, 30_000), (BY_EVENTS + BY_RECORDS, 30_000), (BY_RECORDS + BY_EVENTS, 30_000)],
    ids=["by events", "by records", "by both", "records first"],
)
def test_the_figures_are_those_that_were_computed_by_hand(
    webhook: AmazonConnectWebhook, requests: list[Received], hold_ms: int
) -> None:
    tallies = counted(told(webhook, requests))

    expected(tallies["Sales"], offered=3, answered=2, answered_in_target=1, abandoned=1, dequeued=0, expired=0)
    # ASA (10 + 50) / 2 = 30 s; AHT (210 + 140 + 110) / 3 = 153.3 s.
    expected(tallies["Sales"], answer_wait_ms=60_000, abandon_wait_ms=40_000, handled=3, wrapup_ms=80_000)
    expected(tallies["Sales"], talk_ms=180_000 + 120_000 + 80_000 - hold_ms, hold_ms=hold_ms)
    expected(tallies["Support"], offered=2, transferred_in=1, answered=1, answer_wait_ms=5_000, handled=1)
    expected(tallies["Support"], talk_ms=60_000, wrapup_ms=0)
    assert tallies.keys() == {"Sales", "Support"}


@given(st.permutations([*BY_EVENTS, *BY_RECORDS, *BY_EVENTS[::3]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_nor_the_way_matters(
    webhook: AmazonConnectWebhook, requests: list[Received]
) -> None:
    assert counted(told(webhook, requests)) == counted(told(webhook, BY_RECORDS))


@given(st.sets(st.sampled_from(range(len(BY_EVENTS)))))
@settings(max_examples=60, deadline=None)
def test_a_record_makes_good_for_every_event_that_was_lost(webhook: AmazonConnectWebhook, lost: set[int]) -> None:
    arrived = [request for number, request in enumerate(BY_EVENTS) if number not in lost]

    assert counted(told(webhook, arrived + BY_RECORDS)) == counted(told(webhook, BY_RECORDS))


def test_nothing_is_taken_back_when_a_record_follows_the_events(webhook: AmazonConnectWebhook) -> None:
    # Nobody was on hold here: what only the record tells is a correction, and counted as one.
    calls = [call for call in DAY if not call.hold and not call.elsewhere and call.contact != "hal"]
    requests = [posted(event) for call in calls for event in contact_events(call)]

    queues = shown(fold_of(told(webhook, [*requests, firehose(*map(contact_record, calls))])), after("30:00"))

    assert {queue.queue: queue.counted.taken_back for queue in queues} == {"Sales": b"", "Support": b""}


def test_what_is_told_twice_has_the_same_id_and_says_the_same(webhook: AmazonConnectWebhook) -> None:
    events = told(webhook, BY_EVENTS + BY_RECORDS)

    said = {(event.source, event.id): event for event in events}
    assert all(said[event.source, event.id] == event for event in events)
    assert len(said) < len(events)
    for event in said.values():
        checked(event)
