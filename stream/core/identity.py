"""Who a customer is without saying it: digests of ids, made with keys that only the workers of an installation know.

Knows no file: keys are read where secrets are (`stream.security.customer_keys`).
"""

import re
from hashlib import blake2b
from typing import Final
from unicodedata import normalize

__all__ = ["NO_SECRET", "CustomerKeys", "opaque_id"]

_DIGEST_BYTES: Final = 8
_DIGEST: Final = 2**60 - 1
"""
Digests have 60 bits: of ten million customers of one key two have the same with a probability of 1 in 20,000.

Python keeps so many in 32 bytes, and two bits more in 48.
"""

_TENANTS: Final = 1000
"""So many tenants are begun with; of more of them it is done anew."""

_number_of: Final = int.from_bytes

_TELEPHONE: Final = re.compile(
    r"(\+|tel:|\()[\d\s()./+-]{6,}"
    # With a trunk prefix, or that of a foreign country, and in groups.
    r"|(?=(\D*\d){9,15}\D*$)0{1,2}[1-9]\d{0,4}[\s()./-][\d\s()./-]+"
)
"""As people write it. Digits alone may be any number, and are an id."""

_DASHES: Final = dict.fromkeys(map(ord, "\u2010\u2012\u2013\u2014\u2212"), "-")


def opaque_id(told: str | None) -> str | None:
    """Return an id that somebody has filled in; None of an address of e-mail or a telephone number in its place."""
    text = (told or "").strip()
    # Letters of full width, spaces that do not break and the like are what they look like.
    plain = normalize("NFKC", text).translate(_DASHES).casefold()
    return None if not text or "@" in plain or _TELEPHONE.fullmatch(plain) else text


class CustomerKeys:
    """
    The keys that digests of customers are made with: what is written by the first, what is found again by all.

    The empty key is no secret: whoever has a list of ids can then try each, and see which customer a digest is.
    """

    __slots__ = ("_newest", "_of_tenants", "_older", "are_changing", "secret")

    def __init__(self, *keys: bytes) -> None:
        """Take one key or more, each of at most 64 bytes."""
        # What every digest begins with is the same: a copy of that costs a quarter less than beginning anew.
        states = [_begun(key) for key in keys]
        self._newest = states[0]
        self._older = tuple(states[1:])
        self._of_tenants: dict[str, blake2b] = {}
        """What the digests of all customers of a tenant begin with, by the newest key."""
        self.are_changing: Final = len(keys) > 1
        """Whether a customer may be known by the digest of an older key."""
        self.secret: Final = keys[0] != b""
        """Whether digests are made with a key that is not known to everybody."""

    def digest(self, tenant: str, customer: str) -> int:
        """Return 60 bits that stand for a customer; the same id of two tenants is two customers."""
        begun = self._of_tenants.get(tenant)
        if begun is None:
            if len(self._of_tenants) >= _TENANTS:
                self._of_tenants.clear()
            begun = self._of_tenants[tenant] = _of_tenant(self._newest, tenant)
        state = begun.copy()  # as `_digest` does, without a call: every event of a customer asks
        state.update(customer.encode())
        return _number_of(state.digest(), "big") & _DIGEST

    def older(self, tenant: str, customer: str) -> tuple[int, ...]:
        """Return the digests that the same customer has by the other keys: none, unless keys are being changed."""
        if not self._older:
            return ()
        return tuple(_digest(_of_tenant(state, tenant), customer) for state in self._older)


def _begun(key: bytes) -> blake2b:
    return blake2b(key=key, digest_size=_DIGEST_BYTES)


def _of_tenant(begun: blake2b, tenant: str) -> blake2b:
    state = begun.copy()
    # With its length, since a tenant could else be told as part of a customer.
    state.update(f"{len(tenant)}:{tenant}".encode())
    return state


def _digest(begun: blake2b, customer: str) -> int:
    state = begun.copy()
    state.update(customer.encode())
    return _number_of(state.digest(), "big") & _DIGEST


NO_SECRET: Final = CustomerKeys(b"")
"""Without a key everything works; only that digests are no secret."""
