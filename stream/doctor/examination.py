"""One look at everything, in the order in which a figure comes about."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime

from aiohttp import ClientSession
from msgspec import Struct

from stream.doctor.finding import Finding, bad
from stream.doctor.kafka_checks import look_at_brokers
from stream.doctor.pages import FiguresPage, NoPage, page_of
from stream.doctor.prometheus_checks import look_at_prometheus
from stream.doctor.way_in_checks import look_at_gateway, look_at_source
from stream.doctor.worker_checks import clock_of, look_at_worker
from stream.runtime.kafka.topics import TopicDeclaration
from stream.settings import Settings

__all__ = ["Patient", "examine"]

Looks = Callable[[FiguresPage, datetime], Iterator[Finding]]


class Patient(Struct, frozen=True, kw_only=True):
    """What is to be looked at; what is empty is left out."""

    settings: Settings
    brokers: Sequence[str]
    topics: Sequence[TopicDeclaration]
    gateways: Sequence[str] = ()
    """Addresses: `http://host:port`."""
    sources: Sequence[str] = ()
    workers: Sequence[str] = ()
    prometheus: str = ""


async def examine(patient: Patient, clock: Callable[[], datetime]) -> AsyncIterator[Finding]:
    """Yield each finding as soon as it is known."""
    settings = patient.settings

    def of_worker(page: FiguresPage, at: datetime) -> Iterator[Finding]:
        return look_at_worker(page, at, settings.stale_after)

    async with ClientSession() as session:
        looked = [
            _each(patient.gateways, "gateway", look_at_gateway, session, clock),
            _each(patient.sources, "source", look_at_source, session, clock),
            look_at_brokers(patient.brokers, settings.security, patient.topics, settings.group),
            _each(patient.workers, "worker", of_worker, session, clock),
            look_at_prometheus(session, patient.prometheus, clock()),
        ]
        for findings in looked:
            async for finding in findings:
                yield finding


async def _each(
    addresses: Sequence[str], what: str, looks: Looks, session: ClientSession, clock: Callable[[], datetime]
) -> AsyncIterator[Finding]:
    for address in addresses:
        try:
            page = await page_of(session, address)
        except NoPage as failure:
            yield bad(what, str(failure), f"start it, or name another by --{what}: http://host:port")
            continue
        at = clock()
        for finding in (*clock_of(what, page, at), *looks(page, at)):
            yield finding
