"""What feeds in trouble set off: the pages of workers, minute by minute, by the product's own collector."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scripts.alerts.feed import FEED_ALERTS
from stream.core.windows import EPOCH
from stream.status.feed import CheckpointFigures, Feed, PartitionFeed
from stream.status.source_feed import KEPT_MINUTES, SourceFeed
from tests.alerts.stories import STEP, Scrapes, Told, assert_told, board_scrape, instants, scrapes_of_feeds
from tests.board.boards import a_board, a_queue

pytestmark = pytest.mark.slow

BROKEN_AT = EPOCH + timedelta(minutes=10)
MENDED_AT = EPOCH + timedelta(minutes=40)

Pages = dict[str, Feed | None]
Trouble = Callable[[Pages, datetime], None]
"""Puts into the pages what is wrong with them at an instant, while it is."""


def healthy(at: datetime) -> Pages:
    """Two workers with a partition each, to which all comes at once."""
    return {worker: feed(at, number) for number, worker in enumerate(("worker-0", "worker-1"))}


def feed(at: datetime, *partitions: int) -> Feed:
    """What a worker that owns these partitions knows of itself."""
    return Feed(
        recovery="ready",
        partitions={("contacts", number): partition(at, number) for number in partitions},
        checkpoints=CheckpointFigures(count=int((at - EPOCH).total_seconds()), finished_at=at),
        newest_event=at,
        sources={"pbx": source(at, at), "chat": source(at, at)},
    )


def source(newest: datetime, at: datetime) -> SourceFeed:
    """What was heard of a source at an instant: one event."""
    one = SourceFeed()
    one.heard([newest], at)
    return one


def partition(at: datetime, number: int) -> PartitionFeed:
    """One of which everything is applied and committed."""
    offset = int((at - EPOCH).total_seconds())
    return PartitionFeed(
        "contacts",
        number,
        recovered_at=EPOCH,
        position=offset,
        committed=offset,
        highwater=offset,
        applied_at=at,
        record_at=at,
        committed_at=at,
    )


def of(page: Feed | None) -> Feed:
    """The page of a worker that answers."""
    assert page is not None
    return page


def scrapes(trouble: Trouble, *, is_open: bool = True) -> Scrapes:
    """An hour in which something is wrong from 0:10 to 0:40."""
    queue = board_scrape(a_board(a_queue()))
    if not is_open:
        queue = {series: 0 if series[0] == "contact_queue_open" else value for series, value in queue.items()}
    found = scrapes_of_feeds(_pages(trouble))
    figures = {series: value for series, value in queue.items() if series[0] != "up"}
    return [figures | scrape for scrape in found]


def _pages(trouble: Trouble) -> Iterator[Pages]:
    for at in instants(timedelta(hours=1)):
        pages = healthy(at)
        if BROKEN_AT <= at < MENDED_AT:
            trouble(pages, at)
        yield pages


def nothing_comes(pages: Pages, _: datetime) -> None:
    for page in pages.values():
        of(page).newest_event = BROKEN_AT
        of(page).sources = {"pbx": SourceFeed(newest=BROKEN_AT), "chat": SourceFeed(newest=BROKEN_AT)}


def chat_is_silent(pages: Pages, _: datetime) -> None:
    for page in pages.values():
        of(page).sources["chat"] = SourceFeed(newest=BROKEN_AT)


def chat_is_ahead(pages: Pages, at: datetime) -> None:
    # Only one worker hears of it just now; what the other one hears took a while.
    of(pages["worker-0"]).sources["chat"] = source(at + timedelta(seconds=90), at)
    of(pages["worker-1"]).sources["chat"] = source(at + timedelta(seconds=70), at)


def chat_is_in_another_time_zone(pages: Pages, at: datetime) -> None:
    for page in pages.values():
        of(page).sources["chat"] = source(at - timedelta(hours=1), at)


def one_falls_behind(pages: Pages, at: datetime) -> None:
    behind = of(pages["worker-1"]).partitions["contacts", 1]
    behind.position = behind.committed = int((BROKEN_AT - EPOCH).total_seconds())
    behind.applied_at = at
    behind.record_at = BROKEN_AT


def no_broker_answers(pages: Pages, _: datetime) -> None:
    for page in pages.values():
        of(page).broker_silent_since = BROKEN_AT


def one_worker_is_cut_off(pages: Pages, _: datetime) -> None:
    of(pages["worker-1"]).broker_silent_since = BROKEN_AT
    of(pages["worker-1"]).partitions["contacts", 1].silent_since = BROKEN_AT


def one_broker_is_gone(pages: Pages, _: datetime) -> None:
    of(pages["worker-0"]).partitions["contacts", 0].silent_since = BROKEN_AT


def records_are_set_aside(pages: Pages, at: datetime) -> None:
    of(pages["worker-0"]).dead_letters = 3 + int((at - BROKEN_AT) / STEP)


def records_are_lost(pages: Pages, _: datetime) -> None:
    of(pages["worker-0"]).gaps = 1


def nobody_owns_one(pages: Pages, _: datetime) -> None:
    of(pages["worker-1"]).partitions.clear()


def two_own_one(pages: Pages, at: datetime) -> None:
    of(pages["worker-0"]).partitions["contacts", 1] = partition(at, 1)


def one_worker_is_dead(pages: Pages, at: datetime) -> None:
    pages["worker-1"] = None
    of(pages["worker-0"]).partitions["contacts", 1] = partition(at, 1)


def all_workers_are_dead(pages: Pages, _: datetime) -> None:
    pages.update(dict.fromkeys(pages))


def one_never_gets_ready(pages: Pages, at: datetime) -> None:
    of(pages["worker-1"]).recovery = "recovering"
    of(pages["worker-1"]).partitions.clear()
    of(pages["worker-0"]).partitions["contacts", 1] = partition(at, 1)


def checkpoints_fail(pages: Pages, _: datetime) -> None:
    of(pages["worker-0"]).checkpoints.failing_since = BROKEN_AT
    of(pages["worker-0"]).partitions["contacts", 0].uncommitted_since = BROKEN_AT


STORIES: dict[Trouble, Told] = {
    nothing_comes: {
        "19m": set(),
        "21m": {("ContactFeedStale", "")},
        "30m": {
            ("ContactFeedStale", ""),
            ("ContactSourceSilent", "source pbx"),
            ("ContactSourceSilent", "source chat"),
        },
    },
    chat_is_silent: {"24m": set(), "27m": {("ContactSourceSilent", "source chat")}},
    chat_is_ahead: {"19m": set(), "21m": {("ContactSourceClockAhead", "source chat")}},
    chat_is_in_another_time_zone: {"27m": set(), "31m": {("ContactSourceClockBehind", "source chat")}},
    one_falls_behind: {"11m": set(), "13m": {("ContactConsumerLag", "partition 1")}},
    no_broker_answers: {"10m": set(), "11m30s": {("ContactBrokerSilent", "")}},
    one_worker_is_cut_off: {"10m": set(), "11m30s": {("ContactPartitionSilent", "partition 1")}},
    one_broker_is_gone: {"10m": set(), "11m30s": {("ContactPartitionSilent", "partition 0")}},
    records_are_set_aside: {"9m": set(), "12m": {("ContactDeadLetters", "")}},
    records_are_lost: {"9m": set(), "12m": {("ContactOffsetGap", "")}, "30m": set()},
    nobody_owns_one: {"10m": set(), "12m": {("ContactPartitionOrphaned", "partition 1")}},
    two_own_one: {"10m": set(), "12m": {("ContactPartitionShared", "partition 1")}},
    one_worker_is_dead: {"10m": set(), "12m": {("ContactWorkerDown", "instance worker-1")}},
    all_workers_are_dead: {
        "10m": set(),
        "12m": {
            ("ContactNoWorker", ""),
            *((("ContactWorkerDown", f"instance worker-{number}")) for number in (0, 1)),
            *((("ContactPartitionOrphaned", f"partition {number}")) for number in (0, 1)),
        },
    },
    one_never_gets_ready: {"14m": set(), "16m": {("ContactWorkerNotReady", "instance worker-1")}},
    checkpoints_fail: {
        "11m": set(),
        "12m": {("ContactCheckpointFailing", "instance worker-0")},
        "13m": {("ContactCheckpointFailing", "instance worker-0"), ("ContactUncommitted", "partition 0")},
    },
}


@pytest.mark.parametrize("trouble", STORIES, ids=lambda trouble: trouble.__name__)
def test_trouble_is_told_and_is_over_when_it_is_mended(trouble: Trouble, tmp_path: Path) -> None:
    assert_told(scrapes(trouble), {**STORIES[trouble], "59m": set()}, tmp_path)


@pytest.mark.parametrize("trouble", [nothing_comes, chat_is_silent], ids=lambda trouble: trouble.__name__)
def test_while_every_queue_is_closed_silence_is_no_trouble(trouble: Trouble, tmp_path: Path) -> None:
    assert_told(scrapes(trouble, is_open=False), {"21m": set(), "35m": set()}, tmp_path)


def test_one_event_with_a_wrong_time_is_no_wrong_clock(tmp_path: Path) -> None:
    def one_is_ahead(pages: Pages, at: datetime) -> None:
        if at < BROKEN_AT + timedelta(minutes=KEPT_MINUTES):  # so long a worker has it in mind
            chat_is_ahead(pages, at)

    assert_told(scrapes(one_is_ahead), {f"{minute}m": set() for minute in range(10, 40)}, tmp_path)


def test_history_that_is_replayed_is_no_wrong_clock(tmp_path: Path) -> None:
    def replayed(pages: Pages, at: datetime) -> None:  # two days before, at five times the speed
        told = at - timedelta(days=2) + 5 * (at - BROKEN_AT)
        for page in pages.values():
            of(page).sources["chat"] = source(told, at)

    assert_told(scrapes(replayed), {f"{minute}m": set() for minute in range(10, 40)}, tmp_path)


def test_a_worker_that_stays_behind_by_as_much_makes_no_clock_wrong(tmp_path: Path) -> None:
    def behind(pages: Pages, at: datetime) -> None:
        slow = of(pages["worker-1"]).partitions["contacts", 1]
        slow.highwater, slow.record_at = slow.position + 500, at - timedelta(minutes=2)
        for page in pages.values():
            of(page).sources["chat"] = source(at - timedelta(minutes=2), at)

    told = {f"{minute}m": {("ContactConsumerLag", "partition 1")} for minute in range(15, 40)}

    assert_told(scrapes(behind), told, tmp_path)


def test_a_worker_that_wakes_from_a_pause_is_no_alert(tmp_path: Path) -> None:
    def wakes(pages: Pages, at: datetime) -> None:
        if at == BROKEN_AT + timedelta(minutes=15):  # one scrape, before it has heard of what happened meanwhile
            nothing_comes(pages, at)
            no_broker_answers(pages, at)
            one_broker_is_gone(pages, at)
            checkpoints_fail(pages, at)

    quiet: dict[str, set[tuple[str, str]]] = {f"{minute}m": set() for minute in range(24, 30)}

    assert_told(scrapes(wakes), {**quiet, "25m30s": set()}, tmp_path)


def test_every_alert_about_the_feed_has_its_story() -> None:
    told = {alert for story in STORIES.values() for alerts in story.values() for alert, _ in alerts}

    assert told == {alert.name for alert in FEED_ALERTS}
