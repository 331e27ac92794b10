"""APIs over HTTP that are asked again and again: with a login, at the pace that they allow, for as long as it takes."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Final, Generic, Self, TypeVar

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from msgspec import MsgspecError, Struct
from yarl import URL

from stream.core.cloudevents import Event
from stream.errors import SettingsError, SourceError
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.source import PulledBatch, read_position
from stream.sources.unquoted import unquoted

__all__ = ["ApiAway", "ApiPage", "ApiPuller", "ApiRefused", "Login", "WebApi", "basic_login", "header_login"]

logger = logging.getLogger(__name__)

PAGE_BYTES: Final = 32 * 1024 * 1024
"""No page of an API is longer; what is would fill the memory."""

ANSWER_TIME: Final = ClientTimeout(total=60)

LONGEST_PAUSE: Final = 900.0
"""Seconds. Who asks for more has made a mistake, and the board would stand still."""

ASK_AGAIN: Final = frozenset({408, 425, 429})
"""Refusals of the client's that another attempt may not meet; so may those of the server's, from 500 on."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

_OTHERWISE: Final = "the position is none of this source; remove the file to begin anew, what is told again counts once"

Login = Callable[[], Mapping[str, str]]
"""Returns the headers that show who asks."""

C = TypeVar("C")


class ApiAway(Exception):
    """The API does not answer, or not now; *after* is for how many seconds it wants to be left alone."""

    def __init__(self, message: str, after: float = 0) -> None:
        super().__init__(message)
        self.after = after


class ApiRefused(Exception):
    """The API does not want to be asked so: the login, the address or a parameter is wrong."""


class ApiPage(Struct, Generic[C], frozen=True):
    """What one answer told."""

    events: list[Event]
    cursor: C
    """Where the next page begins."""
    more: bool
    """Whether there is one by now."""


def basic_login(user: str, secrets: SecretLines) -> Login:
    """Return HTTP's Basic: *user*, and the first line of the file as the password."""

    def login() -> dict[str, str]:
        return {"Authorization": "Basic " + b64encode(f"{user}:{secrets.all()[0]}".encode()).decode()}

    return login


def header_login(name: str, secrets: SecretLines, prefix: str = "") -> Login:
    """Return a header with the first line of the file, such as a token behind `Bearer `."""
    return lambda: {name: prefix + secrets.all()[0]}


class WebApi:
    """
    One API at *address* (`https://host/path`; http for this machine only).

    A context: connections are closed behind it. Raises SettingsError for an address that cannot be meant.
    """

    def __init__(self, address: str, login: Login) -> None:
        self._base = _address(address)
        self._login = login
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Without cookies: what one answer sets must not change the next.
        self._session = ClientSession(timeout=ANSWER_TIME, cookie_jar=DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    def __str__(self) -> str:
        return str(self._base.origin())

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Return what `GET` of a path below the address answers; raises ApiAway or ApiRefused, which quote nothing."""
        assert self._session is not None
        url = (self._base / path.lstrip("/")).with_query(parameters)
        try:
            # Redirects are not followed: the login is for nobody else.
            async with self._session.get(url, headers=self._login(), allow_redirects=False) as response:
                self._check(response, path)
                return await self._content(response)
        # The name alone of what aiohttp raises: its texts may quote the URL.
        except (ClientError, TimeoutError, OSError) as failure:
            raise ApiAway(f"{self}: {type(failure).__name__}") from failure

    def _check(self, response: ClientResponse, path: str) -> None:
        if response.status == 200:
            return
        said = f"{self}/{path.lstrip('/')} answers {response.status}"
        if response.status in ASK_AGAIN or response.status >= 500:
            raise ApiAway(said, _seconds(response.headers.get("Retry-After", "")))
        raise ApiRefused(said)

    async def _content(self, response: ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > PAGE_BYTES:
                raise ApiAway(f"{self}: an answer is longer than {PAGE_BYTES} bytes")
        return bytes(content)


class ApiPuller(Generic[C]):
    """
    Asks for page behind page, and then again every *poll_seconds*; a `Puller`.

    *ask* makes a page of the API's answer behind a cursor; what it raises of msgspec means that the answer is none.
    A refusal at the first answer raises SourceError, so that it is mended at once. Later the API may be away, or
    refuse us, as long as it likes: it is asked again, less and less often.
    """

    def __init__(
        self,
        api: WebApi,
        ask: Callable[[WebApi, C], Awaitable[ApiPage[C]]],
        begin: C,
        intake: Intake,
        *,
        poll_seconds: float,
        back_off: BackOff | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._ask = ask
        self._begin = begin
        self._intake = intake
        self._poll_seconds = poll_seconds
        self._pauses = back_off or BackOff()
        self._sleep = sleep
        self._was_connected = False

    async def batches(self, saved: bytes | None) -> AsyncGenerator[PulledBatch, None]:
        """Yield what the API tells behind *saved*, and then what is added."""
        cursor = self._begin if saved is None else self._read(saved)
        async with self._api:
            while True:
                page = await self._page(cursor)
                moved = page.cursor != cursor
                if page.events or moved:
                    yield PulledBatch(page.events, msgspec.json.encode(page.cursor))
                cursor = page.cursor
                # Where the cursor stands still, one that always says more would be asked in a tight loop.
                if not (page.more and moved):
                    await self._sleep(self._poll_seconds)

    def _read(self, saved: bytes) -> C:
        return read_position(saved, lambda data: msgspec.json.decode(data, type=type(self._begin)), _OTHERWISE)

    async def _page(self, cursor: C) -> ApiPage[C]:
        while True:
            after = 0.0
            try:
                page = await self._ask(self._api, cursor)
            except ApiRefused as refusal:
                if not self._was_connected:
                    raise SourceError(f"{refusal}: look at address and login") from refusal
                logger.warning("%s; asking again", refusal)
            except ApiAway as away:
                after = away.after
                logger.warning("%s; asking again", away)
            # What msgspec says names a field.
            except (MsgspecError, RecursionError) as failure:
                logger.warning("%s answers something else: %s; asking again", self._api, unquoted(failure))
            else:
                self._was_connected = self._intake.connected[str(self._api)] = True
                self._pauses.reset()
                return page
            self._intake.connected[str(self._api)] = False
            await self._pauses.wait(after)


def _address(address: str) -> URL:
    try:
        url = URL(address)
    except ValueError:
        url = URL()
    is_safe = url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK)
    # Neither user nor query, which may be secrets: they would be in logs.
    if not is_safe or not url.host or url.user or url.password or url.query_string or url.fragment:
        raise SettingsError("the address of an API: expected https://host or https://host/path")
    return url


def _seconds(retry_after: str) -> float:
    return min(float(retry_after), LONGEST_PAUSE) if retry_after.isascii() and retry_after.isdecimal() else 0.0
