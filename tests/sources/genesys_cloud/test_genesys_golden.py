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
from tests.sources.genesys_cloud.organization import DAY, counted, told, webhook_in


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
