"""How a request shows who sent it: by a key in a header, or by a signature over body and time."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from stream.sources.secret_lines import SecretLines
from stream.sources.source import Received

__all__ = ["InvalidVerification", "VerifyTable", "verifier_of"]

_BODY: Final = "{body}"
_TIMESTAMP: Final = "{timestamp}"

HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$")]


class VerifyTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a mapping says of it; the key itself lies in a file that is named elsewhere."""

    method: Literal["key", "hmac-sha1", "hmac-sha256", "hmac-sha512"]
    header: HeaderName
    """Which has the key, or the signature."""
    prefix: str = ""
    """Before it, such as `sha256=` or `Bearer `."""
    encoding: Literal["hex", "base64"] = "hex"
    signed: str = _BODY
    """What is signed, such as `{timestamp}.{body}`."""
    timestamp_header: HeaderName | None = None
    tolerance_s: Annotated[int, Meta(ge=1, le=86_400)] = 300
    """How old a signed request may be, or how far ahead of our clock."""


class InvalidVerification(ValueError):
    """The table contradicts itself; the message says what to do, `key` which of its keys is meant."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def verifier_of(table: VerifyTable, secrets: SecretLines) -> Callable[[Received], bool]:
    """Return what tells whether a request comes from who has one of the secrets; it takes as long for any guess."""
    if table.method == "key":
        return lambda request: secrets.match(_given(table, request) or "")
    return lambda request: _is_fresh(table, request) and _is_signed(table, request, secrets.all())


def check_verification(table: VerifyTable) -> None:
    """Raise InvalidVerification where the table contradicts itself."""
    if table.method == "key":
        if table.timestamp_header or table.signed != _BODY:
            raise InvalidVerification("method", "a key signs nothing; leave signed and timestamp_header out")
        return
    if table.signed.count(_BODY) != 1:
        raise InvalidVerification("signed", "say {body} once: what is not signed can be forged")
    if (_TIMESTAMP in table.signed) != (table.timestamp_header is not None):
        raise InvalidVerification(
            "signed", "{timestamp} and timestamp_header belong together: a time that is not signed can be forged"
        )


def _given(table: VerifyTable, request: Received) -> str | None:
    told = request.headers.get(table.header.lower(), "")
    return told.removeprefix(table.prefix) if told.startswith(table.prefix) else None


def _is_signed(table: VerifyTable, request: Received, secrets: Iterable[str]) -> bool:
    given = (_given(table, request) or "").encode(errors="surrogatepass")
    stamp = request.headers.get((table.timestamp_header or "").lower(), "")
    before, _, behind = (part.replace(_TIMESTAMP, stamp) for part in table.signed.partition(_BODY))
    signed = before.encode(errors="surrogatepass") + request.body + behind.encode(errors="surrogatepass")
    matches = [hmac.compare_digest(given, _signature(table, secret, signed)) for secret in secrets]
    return any(matches)  # after all were compared


def _signature(table: VerifyTable, secret: str, signed: bytes) -> bytes:
    digest = hmac.new(secret.encode(), signed, table.method.removeprefix("hmac-"))
    return digest.hexdigest().encode() if table.encoding == "hex" else b64encode(digest.digest())


def _is_fresh(table: VerifyTable, request: Received) -> bool:
    """Tell whether a request was signed lately: one that somebody has kept must not be good for ever."""
    if table.timestamp_header is None:
        return True
    signed_at = _instant_of(request.headers.get(table.timestamp_header.lower(), ""))
    return signed_at is not None and abs(request.at - signed_at) <= timedelta(seconds=table.tolerance_s)


def _instant_of(stamp: str) -> datetime | None:
    """Return the time of a stamp: seconds or milliseconds since 1970, which differ by their size, or ISO 8601."""
    try:
        if stamp.isascii() and stamp.isdecimal() and len(stamp) <= 13:
            number = int(stamp)
            return datetime.fromtimestamp(number / 1000 if number >= 100_000_000_000 else number, UTC)
        told = datetime.fromisoformat(stamp)
    except (ValueError, OverflowError, OSError):
        return None
    return told if told.tzinfo else None
