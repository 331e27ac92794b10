"""Minutes of a Genesys Cloud with figures computed by hand: whatever the order, however often each is posted."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.families.contacts.tally import Tally
from stream.sdk.producer import checked
from stream.sources.genesys_cloud.source import GenesysCloudWebhook
from tests.samples import sample
from tests.sources.genesys_cloud.organization import SALES, SUPPORT, counted, detail, told, webhook_in

DAY: list[dict[str, Any]] = [
    # Ann waits 12.1 s, talks 70.8 s beside 10 s on hold; wrap-up 25 s.
    detail("customer.start", "00:00", "ann", "ann-c"),
    detail("flow.start", "00:00", "ann", "ann-f", flowType="INBOUNDCALL"),
    detail("acd.start", "00:02.1", "ann", "ann-q", queueId=SALES, routingPriority=0),
    detail("user.start", "00:09.8", "ann", "ann-u", queueId=SALES, userId="mia"),
    detail(
        *("acd.end", "00:14.2", "ann", "ann-q"),
        queueId=SALES,
        acdOutcome="ANSWERED",
        answeredUserId="mia",
        connected=12.1,
        disconnectType="TRANSFER",
    ),
    detail(
        *("user.end", "01:35", "ann", "ann-u"),
        queueId=SALES,
        userId="mia",
        disconnectType="PEER",
        interacting=70.8,
        held=10,
        alerting=4.4,
    ),
    detail("customer.end", "01:35", "ann", "ann-c", disconnectType="ENDPOINT", interacting=95),
    detail("acw", "02:00", "ann", "ann-u", queueId=SALES, userId="mia", wrapup=25, wrapupCode="w1"),
    # Bob gives up after 40 s, while it rings.
    detail("acd.start", "01:00", "bob", "bob-q", queueId=SALES),
    detail("user.start", "01:35", "bob", "bob-u", queueId=SALES, userId="mia"),
    detail(
        *("acd.end", "01:40", "bob", "bob-q"),
        queueId=SALES,
        acdOutcome="ABANDON",
        connected=40,
        disconnectType="PEER",
    ),
    detail("user.end", "01:40", "bob", "bob-u", queueId=SALES, userId="mia", disconnectType="PEER", alerting=5),
    # Cid rings at Mia for 15 s in vain, and waits 30 s in all; Tom hands him on to support after 100 s.
    detail("acd.start", "02:00", "cid", "cid-q", queueId=SALES),
    detail("user.start", "02:05", "cid", "cid-u1", queueId=SALES, userId="mia"),
    detail("user.end", "02:20", "cid", "cid-u1", queueId=SALES, userId="mia", disconnectType="TIMEOUT", alerting=15),
    detail("user.start", "02:25", "cid", "cid-u2", queueId=SALES, userId="tom"),
    detail(
        *("acd.end", "02:30", "cid", "cid-q"),
        queueId=SALES,
        acdOutcome="ANSWERED",
        answeredUserId="tom",
        connected=30,
    ),
    detail(
        *("user.end", "04:10", "cid", "cid-u2"),
        queueId=SALES,
        userId="tom",
        disconnectType="TRANSFER",
        interacting=100,
        alerting=5,
    ),
    # In support he waits 5 s, and talks for 60 s.
    detail("acd.start", "04:10", "cid", "cid-q2", queueId=SUPPORT),
    detail(
        *("acd.end", "04:15", "cid", "cid-q2"),
        queueId=SUPPORT,
        acdOutcome="ANSWERED",
        answeredUserId="eva",
        connected=5,
    ),
    detail(
        *("user.end", "05:15", "cid", "cid-u3"),
        queueId=SUPPORT,
        userId="eva",
        disconnectType="CLIENT",
        interacting=60,
    ),
    # Dan asks after 50 s to be called back, and leaves the queue by that; Tom calls him, and they talk for 80 s.
    detail("acd.start", "05:00", "dan", "dan-q", queueId=SALES),
    detail(
        *("acd.end", "05:50", "dan", "dan-q"),
        queueId=SALES,
        acdOutcome="FLOW_OUT",
        connected=50,
        disconnectType="TRANSFER",
    ),
    detail("acd.start", "05:50", "dan", "dan-q2", queueId=SALES, mediaType="CALLBACK"),
    detail(
        *("acd.end", "08:00", "dan", "dan-q2"),
        queueId=SALES,
        mediaType="CALLBACK",
        acdOutcome="ANSWERED",
        answeredUserId="tom",
    ),
    detail(
        *("user.end", "09:30", "dan", "dan-u"),
        queueId=SALES,
        userId="tom",
        direction="OUTBOUND",
        disconnectType="PEER",
        interacting=80,
        callbackNumbers=["tel:+38640000004"],
    ),
    # Eve leaves the queue after 60 s, since the flow gives up.
    detail("acd.start", "06:00", "eve", "eve-q", queueId=SUPPORT),
    detail(
        *("acd.end", "07:00", "eve", "eve-q"),
        queueId=SUPPORT,
        acdOutcome="FLOW_OUT",
        connected=60,
        disconnectType="TIMEOUT",
    ),
    # Fay is called by us for sales in vain.
    detail(
        *("user.end", "07:30", "fay", "fay-u"),
        queueId=SALES,
        userId="mia",
        direction="OUTBOUND",
        disconnectType="TIMEOUT",
    ),
    # A supervisor looks at a screen, and a colleague is called directly.
    detail("user.start", "08:00", "gil", "gil-u", userId="tom", mediaType="SCREENMONITORING"),
    detail("user.end", "08:30", "hal", "hal-u", userId="tom", disconnectType="PEER", interacting=20),
]


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> GenesysCloudWebhook:
    return webhook_in(tmp_path_factory.mktemp("genesys"))


def expected(tally: Tally, **by_hand: int) -> None:
    assert {name: getattr(tally, name) for name in by_hand} == by_hand


def test_the_figures_are_those_that_were_computed_by_hand(webhook: GenesysCloudWebhook) -> None:
    tallies = counted(told(webhook, DAY))

    assert tallies.keys() == {"Sales", "Support"}
    sales, support = tallies["Sales"], tallies["Support"]
    # Ann, Bob, Cid and Dan; within 20 s only Ann is answered.
    expected(sales, offered=4, answered=2, answered_in_target=1, abandoned=1, dequeued_moved=1, expired=0)
    expected(sales, answer_wait_ms=12_100 + 30_000, abandon_wait_ms=40_000, transferred_out=1, offers_missed=1)
    # Ann, Cid, and Dan when he is called.
    expected(sales, handled=3, talk_ms=70_800 + 100_000 + 80_000, hold_ms=10_000, wrapup_ms=25_000)
    expected(sales, callbacks_requested=1, callback_attempts=1, callbacks_connected=1, callbacks_failed=0)
    expected(support, offered=2, answered=1, answered_in_target=1, abandoned=0, dequeued_timeout=1)
    expected(support, answer_wait_ms=5_000, handled=1, talk_ms=60_000, transferred_out=0, offers_missed=0)


@given(st.permutations([*DAY, *DAY[::2]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: GenesysCloudWebhook, parts: list[dict[str, Any]]) -> None:
    assert counted(told(webhook, parts)) == counted(told(webhook, DAY))


def test_what_is_told_twice_has_the_same_id_and_no_two_things_have_one(webhook: GenesysCloudWebhook) -> None:
    events = told(webhook, DAY)

    assert told(webhook, DAY) == events
    assert len({(event.source, event.id) for event in events}) == len(events)
    for event in events:
        checked(event)


def test_nothing_personal_gets_into_an_event(webhook: GenesysCloudWebhook) -> None:
    assert b"386" not in b"".join(checked(event) for event in told(webhook, DAY))


def test_the_constructed_story_of_the_samples_has_the_figures_of_its_times(tmp_path: Path) -> None:
    story = json.loads(sample("genesys-cloud/eventbridge_story_CONSTRUCTED.json").read_bytes())
    webhook = webhook_in(tmp_path, queues_file=None)

    (queue, tally), *others = counted(told(webhook, story)).items()

    assert (queue, others) == ("q0000000-0000-4000-8000-000000000001", [])
    expected(tally, offered=1, answered=1, answered_in_target=1, answer_wait_ms=12_100, handled=1)
    expected(tally, talk_ms=70_800, hold_ms=10_000, wrapup_ms=25_000, abandoned=0, expired=0)
