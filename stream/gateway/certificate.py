"""The certificate that a gateway shows, renewed without a restart, and whose certificates it demands of clients."""

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Final

from msgspec import Struct

from stream.errors import SettingsError
from stream.security.watched_file import version_of

__all__ = ["ServedCertificate", "Tls"]

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 1.0


class Tls(Struct, frozen=True):
    """The certificate that is shown, and whose certificates are demanded of clients."""

    certificate: Path
    key: Path | None = None
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return what a server needs; raises SettingsError naming the file at fault."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.show(context)
        if self.client_ca is not None:
            try:
                context.load_verify_locations(self.client_ca)
            except OSError as failure:
                raise SettingsError(f"the authorities of clients: {self.client_ca}: {_said(failure)}") from None
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def show(self, context: ssl.SSLContext) -> None:
        """Make *context* show the certificate as it is in its files now; raises SettingsError naming them."""
        try:
            context.load_cert_chain(self.certificate, self.key, _no_password)
        except (OSError, ValueError) as failure:
            raise SettingsError(
                f"the gateway's certificate: {self.certificate}{f' and {self.key}' if self.key else ''}: "
                f"no certificate with its key, without a password, in PEM format ({_said(failure)})"
            ) from None


class ServedCertificate:
    """What a server needs for TLS; handshakes after a renewal show the new certificate, connections stay."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        # Before it is read: a change in between is seen the next time.
        self._versions = self._versions_now()
        self.context = tls.context()

    async def renew(self) -> None:
        """Read the files again whenever they change, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            self.look_again()

    def look_again(self) -> None:
        """Read the files again if they have changed; what cannot be used changes nothing, and is logged."""
        versions = self._versions_now()
        if versions == self._versions:
            return
        self._versions = versions
        try:
            # Tried apart first: a new certificate whose key is still to come would spoil the one in use.
            self._tls.context()
            self._tls.show(self.context)
        except SettingsError as failure:
            logger.error("%s; the one before goes on being shown", failure)  # noqa: TRY400  # it says it all
        else:
            logger.info("%s was read again", self._tls.certificate)

    def _versions_now(self) -> tuple[object, ...]:
        return tuple(version_of(path) for path in (self._tls.certificate, self._tls.key) if path is not None)


def _no_password() -> str:
    # Without this OpenSSL asks whoever sits at the terminal.
    raise ValueError("the key has a password")


def _said(failure: OSError | ValueError) -> str:
    return failure.strerror or str(failure) if isinstance(failure, OSError) else str(failure)
