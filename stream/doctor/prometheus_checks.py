"""Prometheus: whether it scrapes the workers, has the rules, agrees about the time, and what fires by now."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from aiohttp import ClientSession
from msgspec import MsgspecError, Struct
from yarl import URL

from stream.doctor.finding import Finding, bad, good, in_short, look
from stream.doctor.pages import NoPage, text_of

__all__ = ["look_at_prometheus"]

_ABOUT: Final = "Prometheus"

_WATCHDOG: Final = "ContactWatchdog"
"""Fires always: whether an alert gets through is seen by it."""

OLD_SECONDS: Final = 60


class _Series(Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Result(Struct, tag_field="resultType", tag="vector"):
    result: list[_Series]


class _Answer(Struct):
    data: _Result


async def look_at_prometheus(session: ClientSession, address: str, at: datetime) -> AsyncIterator[Finding]:
    """Yield what there is to say of the Prometheus at *address* at the instant *at*; nothing without an address."""
    if not address:
        return
    try:
        async for finding in _looked(session, address.rstrip("/"), at):
            yield finding
    except NoPage as failure:
        yield bad(_ABOUT, str(failure), "start it, or name it by --prometheus: http://host:port")


async def _looked(session: ClientSession, address: str, at: datetime) -> AsyncIterator[Finding]:
    clock = await _asked(session, address, "vector(time())")
    off = datetime.fromtimestamp(float(clock[0].value[1]), UTC) - at
    if abs(off.total_seconds()) > 3:
        advice = "let chrony or systemd-timesyncd set both clocks"
        yield bad(_ABOUT, f"its clock differs from ours by {in_short(abs(off))}", advice)
    workers = await _asked(session, address, "time() - timestamp(contact_ready)")
    if not workers:
        advice = "add the workers to its scrape_configs: grafana/prometheus/prometheus.yml shows how"
        yield bad(_ABOUT, "it scrapes no worker", advice)
        return
    for worker in workers:
        name, age = worker.metric.get("instance", ""), float(worker.value[1])
        if age > OLD_SECONDS:
            yield bad(_ABOUT, f"its newest scrape of {name} is {age:.0f} s old", "see its page /targets for why")
        else:
            yield good(_ABOUT, f"it scrapes {name}; the newest figures are {age:.0f} s old")
    firing = [one.metric["alertname"] for one in await _asked(session, address, _FIRING)]
    if _WATCHDOG not in firing:
        advice = "have it load grafana/prometheus/rules/*.yml"
        yield bad(_ABOUT, f"{_WATCHDOG}, which always fires, does not: no alert would reach anybody", advice)
    for name in sorted(set(firing) - {_WATCHDOG}):
        yield look(_ABOUT, f"{name} fires", f"docs/runbook.md#{name.lower()}")


_FIRING: Final = 'ALERTS{alertname=~"Contact.*", alertstate="firing"}'


async def _asked(session: ClientSession, address: str, query: str) -> Sequence[_Series]:
    url = str(URL(f"{address}/api/v1/query").with_query(query=query))
    status, body, _ = await text_of(session, url)
    if status != 200:
        raise NoPage(f"{address} answers {status} to a query: it is no Prometheus, or wants a login")
    try:
        return msgspec.json.decode(body, type=_Answer).data.result
    except MsgspecError as failure:
        raise NoPage(f"{address} is no Prometheus") from failure
