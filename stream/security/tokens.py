"""Tokens for OAUTHBEARER: from a file that somebody else renews, or from the endpoint of an identity provider."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote_plus

import aiohttp
import msgspec
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError
from msgspec import Struct

from stream.errors import SettingsError
from stream.security.secret_file import read_secret, variable

__all__ = ["EndpointTokens", "FileTokens", "TokenEndpoint", "TokenRefused", "TokenUnavailable"]

TOKEN_SECONDS = 10.0
"""How long a token endpoint may take; a connection to a broker waits for it."""

RENEWED_AT = 0.8
"""A token is used for this share of its life: what it is shown to may take its time."""

DEFAULT_LIFE_SECONDS = 300.0
"""For an endpoint that does not say how long its token lives."""


class _NoToken(KafkaError):  # type: ignore[misc]  # aiokafka has no types; such an error it takes for a lost connection
    def __str__(self) -> str:
        return Exception.__str__(self)  # without the name of the class before it


class TokenUnavailable(_NoToken):
    """There is no token now; there may be one later."""

    retriable = True


class TokenRefused(_NoToken):
    """The token endpoint does not give this client a token."""


class _Tokens(AbstractTokenProvider):  # type: ignore[misc]  # as above
    def __init__(self, extensions: Mapping[str, str]) -> None:
        self._extensions = extensions

    def extensions(self) -> Mapping[str, str]:
        """Return what the broker is told beside the token."""
        return self._extensions


class FileTokens(_Tokens):
    """The token that is in a file when a connection is made."""

    def __init__(self, file: Path, extensions: Mapping[str, str]) -> None:
        super().__init__(extensions)
        self._file = file

    async def token(self) -> str:
        """Return it; raises TokenUnavailable where there is none."""
        try:
            return read_secret(self._file, "sasl_token_file")
        except SettingsError as failure:
            raise TokenUnavailable(str(failure)) from None


class TokenEndpoint(Struct, frozen=True, kw_only=True):
    """Where tokens are given, and for what; secret and authorities are read when they are needed."""

    url: str
    client_id: str
    client_secret: Callable[[], str]
    scope: str
    trusted: Callable[[], ssl.SSLContext]


class _Granted(Struct):
    access_token: str
    expires_in: float = DEFAULT_LIFE_SECONDS


class EndpointTokens(_Tokens):
    """Tokens by the client credentials grant (RFC 6749, section 4.4), each used for most of its life."""

    def __init__(self, endpoint: TokenEndpoint, extensions: Mapping[str, str]) -> None:
        super().__init__(extensions)
        self._endpoint = endpoint
        self._turn = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def token(self) -> str:
        """Return a token; raises TokenRefused or TokenUnavailable."""
        async with self._turn:  # connections to several brokers are made at a time
            now = asyncio.get_running_loop().time()
            if now >= self._until:
                granted = await self._ask()
                self._token, self._until = granted.access_token, now + RENEWED_AT * granted.expires_in
            return self._token

    async def _ask(self) -> _Granted:
        at = self._endpoint
        form = {"grant_type": "client_credentials"} | ({"scope": at.scope} if at.scope else {})
        try:
            # Id and secret are form-encoded before they are put together (RFC 6749, section 2.3.1): a colon in
            # one of them would else end the id.
            login = b64encode(f"{quote_plus(at.client_id)}:{quote_plus(at.client_secret())}".encode()).decode()
            headers = {"Authorization": f"Basic {login}"}
            timeout = aiohttp.ClientTimeout(total=TOKEN_SECONDS)
            # No redirects: they would take the secret to an address that nobody has set. Proxies are those of
            # the environment.
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.post(at.url, data=form, headers=headers, ssl=at.trusted(), allow_redirects=False) as answer,
            ):
                return _granted(answer.status, await answer.read())
        except (aiohttp.ClientError, OSError, SettingsError) as failure:
            # Their messages name addresses and files, no secrets.
            raise TokenUnavailable(f"{variable('sasl_token_endpoint')}: no answer: {failure}") from None


def _granted(status: int, body: bytes) -> _Granted:
    # What an endpoint answers is never quoted: it may repeat what it was sent.
    # RFC 6749, section 5.2: 401 for an unknown client, 400 for the rest; some providers answer 403.
    if status in {400, 401, 403}:
        raise TokenRefused(
            f"{variable('sasl_token_endpoint')}: it refuses the client with status {status}: check "
            f"{variable('sasl_username')}, {variable('sasl_password_file')} and {variable('sasl_token_scope')}"
        )
    try:
        if status == 200:
            # Not strict: some endpoints write `expires_in` as a text.
            return msgspec.json.decode(body, type=_Granted, strict=False)
    except msgspec.MsgspecError:
        pass
    raise TokenUnavailable(f"{variable('sasl_token_endpoint')}: it answers with status {status} and without a token")
