"""What a source in trouble sets off: its own pages, minute by minute."""

from datetime import timedelta
from pathlib import Path

import pytest

from scripts.alerts.sources import SOURCE_ALERTS
from stream.core.windows import EPOCH
from stream.http.exposition import TextFormat, written
from stream.sources.intake import Intake
from stream.sources.intake_metrics import puller_families
from tests.alerts.stories import Scrapes, assert_told, instants
from tests.running import Figures, parsed

BROKEN_AT = EPOCH + timedelta(minutes=10)
MENDED_AT = EPOCH + timedelta(minutes=40)

LOST = ("ContactSourceDisconnected", "source asterisk-ami")
FULL_DISK = ("ContactSourcePosition", "source asterisk-ami")


def scrape(*, heard: bool = True, failures: int = 0) -> Figures:
    intake = Intake(connected={"berlin": heard, "paris": True})
    text = written(puller_families("asterisk-ami", intake, failures), TextFormat.TEXT).decode()
    target = (("instance", "source-0"), ("job", "sources"))
    return {(name, tuple(sorted((*labels, *target)))): value for (name, labels), value in parsed(text).items()}


def lost() -> Scrapes:
    return [scrape(heard=not BROKEN_AT <= at < MENDED_AT) for at in instants(timedelta(hours=1))]


def full_disk() -> Scrapes:
    def failures(minutes: float) -> int:
        return int(min(max(minutes, 0), 30)) + 1 if minutes >= 0 else 0

    return [scrape(failures=failures((at - BROKEN_AT).total_seconds() / 60)) for at in instants(timedelta(hours=1))]


STORIES = [(lost, LOST, "11m"), (full_disk, FULL_DISK, "9m")]


@pytest.mark.parametrize(("trouble", "alert", "quiet_until"), STORIES, ids=lambda part: getattr(part, "__name__", ""))
def test_trouble_of_a_source_is_told_and_is_over_when_it_is_mended(
    trouble: object, alert: tuple[str, str], quiet_until: str, tmp_path: Path
) -> None:
    assert callable(trouble)
    told = {quiet_until: set(), "13m": {alert}, "39m": {alert}, "55m": set()}

    assert_told(trouble(), told, tmp_path, only="ContactSource(Disconnected|Position)")


def test_every_alert_about_sources_has_its_story() -> None:
    assert {name for _, (name, _), _ in STORIES} == {alert.name for alert in SOURCE_ALERTS}
