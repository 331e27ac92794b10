"""A gateway with a page of surveys, links to it, and what has come out behind it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from stream.app.gateway import GatewayService
from stream.core.cloudevents import Event
from stream.errors import BrokerAway
from stream.families.registry import DECODER
from stream.sdk.encoding import EncodedEvent
from stream.sdk.survey_links import SurveyLink, SurveyLinks
from stream.settings import Settings

__all__ = ["KEY", "Answered", "Asked", "a_link", "asking"]

KEY = "k" * 32


class Answered:
    """Stands for the broker."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.is_away = False

    async def send_encoded(self, events: Sequence[EncodedEvent]) -> int:
        if self.is_away:
            raise BrokerAway("nobody is there")
        self.events += [DECODER.decode(one.value) for one in events]
        return len(events)


class Page:
    """What came back."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str], url: str) -> None:
        self.status, self.text, self.headers, self.url = status, text, headers, url


class Asked:
    """A customer without a browser."""

    def __init__(self, address: str, session: aiohttp.ClientSession, broker: Answered) -> None:
        self.address, self._session, self.broker = address, session, broker
        self.page = f"{address}/surveys/acme"

    def link(self, **told: Any) -> SurveyLink:
        return a_link(page=self.page, **told)

    async def get(self, url: str, **headers: str) -> Page:
        return await self._called("GET", url, None, headers)

    async def post(self, url: str, body: bytes | None = None, /, **fields: object) -> Page:
        """Send a form; of what comes back the first answer, as a redirection is one."""
        body = urlencode(fields).encode() if body is None else body
        return await self._called("POST", url, body, {"Content-Type": "application/x-www-form-urlencoded"})

    async def _called(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as answer:
            onward = answer.headers.get("Location")
            where = str(answer.url.join(URL(onward, encoded=True))) if onward else url
            return Page(answer.status, await answer.text(), answer.headers, where)


def a_link(
    survey: str = "4711",
    kinds: Sequence[Any] = ("csat",),
    *,
    page: str = "https://feedback.example.org/surveys/acme",
    key: str = KEY,
    tenant: str = "acme",
    ago: timedelta = timedelta(0),
    **told: Any,
) -> SurveyLink:
    """Return a link that was made so long ago."""
    told = {"queue": "sales", **told}
    return SurveyLinks(page, key, tenant=tenant).make(survey, kinds, at=datetime.now(UTC) - ago, **told)


@asynccontextmanager
async def asking(
    folder: Path, options: str = "", *, key: str = KEY, policies: Path | None = None
) -> AsyncIterator[Asked]:
    """Run a gateway that serves one page."""
    (folder / "survey.key").write_text(f"{key}\n")
    file = folder / "webhooks.toml"
    file.write_text(f'[surveys.acme]\nkey_file = "survey.key"\ntenants = ["acme"]\n{options}\n')
    broker = Answered()
    settings = Settings(gateway_port=0, gateway_webhooks=file, policies=policies)
    async with aiohttp.ClientSession() as session, GatewayService(settings, brokers="", sink=broker) as service:
        yield Asked(service.address, session, broker)
