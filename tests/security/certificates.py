"""Certificates as an authority of one's own would give them out, in PEM files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

__all__ = ["Certificates"]

YEARS_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Certificates:
    """An authority, and what it gives out into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA(organization_name="Authority of the tests")
        self.authority = self._written("authority.pem", self._authority.cert_pem.bytes())
        self.stranger = self._written("stranger.pem", trustme.CA().cert_pem.bytes())
        """An authority that has nothing to do with it."""

    def issue(self, name: str, *hosts: str, expired: bool = False, password: str = "") -> tuple[Path, Path]:
        """Return certificate and key of *name*, for a broker with its hosts; the key may have a password."""
        until = YEARS_AGO + timedelta(days=30) if expired else None
        made = self._authority.issue_cert(
            *(hosts or (f"{name}@example.org",)), common_name=name, not_before=YEARS_AGO, not_after=until
        )
        key = serialization.load_pem_private_key(made.private_key_pem.bytes(), None).private_bytes(
            Encoding.PEM,
            PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption(),
        )
        chain = b"".join(pem.bytes() for pem in made.cert_chain_pems)
        return self._written(f"{name}.pem", chain), self._written(f"{name}.key", key)

    def issue_together(self, name: str, *hosts: str) -> Path:
        """Return the same in one file, as a broker takes it."""
        certificate, key = self.issue(name, *hosts)
        return self._written(f"{name}-both.pem", key.read_bytes() + certificate.read_bytes())

    def _written(self, name: str, content: bytes) -> Path:
        file = self._folder / name
        file.write_bytes(content)
        return file
