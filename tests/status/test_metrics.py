from datetime import timedelta

from stream.errors import INVALID_REASONS
from stream.families.registry import EVENT_TYPES
from stream.http.client_library import registry_of
from stream.status.feed import Feed
from stream.status.metrics import feed_families
from tests.board.boards import NOON
from tests.families.everything import a_busy_feed


def sample(feed: Feed, name: str, labels: dict[str, str] | None = None) -> float | None:
    return registry_of(lambda: feed_families(feed, EVENT_TYPES)).get_sample_value(name, labels)


def test_every_type_and_reason_has_a_sample_before_it_occurs() -> None:
    assert all(sample(Feed(), "contact_events_total", {"event": event}) == 0 for event in EVENT_TYPES)
    assert all(sample(Feed(), "contact_events_invalid_total", {"reason": reason}) == 0 for reason in INVALID_REASONS)


def test_events_are_counted_by_type_and_reason() -> None:
    assert sample(a_busy_feed(), "contact_events_total", {"event": "contact.enqueued"}) == 7
    assert sample(a_busy_feed(), "contact_events_invalid_total", {"reason": "not_json"}) == 2


def test_reading_a_feed_adds_nothing_to_it() -> None:
    feed = a_busy_feed()

    feed_families(feed)

    assert feed == a_busy_feed()


def test_lag_is_what_waits_on_the_broker() -> None:
    assert sample(a_busy_feed(), "contact_consumer_lag_records", {"topic": "contacts", "partition": "0"}) == 10
    assert sample(a_busy_feed(), "contact_partition_owned", {"topic": "contacts", "partition": "1"}) == 1


def test_a_partition_that_left_takes_its_series_with_it() -> None:
    feed = a_busy_feed()
    del feed.partitions["contacts", 0]

    assert sample(feed, "contact_partition_owned", {"topic": "contacts", "partition": "0"}) is None


def test_instants_are_timestamps_and_unknown_ones_have_no_sample() -> None:
    noon = NOON.timestamp()
    pbx = (NOON - timedelta(seconds=5)).timestamp()

    assert sample(a_busy_feed(), "contact_newest_event_timestamp_seconds") == noon
    assert sample(a_busy_feed(), "contact_source_last_event_timestamp_seconds", {"source": "pbx"}) == pbx
    assert sample(Feed(), "contact_newest_event_timestamp_seconds") is None
    assert sample(Feed(), "contact_checkpoint_duration_seconds") is None


def test_exactly_one_recovery_state_holds() -> None:
    states = {state: sample(Feed(), "contact_recovery_state", {"state": state}) for state in ("starting", "ready")}

    assert states == {"starting": 1, "ready": 0}
    assert sample(Feed(), "contact_ready") == 0
    assert sample(a_busy_feed(), "contact_ready") == 1


def test_checkpoints_tell_how_they_go() -> None:
    assert sample(a_busy_feed(), "contact_checkpoints_total") == 4
    assert sample(a_busy_feed(), "contact_checkpoint_failures_total") == 1
    assert sample(a_busy_feed(), "contact_checkpoint_seconds_total") == 1.5
    assert sample(a_busy_feed(), "contact_checkpoint_duration_seconds") == 0.25
