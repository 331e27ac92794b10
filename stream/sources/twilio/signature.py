"""Whether Twilio has signed a request: HMAC over the address that it called, and what it posted there.

A form's parameters are signed with the address. Of any other body the address names the digest, and is signed alone.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from urllib.parse import unquote_to_bytes

from stream.sources.requests.secret_lines import is_any_of
from stream.sources.requests.verification import has_signed
from stream.sources.source import Received

__all__ = ["FORM", "Parameter", "empty_request", "is_signed", "parameters_of"]

FORM: Final = "application/x-www-form-urlencoded"

MOST_PARAMETERS: Final = 500
"""Twilio sends some forty. What has more is not parsed: who cannot sign should not make us work."""

_DIGEST: Final = re.compile(r"[?&]bodySHA256=([0-9a-f]{64})(?:&|$)")

_STANDARD_PORTS: Final = {"https": "443", "http": "80"}

Parameter = tuple[bytes, bytes]
"""Name and value, decoded."""


def is_signed(request: Received, tokens: Iterable[str]) -> bool:
    """Tell whether one of the *tokens* has signed the request; how long that takes tells nothing of a signature."""
    parameters: list[Parameter] = []
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        # A form without parameters would be signed by its address alone, as is whatever else was sent there.
        if not request.body or request.body.count(b"&") >= MOST_PARAMETERS:
            return False
        parameters = parameters_of(request.body)
    elif not _has_digest(request):
        return False
    # By a rule of the account Twilio signs with a shared key, and says so; who lies here has no key, either.
    settings = request.headers.get("x-twilio-webhooks-signature-settings", "")
    algorithm = "sha256" if "HMAC_SHA256" in settings else "sha1"
    texts = [_text(address, parameters) for address in _addresses(request.url)]
    shown = request.headers.get("x-twilio-signature", "")
    return has_signed(shown, texts, tokens, algorithm=algorithm, encoding="base64")


def empty_request(token: str, url: str, at: datetime) -> Received:
    """Return a request without any event, signed with the *token* as Event Streams are."""
    body = b"[]"
    url = f"{url}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = b64encode(hmac.digest(token.encode(), url.encode(), "sha1")).decode()
    return Received(body, {"content-type": "application/json", "x-twilio-signature": signature}, url, at)


def parameters_of(body: bytes) -> list[Parameter]:
    """Return the parameters of a form in their order, with empty ones and repeated ones."""
    pairs = (part.partition(b"=") for part in body.split(b"&") if part)
    return [(_decoded(name), _decoded(value)) for name, _, value in pairs]


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _has_digest(request: Received) -> bool:
    named = _DIGEST.search(request.url)
    return named is not None and is_any_of(hashlib.sha256(request.body).hexdigest(), [named[1]])


def _text(address: str, parameters: Iterable[Parameter]) -> bytes:
    # Twilio sorts by name, then value, and signs the same value of the same name once.
    return address.encode() + b"".join(name + value for name, value in sorted(set(parameters)))


def _addresses(url: str) -> Iterator[str]:
    """Yield the address without a port and with one: which of them Twilio signs depends on what is called."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.rpartition(":")
    if not (colon and port.isdigit()):
        host, port = authority, _STANDARD_PORTS.get(scheme, "")
    yield f"{scheme}://{host}{slash}{path}"
    if port:
        yield f"{scheme}://{host}:{port}{slash}{path}"
