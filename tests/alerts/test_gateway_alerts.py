"""What a gateway in trouble sets off: its own pages, minute by minute."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.alerts.gateway import GATEWAY_ALERTS, NO_USE_TO_ACT
from stream.core.windows import EPOCH
from stream.gateway.gateway_metrics import PostCounts, gateway_families
from stream.http.exposition import TextFormat, written
from tests.alerts.stories import Scrapes, assert_told, instants
from tests.running import Figures, parsed

BROKEN_AT = EPOCH + timedelta(minutes=10)
MENDED_AT = EPOCH + timedelta(minutes=40)

SPOOLING, FULL = ("ContactGatewaySpooling", "instance gateway-0"), ("ContactGatewaySpoolFull", "instance gateway-0")


ASIDE = ("ContactGatewaySetAside", "instance gateway-0")

IDLE = {"events": 0, "bytes": 0, "limit_bytes": 1000, "broken": None, "oldest": None, "aside": 0}


def scrape(set_aside: int = 0, reason: str = "too_large", **changes: object) -> Figures:
    counts = Counter({reason: set_aside})
    forwarder = SimpleNamespace(spool=SimpleNamespace(**IDLE | changes), set_aside_counts=counts)
    text = written(gateway_families(PostCounts(), forwarder), TextFormat.TEXT).decode()  # type: ignore[arg-type]  # its figures
    target = (("instance", "gateway-0"), ("job", "gateway"))
    return {(name, tuple(sorted((*labels, *target)))): value for (name, labels), value in parsed(text).items()}


def waits(at: datetime) -> Figures:
    del at
    return scrape(events=1, bytes=100, oldest=BROKEN_AT.timestamp())


def fills(at: datetime) -> Figures:
    # Always drained in time, and never fast enough.
    return scrape(events=9, bytes=600, oldest=at.timestamp())


def cannot_be_written(at: datetime) -> Figures:
    del at
    return scrape(broken="disk full")


def sets_aside(at: datetime) -> Figures:
    return scrape(set_aside=1 + int((at - BROKEN_AT).total_seconds()) // 60)


def scrapes(trouble: Callable[[datetime], Figures]) -> Scrapes:
    # A counter stays where it was when the trouble is over.
    ended = scrape(set_aside=30) if trouble is sets_aside else scrape()
    return [
        trouble(at) if BROKEN_AT <= at < MENDED_AT else ended if at >= MENDED_AT else scrape()
        for at in instants(timedelta(hours=1))
    ]


STORIES = [(waits, SPOOLING), (fills, FULL), (cannot_be_written, FULL), (sets_aside, ASIDE)]


@pytest.mark.parametrize(("trouble", "alert"), STORIES, ids=lambda part: getattr(part, "__name__", ""))
def test_trouble_of_a_gateway_is_told_and_is_over_when_it_is_mended(
    trouble: Callable[[datetime], Figures], alert: tuple[str, str], tmp_path: Path
) -> None:
    told = {"9m": set(), "13m": {alert}, "39m": {alert}, "55m": set()}

    assert_told(scrapes(trouble), told, tmp_path, only="ContactGateway.*")


@pytest.mark.parametrize("reason", NO_USE_TO_ACT)
def test_nobody_is_woken_by_what_a_webhook_leaves_out(reason: str, tmp_path: Path) -> None:
    begun = scrape(reason=reason)
    scrapes = [begun if at < BROKEN_AT else scrape(set_aside=30, reason=reason) for at in instants(timedelta(hours=1))]

    assert_told(scrapes, {"9m": set(), "13m": set(), "39m": set()}, tmp_path, only="ContactGateway.*")


def test_every_alert_about_a_gateway_has_its_story() -> None:
    assert {name for _, (name, _) in STORIES} == {alert.name for alert in GATEWAY_ALERTS}
