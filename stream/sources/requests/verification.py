"""
How a request shows who sent it: by a key in a header, or by a signature over body and time.

Most systems differ in no more than what a `VerifyTable` says. One that signs something else, as Twilio does, makes its
text by itself, and asks `has_signed`.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qs, quote

from msgspec import Meta, Struct

from stream.security.secret_file import Secret
from stream.sources.instants import instant_in
from stream.sources.requests.secret_lines import SecretLines, is_any_of
from stream.sources.source import Received

__all__ = [
    "InvalidVerification",
    "VerifyTable",
    "check_verification",
    "empty_request_by",
    "has_signed",
    "password_in",
    "signed_request",
    "verifier_of",
]

_BODY: Final = "{body}"
_TIMESTAMP: Final = "{timestamp}"

Encoding = Literal["hex", "base64"]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$")]


class VerifyTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a mapping says of it; the key itself lies in a file that is named elsewhere."""

    method: Literal["key", "password", "parameter", "hmac-sha1", "hmac-sha256", "hmac-sha512"]
    """`password` is HTTP Basic's; `parameter` is one of the URL, which logs of proxies keep: the last resort."""
    header: HeaderName | None = None
    """Which has the key, or the signature."""
    parameter: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    """Which has the key."""
    prefix: str = ""
    """Before it, such as `sha256=` or `Bearer `."""
    encoding: Encoding = "hex"
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


def has_signed(
    shown: str, texts: Iterable[bytes], secrets: Iterable[str], *, algorithm: str, encoding: Encoding
) -> bool:
    """Tell whether a signature was *shown* that one of the *secrets* makes of one of the *texts*, by HMAC."""
    digests = [hmac.digest(secret.encode(), text, algorithm) for secret in secrets for text in texts]
    return is_any_of(shown, (digest.hex() if encoding == "hex" else b64encode(digest).decode() for digest in digests))


def verifier_of(table: VerifyTable, secrets: SecretLines) -> Callable[[Received], bool]:
    """Return what tells whether a request comes from who has one of the secrets; it takes as long for any guess."""
    shown = _SHOWN.get(table.method)
    if shown is not None:
        return lambda request: secrets.match(shown(table, request) or "")
    return lambda request: _is_fresh(table, request) and _is_signed(table, request, secrets.all())


def signed_request(table: VerifyTable, secret: str, url: str, at: datetime, body: bytes = b"[]") -> Received:
    """Return a request as a system sends it that has the *secret*: `verifier_of` the same table takes it."""
    headers = {"content-type": "application/json"}
    match table.method:
        case "key":
            headers |= {(table.header or "").lower(): table.prefix + secret}
        case "password":
            headers |= {"authorization": "Basic " + b64encode(f"contact-stream:{secret}".encode()).decode()}
        case "parameter":
            url += f"{'&' if '?' in url else '?'}{table.parameter}={quote(secret, safe='')}"
        case _:
            headers |= _signature(table, secret, str(int(at.timestamp())), body)
    return Received(body, headers, url, at)


def empty_request_by(
    table: VerifyTable | Callable[[Any], VerifyTable],
) -> Callable[[Any, str, str, datetime], Received]:
    """Return what makes the empty request of a `Setup`; requests are verified by *table*, which options may decide."""

    def made(options: Any, secret: str, url: str, at: datetime) -> Received:  # noqa: ANN401  # of a source
        return signed_request(table if isinstance(table, VerifyTable) else table(options), secret, url, at)

    return made


def check_verification(table: VerifyTable) -> None:
    """Raise InvalidVerification where the table contradicts itself."""
    wanted = {"password": None, "parameter": "parameter"}.get(table.method, "header")
    for place in ("header", "parameter"):
        if (getattr(table, place) is not None) != (place == wanted):
            raise InvalidVerification(
                place, f"method {table.method} {'needs' if place == wanted else 'has no'} {place}"
            )
    if table.method in _SHOWN:
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
    told = request.headers.get((table.header or "").lower(), "")
    return told.removeprefix(table.prefix) if told.startswith(table.prefix) else None


def _in_parameter(table: VerifyTable, request: Received) -> str | None:
    # Said twice it is nobody's: which of them is meant, others before us may see otherwise.
    found = parse_qs(request.url.partition("?")[2]).get(table.parameter or "", [])
    return found[0] if len(found) == 1 else None


def password_in(authorization: str) -> Secret:
    """Return the password of HTTP's Basic (RFC 7617); empty for whatever is none."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return Secret()
    try:
        return Secret(b64decode(credentials, validate=True).decode().partition(":")[2])
    except ValueError:  # of base64 and of UTF-8
        return Secret()


_SHOWN: Final[Mapping[str, Callable[[VerifyTable, Received], str | None]]] = {
    "key": _given,
    "password": lambda _, request: password_in(request.headers.get("authorization", "")),
    "parameter": _in_parameter,
}
"""What finds the key that a request shows, by method."""


def _is_signed(table: VerifyTable, request: Received, secrets: Iterable[str]) -> bool:
    signed = _text(table, request.headers.get((table.timestamp_header or "").lower(), ""), request.body)
    algorithm = table.method.removeprefix("hmac-")
    return has_signed(_given(table, request) or "", [signed], secrets, algorithm=algorithm, encoding=table.encoding)


def _signature(table: VerifyTable, secret: str, stamp: str, body: bytes) -> Mapping[str, str]:
    digest = hmac.digest(secret.encode(), _text(table, stamp, body), table.method.removeprefix("hmac-"))
    shown = digest.hex() if table.encoding == "hex" else b64encode(digest).decode()
    headers = {(table.header or "").lower(): table.prefix + shown}
    return headers | ({} if table.timestamp_header is None else {table.timestamp_header.lower(): stamp})


def _text(table: VerifyTable, stamp: str, body: bytes) -> bytes:
    """Return what is signed."""
    before, _, behind = (part.replace(_TIMESTAMP, stamp) for part in table.signed.partition(_BODY))
    return before.encode(errors="surrogatepass") + body + behind.encode(errors="surrogatepass")


def _is_fresh(table: VerifyTable, request: Received) -> bool:
    """Tell whether a request was signed lately: one that somebody has kept must not be good for ever."""
    if table.timestamp_header is None:
        return True
    signed_at = instant_in(request.headers.get(table.timestamp_header.lower(), ""))
    return signed_at is not None and abs(request.at - signed_at) <= timedelta(seconds=table.tolerance_s)
