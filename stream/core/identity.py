"""Who a customer is without saying it: digests of ids, made with keys that only the workers of an installation know.

Knows no file: keys are read where secrets are (`stream.security.customer_keys`).
"""

from hashlib import blake2b
from typing import Final

__all__ = ["NO_SECRET", "CustomerKeys"]

_DIGEST_BYTES: Final = 8
"""Of a hundred million customers of one key, two have the same digest with a probability of three in ten thousand."""


class CustomerKeys:
    """
    The keys that digests of customers are made with: what is written by the first, what is found again by all.

    The empty key is no secret: whoever has a list of ids can then try each, and see which customer a digest is.
    """

    __slots__ = ("_newest", "_older", "secret")

    def __init__(self, *keys: bytes) -> None:
        """Take one key or more, each of at most 64 bytes."""
        # What every digest begins with is the same: a copy of that costs a quarter less than beginning anew.
        states = [_begun(key) for key in keys]
        self._newest = states[0]
        self._older = tuple(states[1:])
        self.secret: Final = keys[0] != b""
        """Whether digests are made with a key that is not known to everybody."""

    def digest(self, tenant: str, customer: str) -> int:
        """Return 64 bits that stand for a customer; the same id of two tenants is two customers."""
        return _digest(self._newest, tenant, customer)

    def older(self, tenant: str, customer: str) -> tuple[int, ...]:
        """Return the digests that the same customer has by the other keys: none, unless keys are being changed."""
        if not self._older:
            return ()
        return tuple(_digest(state, tenant, customer) for state in self._older)


def _begun(key: bytes) -> blake2b:
    return blake2b(key=key, digest_size=_DIGEST_BYTES)


def _digest(begun: blake2b, tenant: str, customer: str) -> int:
    state = begun.copy()
    # With its length, since a tenant could else be told as part of a customer.
    state.update(f"{len(tenant)}:{tenant}{customer}".encode())
    return int.from_bytes(state.digest(), "big")


NO_SECRET: Final = CustomerKeys(b"")
"""Without a key everything works; only that digests are no secret."""
