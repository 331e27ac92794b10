"""A quarter of an hour of an Amazon Connect, with figures computed by hand: by events, by records, and by both."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.policies import Policies, Rule
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.tally import Tally
from stream.sdk.producer import checked
from stream.sources.amazon_connect.source import AmazonConnectWebhook
from stream.sources.intake import Intake
from stream.sources.source import Received
from tests.samples import sample
from tests.sources.amazon_connect.aws import (
    Call,
    connected,
    contact_event,
    contact_events,
    contact_record,
    counted,
    firehose,
    posted,
    told,
)
from tests.timeline import after, event, fold_of, shown

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


def corrected(call: Call, **changes: Any) -> dict[str, Any]:
    """Return the record that corrects a call three minutes after the first one."""
    return contact_record(replace(call, **changes), updated=after(call.wrapped_up or "00:00") + timedelta(minutes=4))


def test_the_record_that_was_updated_last_corrects_all_others_in_any_order(webhook: AmazonConnectWebhook) -> None:
    # By hand: answered after 12 s instead of 10, on hold for 40 s instead of 30, wrap-up of 50 s instead of 30.
    call = DAY[0]
    requests = [
        *map(posted, contact_events(call)),
        firehose(contact_record(call)),
        firehose(corrected(call, answered="00:12", hold=40, wrapped_up="04:00")),
    ]

    for order in (requests, requests[::-1], requests[3:] + requests[:3], requests[-1:] + requests[:-1]):
        tally = counted(told(webhook, order))["Sales"]
        expected(tally, offered=1, answered=1, answer_wait_ms=12_000, handled=1)
        expected(tally, talk_ms=138_000, hold_ms=40_000, wrapup_ms=50_000)


def test_holds_are_told_while_they_last_and_the_record_brings_nothing_new(webhook: AmazonConnectWebhook) -> None:
    # On hold from 01:00 to 01:30, of a conversation from 00:10 to 03:10.
    held = contact_event("HOLD", DAY[0], "01:00", answered="00:10")
    resumed = contact_event("UNHOLD", DAY[0], "01:30", answered="00:10")
    events = [posted(event) for event in (*contact_events(DAY[0]), held, resumed, held)]
    record = firehose(contact_record(DAY[0]))

    for requests in (events, events[::-1], [*events, record], [record, *events]):
        expected(counted(told(webhook, requests))["Sales"], handled=1, talk_ms=150_000, hold_ms=30_000)


def test_talk_is_what_amazon_connect_counted_where_it_says_so(webhook: AmazonConnectWebhook) -> None:
    # A conference that the agent left after 70 s; by the instants it would be 150.
    record = contact_record(DAY[0])
    record["Agent"] |= {"AgentInteractionDuration": 70}

    tally = counted(told(webhook, [*map(posted, contact_events(DAY[0])), firehose(record)]))["Sales"]

    expected(tally, handled=1, talk_ms=70_000, hold_ms=30_000, wrapup_ms=30_000)


def test_a_record_that_is_corrected_after_the_duplicate_window_counts_nothing_again(tmp_path: Path) -> None:
    first, days_later = contact_record(DAY[0]), contact_record(DAY[0], updated=after("00:00") + timedelta(days=6))
    intake = Intake()
    webhook = connected(tmp_path, intake)

    assert len(told(webhook, [firehose(first, days_later)])) == len(told(webhook, [firehose(first)]))
    assert intake.ignored == {"late correction": 1}


def test_with_a_longer_window_a_correction_of_days_later_corrects(tmp_path: Path) -> None:
    window = timedelta(days=8)
    webhook = connected(tmp_path, corrected_within_seconds=window // timedelta(seconds=1))
    rule = Rule(queue="Sales", changes={"duplicate_window": window})
    later = after("00:00") + timedelta(days=6)
    between = [
        event("enqueued", f"c{hour}", after("00:00") + timedelta(hours=hour), queue="Sales") for hour in range(140)
    ]
    record = contact_record(replace(DAY[0], wrapped_up="04:10"), updated=later)
    events = [*told(webhook, [firehose(contact_record(DAY[0]))]), *between, *told(webhook, [firehose(record)])]

    fold = ContactsFold(Policies(rules=(rule,)))
    for offset, one in enumerate(events):
        fold.apply([one], [offset])
        fold.settle()
        fold.committed(offset + 1)

    [queue] = shown(fold, later)
    expected(queue.total, answered=1, handled=1, wrapup_ms=60_000)


def test_the_recorded_deliveries_of_one_record_count_once(tmp_path: Path) -> None:
    names = ("first_delivery", "second_delivery_six_days_later", "third_delivery")
    recorded = [json.loads(sample(f"amazon-connect/contact_record_1_{name}.json").read_bytes()) for name in names]
    webhook = connected(tmp_path, corrected_within_seconds=8 * 86_400)

    [queue] = shown(fold_of(told(webhook, map(posted, recorded))), datetime(2022, 1, 5, 18, tzinfo=UTC))

    expected(queue.total, offered=1, answered=1, answer_wait_ms=346_000, handled=1, transferred_out=1)
    expected(queue.total, talk_ms=239_000, hold_ms=221_000, wrapup_ms=5_000)
    assert not queue.counted.taken_back


def test_what_is_told_twice_has_the_same_id_and_says_the_same(webhook: AmazonConnectWebhook) -> None:
    events = told(webhook, BY_EVENTS + BY_RECORDS)

    said = {(one.source, one.id): one for one in events}
    assert all(said[one.source, one.id] == one for one in events)
    assert len(said) < len(events)
    for one in said.values():
        checked(one)
