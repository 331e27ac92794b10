"""A worker with its pages: what `contact-stream worker` runs, and the demo and the end-to-end tests with it."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from stream.app.policy_file import load_policies
from stream.app.slices import read_in_slices
from stream.app.topics import source_topics
from stream.board.cluster.merge import ClusterBoard
from stream.board.cluster.share import WorkerShare, board_of, vitals_of
from stream.core.collector import PageDetail
from stream.core.family import Board, windows_of
from stream.core.identity import CustomerKeys
from stream.core.policies import Policies
from stream.core.windows import WINDOWS
from stream.errors import SettingsError
from stream.families.registry import FAMILIES
from stream.http.guard import is_loopback
from stream.http.server import BoardServer, Listen
from stream.http.shown import Shown
from stream.runtime.app import Worker, create_app
from stream.runtime.kafka.advertised_address import advertised_address, plain_url
from stream.runtime.source_topic import SourceTopic
from stream.security.customer_keys import CUSTOMER_KEY_FILE, read_customer_keys
from stream.settings import Settings
from stream.status.feed import Feed
from stream.status.freshness import Limits
from stream.status.health import health_of

__all__ = ["Service", "left_out", "shown_by"]

logger = logging.getLogger(__name__)

A_MOMENT = timedelta(seconds=5)
"""An event that was just accepted may be this much further ahead of a board that was read a moment before."""


def shown_by(settings: Settings) -> Shown:
    """Return what the pages of a worker show; SettingsError for a window that no figure has."""
    windows = windows_of(FAMILIES)
    if unknown := [window for window in settings.windows or () if window not in windows]:
        raise SettingsError(
            f"CONTACT_STREAM_WINDOWS: no figure has the window {unknown[0]}; there are {', '.join(windows)}"
        )
    return Shown(
        families=FAMILIES,
        registry="stream.families.registry:FAMILIES",
        windows=settings.windows,
        detail=PageDetail(windows=settings.windows, histograms=settings.histograms),
    )


def left_out(windows: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the windows that dashboards or alerts read and that nobody will write."""
    if windows is None:
        return ()
    missing = {
        window
        for family in FAMILIES
        for figure in family.figures
        if figure.windowed
        for window in {*(figure.written_in or ())}.difference(family.windows_among(windows))
    }
    return tuple(one for one in WINDOWS if one in missing)


def _listen(settings: Settings) -> Listen:
    allowed = tuple(filter(None, settings.allowed_hosts.split(",")))
    if settings.http_advertised:
        host = plain_url(settings.http_advertised).host
        # Where every name is answered to, that is not to change.
        allowed += (host,) if host and (allowed or is_loopback(settings.http_host)) else ()
    return Listen(host=settings.http_host, port=settings.http_port, allowed_hosts=allowed)


class Service:
    """A worker and its pages in the running event loop; a context manager, or `start`, `run` and `stop`."""

    def __init__(
        self,
        settings: Settings,
        *,
        brokers: str,
        idempotent: bool = True,
        policies: Policies | None = None,
        customer_keys: CustomerKeys | None = None,
        shown: Shown | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        shown = shown or shown_by(settings)
        self._families = shown.families
        self._brokers = brokers
        self.settings = settings
        self.feed = Feed()
        self._customer_keys = customer_keys or read_customer_keys(settings.customer_key_file)
        sources = self._sources(policies or load_policies(settings.policies))
        self.worker: Worker = create_app(
            settings, sources, brokers=brokers, idempotent=idempotent, feed=self.feed, clock=clock
        )
        self.cluster = ClusterBoard(
            settings.group,
            shown.families,
            read_share=self.share,
            others=self.worker.others,
            # All that there are: of what nobody tells it is known that it is missing.
            declared=[(source.name, number) for source in sources for number in range(settings.partitions)],
            clock=clock,
            limits=Limits(silent=settings.stale_after, ahead=settings.future_tolerance + A_MOMENT),
        )
        self.server = BoardServer(
            shown,
            read_board=self.board,
            read_share=self.cluster.share,
            read=self.cluster.read,
            feed=self.feed,
            clock=clock,
            health=lambda: health_of(self.feed, clock(), settings.dead_after),
            listen=_listen(settings),
        )

    def _sources(self, policies: Policies) -> list[SourceTopic]:
        settings = self.settings
        return source_topics(
            policies,
            customer_keys=self._customer_keys,
            partitions=settings.partitions,
            max_queues_per_tenant=settings.max_queues_per_tenant,
            max_queues=settings.max_queues,
            max_customers=settings.max_customers,
            future_tolerance=settings.future_tolerance,
            clock=self._clock,
            families=self._families,
        )

    @property
    def address(self) -> str:
        """Where the pages are, once started."""
        return self.server.address

    async def start(self) -> None:
        """Open the pages, then start the worker: while it recovers, `/readyz` and the board say so."""
        await self._open()
        # A worker that cannot start must not leave its port taken.
        try:
            await self.worker.start()
        # Also where it is cancelled while it waits for its first broker.
        except BaseException:
            await self._close()
            raise

    async def run(self) -> None:
        """Work until `stop`, or until something fails for good, which is raised."""
        await self._open()
        try:
            await self.worker.run()
        finally:
            await self._close()

    async def _open(self) -> None:
        try:
            await self.server.start()
        except OSError as failure:
            raise SettingsError(
                f"the board cannot listen on {self.settings.http_host}:{self.settings.http_port}: {failure.strerror}; "
                f"set CONTACT_STREAM_HTTP_PORT to a free port, or 0"
            ) from failure
        # Only now: with port 0 the address is not known before the pages are open.
        self.worker.reached = lambda: advertised_address(self.address, self.settings.http_advertised, self._brokers)
        logger.info("live board and metrics: %s", self.address)
        # Allowed, since whoever has other dashboards may want that; but silence would look like a quiet centre.
        if unwritten := left_out(self.settings.windows):
            told = ", ".join(unwritten)
            logger.warning("CONTACT_STREAM_WINDOWS leaves out %s: alerts and dashboards that read it are blind", told)
        if not self._customer_keys.secret:
            logger.warning("%s is not set: who has a list of customers can tell their digests", CUSTOMER_KEY_FILE)

    async def stop(self) -> None:
        """Make durable what was applied, leave the group, close the pages."""
        await self.worker.stop()
        await self._close()

    async def _close(self) -> None:
        # The pages first: they ask the cluster for boards as long as somebody looks.
        await self.server.stop()
        await self.cluster.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def board(self) -> Board:
        """Return the board of what this worker owns."""
        share = await self.share()
        # In a thread: adding up the agents of many partitions would hold up the events.
        return await asyncio.to_thread(board_of, share.partitions, self._families, share.at, whole=self.feed.whole)

    async def share(self) -> WorkerShare:
        """Return what this worker owns, by partition, taken in slices that do not hold up the loop."""
        # Before the slices: a generation that is read late would claim partitions that were read under the old one.
        at, vitals, generation = self._clock(), vitals_of(self.feed), self.worker.app.consumer_generation_id
        partitions = await read_in_slices(self.worker.ownership.shown(), at)
        return WorkerShare(
            group=self.settings.group, generation=generation, at=at, vitals=vitals, partitions=partitions
        )
