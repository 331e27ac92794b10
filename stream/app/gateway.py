"""A gateway with its spool and producer: what `contact-stream gateway` runs."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from stream.app.policy_file import load_policies
from stream.errors import BrokerError, SettingsError
from stream.families.registry import DECODER
from stream.gateway.application import EVENTS_PATH, Gateway
from stream.gateway.certificate import Tls
from stream.gateway.forwarder import EncodedSink, Forwarder
from stream.gateway.keys import KeyFile
from stream.gateway.server import GatewayServer
from stream.gateway.spool import Spool
from stream.gateway.survey_file import surveys_of
from stream.gateway.survey_pages import SURVEYS_PATH
from stream.gateway.webhook_file import webhooks_of
from stream.gateway.webhook_posts import WEBHOOKS_PATH
from stream.http.guard import is_loopback
from stream.sdk.producer import Producer, ProducerPolicy
from stream.settings import Settings

__all__ = ["GatewayService"]

logger = logging.getLogger(__name__)

BROKER_PATIENCE: Final = timedelta(seconds=3)
"""A sender waits so long for the broker, then its events go to the spool."""


class GatewayService:
    """
    A gateway in the running event loop; *brokers* as a `Producer` takes them. A context manager, or `run`.

    With *sink* what is accepted goes there, and to no broker.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        brokers: str,
        patience: timedelta = BROKER_PATIENCE,
        sink: EncodedSink | None = None,
    ) -> None:
        self._settings = settings
        tls = _tls_of(settings)
        if not (settings.gateway_keys or settings.gateway_client_ca_file or is_loopback(settings.gateway_host)):
            raise SettingsError(
                f"CONTACT_STREAM_GATEWAY_HOST: on {settings.gateway_host} anybody could post events: name a file "
                "of keys in CONTACT_STREAM_GATEWAY_KEYS (`contact-stream gateway-key` makes one)"
            )
        keys = KeyFile(settings.gateway_keys) if settings.gateway_keys else None
        self._producer: Producer | None = None
        if sink is None:
            policy = ProducerPolicy(delivery_timeout=patience, request_timeout=patience)
            self._producer = sink = Producer(brokers, policy=policy, security=settings.security)
        self.spool = Spool(settings.gateway_spool, settings.gateway_spool_bytes) if settings.gateway_spool else None
        self._forwarder = Forwarder(sink, self.spool)
        self._webhooks = webhooks_of(settings.gateway_webhooks) if settings.gateway_webhooks else {}
        self._surveys = surveys_of(settings.gateway_webhooks) if settings.gateway_webhooks else {}
        public_url = settings.gateway_public_url
        # Only pages of surveys need them; a gateway without such pages need not have the file.
        policies = load_policies(settings.policies if self._surveys else None)
        self.gateway = Gateway(DECODER, self._forwarder, keys, self._webhooks, self._surveys, public_url, policies)
        self._server = GatewayServer(self.gateway, settings.gateway_host, settings.gateway_port, tls)
        self._forwarding: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it listens, once started."""
        return self._server.address

    async def run(self) -> None:
        """Work until cancelled."""
        async with self:
            await asyncio.Event().wait()

    async def __aenter__(self) -> Self:
        try:
            await self._server.start()
        except OSError as failure:
            await self._close()
            raise SettingsError(
                f"the gateway cannot listen on {self._settings.gateway_host}:{self._settings.gateway_port}: "
                f"{failure.strerror}; set CONTACT_STREAM_GATEWAY_PORT to a free port, or 0"
            ) from failure
        self._forwarding = asyncio.create_task(self._forwarder.run(), name="gateway forwarder")
        logger.info("post events to %s%s", self.address, EVENTS_PATH)
        base = self._settings.gateway_public_url.rstrip("/") or self.address
        for name in self._webhooks:
            logger.info("webhook: %s%s/%s", base, WEBHOOKS_PATH, name)
        for name in self._surveys:
            logger.info("survey: %s%s/%s/…", base, SURVEYS_PATH, name)
        if self.spool is None and self._producer is not None:
            logger.warning("CONTACT_STREAM_GATEWAY_SPOOL is not set: while the broker is away, events are refused")
        elif self.spool is not None and self.spool.events:
            logger.warning("%s: %d events are still to be sent", self.spool.path, self.spool.events)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The server first: what it has accepted must be on its way, or on the disk, before the rest goes.
        await self._server.stop()
        if self._forwarding is not None:
            self._forwarding.cancel()
            with suppress(asyncio.CancelledError):
                await self._forwarding
        await self._close()

    async def _close(self) -> None:
        if self._producer is not None:
            with suppress(BrokerError):
                await self._producer.close()
        if self.spool is not None:
            await self.spool.close()


def _tls_of(settings: Settings) -> Tls | None:
    if settings.gateway_certificate_file is not None:
        return Tls(settings.gateway_certificate_file, settings.gateway_key_file, settings.gateway_client_ca_file)
    for name in ("gateway_key_file", "gateway_client_ca_file"):
        if getattr(settings, name) is not None:
            raise SettingsError(
                f"CONTACT_STREAM_{name.upper()} has no effect so: set CONTACT_STREAM_GATEWAY_CERTIFICATE_FILE, "
                "or leave it out"
            )
    return None
