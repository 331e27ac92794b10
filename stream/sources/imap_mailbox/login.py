"""Who logs in to a mailbox: with a password, or with a token of OAuth that is fetched when the last one is used up."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from msgspec import Meta, MsgspecError, Struct
from yarl import URL

from stream.errors import SettingsError
from stream.security.secret_file import Secret
from stream.sources.imap_mailbox.mailbox_file import THIS_MACHINE, MailboxSettings, RefreshedToken
from stream.sources.imap_mailbox.session import Credentials, MailboxAway, MailboxRefused
from stream.sources.requests.secret_lines import SecretLines

__all__ = ["AccessTokens", "MailboxLogin"]

_TOKEN_TIME: Final = ClientTimeout(total=30)
_ANSWER_BYTES: Final = 64 * 1024

_BEFORE_ITS_END: Final = timedelta(minutes=1)
"""A token that ends while we log in is none."""


class _Token(Struct):
    access_token: Annotated[str, Meta(min_length=1)]
    expires_in: Annotated[int, Meta(ge=0)] = 0


class AccessTokens:
    """
    Tokens from an endpoint, for a refresh token (RFC 6749, section 6), or for a client of its own right (section 4.4).

    Raises SettingsError for a bad address.
    """

    def __init__(self, told: RefreshedToken, clock: Callable[[], datetime]) -> None:
        self._url = _endpoint(told.token_url)
        self._client_id = SecretLines(told.client_id_file)
        self._refresh_token = SecretLines(told.refresh_token_file) if told.refresh_token_file else None
        self._client_secret = SecretLines(told.client_secret_file) if told.client_secret_file else None
        self._scope = told.scope
        self._clock = clock
        self._token = Secret()
        self._good_until = clock()

    def forget(self) -> None:
        """Fetch a new one next time: the last was refused."""
        self._token = Secret()

    async def current(self) -> Secret:
        """Return a token that is good for a while; raises MailboxAway or MailboxRefused, which quote nothing."""
        if not self._token or self._clock() >= self._good_until:
            token = await self._fetched()
            self._token = Secret(token.access_token)
            self._good_until = self._clock() + timedelta(seconds=min(token.expires_in, 86_400)) - _BEFORE_ITS_END
        return self._token

    async def _fetched(self) -> _Token:
        try:
            async with (
                ClientSession(timeout=_TOKEN_TIME) as session,
                # Redirects are not followed: the secrets are for nobody else.
                session.post(self._url, data=self._form(), allow_redirects=False) as response,
            ):
                if response.status in {400, 401, 403}:
                    raise MailboxRefused(f"{self._url.host} refuses the refresh token, or the client")
                if response.status != 200:
                    raise MailboxAway(f"{self._url.host} answers {response.status} instead of a token")
                return msgspec.json.decode(await _content_of(response), type=_Token, strict=False)
        except (ClientError, TimeoutError, OSError, MsgspecError) as failure:
            raise MailboxAway(f"{self._url.host}: no token: {type(failure).__name__}") from failure

    def _form(self) -> dict[str, str]:
        told = {
            "grant_type": "refresh_token" if self._refresh_token else "client_credentials",
            "client_id": self._client_id.all()[0],
            "client_secret": self._client_secret.all()[0] if self._client_secret else "",
            "refresh_token": self._refresh_token.all()[0] if self._refresh_token else "",
            "scope": self._scope or "",
        }
        return {name: text for name, text in told.items() if text}


class MailboxLogin:
    """The credentials of a mailbox; files are read again when they change."""

    def __init__(self, told: MailboxSettings, clock: Callable[[], datetime]) -> None:
        file = told.password_file or told.access_token_file
        self._user = told.user
        self._lines = SecretLines(file) if file is not None else None
        self._is_token = told.password_file is None
        self._tokens = AccessTokens(told.oauth, clock) if told.oauth is not None else None

    async def credentials(self) -> Credentials:
        """Return who logs in now; raises MailboxAway or MailboxRefused."""
        if self._lines is not None:
            return Credentials(self._user, self._lines.all()[0], self._is_token)
        assert self._tokens is not None, "mailbox_of has made sure of one"
        return Credentials(self._user, await self._tokens.current(), self._is_token)

    def refused(self) -> None:
        """Take note that the credentials were refused."""
        if self._tokens is not None:
            self._tokens.forget()


async def _content_of(response: ClientResponse) -> bytes:
    """Return what is answered, up to so many bytes: `read` with a number returns the first part that has come."""
    content = bytearray()
    async for part in response.content.iter_any():
        content += part
        if len(content) >= _ANSWER_BYTES:
            break
    return bytes(content)


def _endpoint(address: str) -> URL:
    try:
        url = URL(address)
    except ValueError:
        url = URL()
    if not url.host or not (url.scheme == "https" or (url.scheme == "http" and url.host in THIS_MACHINE)):
        raise SettingsError("token_url: expected https://host/path")
    return url
