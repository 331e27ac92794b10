"""Pages of figures, fetched and read: those of a worker, a gateway, or a source that runs by itself."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["FiguresPage", "NoPage", "page_of", "read_page", "text_of"]

PAGE_SECONDS: Final = 10

LABELS = Mapping[str, str]


class NoPage(Exception):
    """Nothing answers there, or something else; the message says which."""


class FiguresPage(Struct, frozen=True):
    """The samples of one `/metrics`, and the clock of who served it."""

    samples: Mapping[str, Sequence[tuple[LABELS, float]]]
    """By name of the sample."""
    clock: datetime | None
    """What the header `Date` says, to the second; None without one."""

    def of(self, name: str) -> Sequence[tuple[LABELS, float]]:
        """Return the samples of a name; empty where there are none."""
        return self.samples.get(name, ())

    def sum(self, name: str) -> float:
        """Return the sum of the samples of a name."""
        return sum(value for _, value in self.of(name))

    def newest(self, name: str) -> datetime | None:
        """Return the latest of the timestamps of a name."""
        return max((datetime.fromtimestamp(value, UTC) for _, value in self.of(name)), default=None)

    def oldest(self, name: str) -> datetime | None:
        """Return the earliest of the timestamps of a name."""
        return min((datetime.fromtimestamp(value, UTC) for _, value in self.of(name)), default=None)


async def text_of(session: ClientSession, url: str) -> tuple[int, str, datetime | None]:
    """Return status, body and clock of what answers at *url*; raises NoPage if nothing does."""
    try:
        async with session.get(url, timeout=ClientTimeout(total=PAGE_SECONDS)) as response:
            body = await response.text(errors="replace")
            told = response.headers.get("Date")
            return response.status, body, None if told is None else parsedate_to_datetime(told)
    except (TimeoutError, ClientError, OSError, ValueError) as failure:
        raise NoPage(f"nothing answers at {url.partition('/api/')[0]} ({type(failure).__name__})") from failure


async def page_of(session: ClientSession, address: str) -> FiguresPage:
    """Return the figures at *address*; raises NoPage."""
    url = f"{address.rstrip('/')}/metrics"
    status, body, clock = await text_of(session, url)
    if status != 200:
        raise NoPage(f"{url} answers {status}")
    try:
        return read_page(body, clock)
    except ValueError as failure:
        raise NoPage(f"what {url} answers is no page of figures") from failure


def read_page(body: str, clock: datetime | None) -> FiguresPage:
    """Return the page that was served when it was *clock* there; raises ValueError for what is none."""
    found: dict[str, list[tuple[LABELS, float]]] = defaultdict(list)
    for family in text_string_to_metric_families(body):
        for sample in family.samples:
            found[sample.name].append((sample.labels, sample.value))
    return FiguresPage(found, clock)
