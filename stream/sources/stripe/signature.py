"""How Stripe signs: time and signatures in one header, several while a secret is replaced."""

import hmac
from datetime import datetime, timedelta
from typing import Final

from stream.sources.instants import instant_in
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import has_signed
from stream.sources.source import Received

__all__ = ["empty_stripe_request", "is_signed_by_stripe"]

_HEADER: Final = "stripe-signature"
_MOST_SIGNATURES: Final = 10
"""Stripe sends as many as an endpoint has secrets: two."""


def is_signed_by_stripe(request: Received, secrets: SecretLines, tolerance: timedelta) -> bool:
    """Tell whether a request was signed with one of the secrets, and not longer ago than *tolerance*."""
    parts = [part.strip().partition("=") for part in request.headers.get(_HEADER, "").split(",")]
    stamps = [told for name, _, told in parts if name == "t"]
    signatures = [told for name, _, told in parts if name == "v1"]
    # Said twice it is nobody's time.
    signed_at = instant_in(stamps[0]) if len(stamps) == 1 else None
    if signed_at is None or abs(request.at - signed_at) > tolerance:
        return False
    text = stamps[0].encode() + b"." + request.body
    known = secrets.all()
    good = [has_signed(one, [text], known, algorithm="sha256", encoding="hex") for one in signatures[:_MOST_SIGNATURES]]
    return any(good)


def empty_stripe_request(secret: str, url: str, at: datetime) -> Received:
    """Return a request without any event, signed as Stripe signs."""
    body, stamp = b"[]", str(int(at.timestamp()))
    signature = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return Received(body, {"content-type": "application/json", _HEADER: f"t={stamp},v1={signature}"}, url, at)
