"""Whether the figures can be trusted: a frozen board looks calm, so the first line of a screen says how the feed is."""

from datetime import timedelta

from grafana_foundation_sdk.builders import common as common_builders

from scripts.dashboards.frame import Page
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import AMBER, GREEN, RED, Look, Value, Words, numbers, told
from scripts.dashboards.queries import PARTITION, Scope
from stream.settings import Settings
from stream.status.freshness import Limits

__all__ = ["banner", "feed_state"]

LIMITS = Limits(silent=Settings().stale_after)
"""As on the live board: from when on the feed is worth a notice."""

SENTENCE = 36
"""Pixels of letters of which the longest of our sentences fits."""

CLOCK = "time:HH:mm:ss"
"""Grafana's unit for a time of the day: a date beside it, as a browser writes it, would not fit its tile."""

_WORDS = {"feed_live": 0, "feed_late": 1, "feed_silent": 2, "feed_behind": 3, "feed_recovering": 4, "feed_away": 5}
"""Words for the numbers of `feed_state`: worse is more."""

ABOUT = """Whether the figures of this screen can be trusted, worst first: the broker does not answer; a worker or \
the owner of a partition is missing, or recovers; records wait; nothing has come for half a minute; events arrive \
late. No answer at all means that Prometheus has no figures."""


def feed_state(page: Page) -> str:
    """Return one number, the worst that is the case; no answer when no worker is scraped."""
    scope = page.scope
    lag = scope.each("contact_consumer_lag_records", PARTITION)
    sent = f"time() - {scope.each('contact_record_timestamp_seconds', PARTITION)}"
    cases = {
        5: f"max ({scope.series('contact_broker_silent_timestamp_seconds')})"
        f" or max ({scope.series('contact_partition_silent_timestamp_seconds')})",
        4: f"(min ({scope.series('contact_ready')}) < 1) or (min ({scope.up()}) < 1) or ({_orphaned(scope)})",
        3: f"max (({sent} > {_seconds(LIMITS.behind)}) and ({lag} > 0))",
        2: f"(time() - max ({scope.series('contact_applied_timestamp_seconds')})) > {_seconds(LIMITS.silent)}",
        1: f"(time() - max ({scope.series('contact_newest_event_timestamp_seconds')})) > {_seconds(LIMITS.late)}",
        0: f"max ({scope.series('contact_ready')})",
    }
    return " or ".join(f"(({case}) * 0 + {number})" for number, case in cases.items())


def _orphaned(scope: Scope) -> str:
    """Return how many partitions had an owner within the hour, where fewer have one now."""
    # A container that is gone leaves no target behind: nothing else says that its part is missing.
    before = f"max by ({', '.join(PARTITION)}) (max_over_time ({scope.series('contact_partition_owned', '1h')}))"
    return f"count ({before}) > count ({scope.each('contact_partition_owned', PARTITION)})"


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():g}"


def banner(page: Page, height: int) -> Row:
    """Return the first line of a screen: the state of the feed, and as of when the figures are."""
    colours = {0: GREEN, 1: AMBER}
    told_as: Words = {(number, number): (page.words[key], colours.get(number, RED)) for key, number in _WORDS.items()}
    look = Look(unit="none", words=told_as, nothing=(page.words["feed_missing"], RED))
    feed = Value(name=page.words["feed"], expr=feed_state(page), look=look)
    clock = Value(
        name=page.words["as_of"],
        expr=f"max (timestamp ({page.scope.series('contact_ready')})) * 1000",
        look=Look(unit=CLOCK, colour="#2b3b55"),
    )
    state = numbers(page.words["feed"], ABOUT, [feed], name=False)
    # Left to itself Grafana makes a sentence too large for one line, and cuts the second off.
    state.text(common_builders.VizTextDisplayOptions().value_size(SENTENCE))
    as_of = numbers(page.words["as_of"], told("contact_ready") + " When it was last asked.", [clock], name=False)
    return Row(height, (state, as_of), (18, 6))
