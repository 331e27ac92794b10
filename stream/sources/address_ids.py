"""Opaque ids of customers from their addresses, so that an address itself never gets further than the door."""

import hmac
from pathlib import Path
from typing import Final

from stream.sources.requests.secret_lines import SecretLines

__all__ = ["AddressIds"]

_HEX_DIGITS: Final = 32

_NOBODY: Final = ".invalid"
"""Of addresses that shops put in the place of one that was erased, the same for everybody (RFC 2606)."""


class AddressIds:
    """
    The same address has the same id wherever the key file is the same; without that nobody finds the address.

    The first line of the file is the key; it is read again when it changes. Raises SettingsError if it is of no use.
    """

    def __init__(self, key_file: Path | None) -> None:
        self._keys = None if key_file is None else SecretLines(key_file)

    def of(self, address: str | None) -> str | None:
        """Return the id of who has this address of e-mail, as a mailbox or a shop tells it; None without a key file."""
        # Whatever the standard says of the part before the @: no provider gives two people one address in two cases.
        plain = (address or "").strip().casefold()
        if self._keys is None or "@" not in plain or plain.endswith(_NOBODY):
            return None
        key = self._keys.all()[0].encode()
        return hmac.digest(key, plain.encode(errors="surrogatepass"), "sha256").hex()[:_HEX_DIGITS]
