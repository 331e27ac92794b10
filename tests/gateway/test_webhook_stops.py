"""A gateway that is stopped while a call system posts: what it has answered for is there, of every webhook."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from stream.families.registry import DECODER
from stream.gateway import webhook_file, webhook_posts
from stream.sources.intake import Intake
from stream.sources.registry import SOURCES
from tests.gateway.posting import Posts, running_gateway
from tests.running import until
from tests.sources.contract.caller import URL, Caller, webhook_file_of
from tests.sources.contract.callers import CALLERS
from tests.sources.new_sources import BEGIN, DESK

POSTS = 2_000
ANSWERED = 300


class ThatDay(datetime):
    """The clock of the gateway stands when the recordings were made: some senders sign the time."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # an instant of the class above
        return BEGIN.astimezone(tz)


@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
async def test_a_stop_in_the_middle_of_a_burst_loses_nothing_that_was_taken(
    caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_file, "SOURCES", {**SOURCES, DESK.name: DESK})
    monkeypatch.setattr(webhook_posts, "datetime", ThatDay)
    assert caller.source.webhook is not None
    webhook, spool = caller.source.webhook(caller.options(tmp_path), Intake()), tmp_path / "spool"
    requests = [caller.signed(body) for body in caller.bodies]
    tell = [Counter((event.source, event.id) for event in webhook.events(request)) for request in requests]
    taken: Counter[tuple[str, str]] = Counter()
    statuses: list[int] = []

    async def call(posts: Posts, number: int) -> None:
        place = number % len(requests)
        request, url = requests[place], urlsplit(requests[place].url)
        with suppress(aiohttp.ClientError):
            status, _, _ = await posts.raw(f"{url.path}?{url.query}".rstrip("?"), request.body, request.headers)
            statuses.append(status)
            if status < 300:
                taken.update(tell[place])

    settings: dict[str, Any] = {"gateway_webhooks": webhook_file_of(caller, tmp_path), "gateway_spool": spool}
    public = URL.removesuffix(urlsplit(URL).path)
    async with running_gateway(patience=0.1, gateway_public_url=public, **settings) as posts:
        calls = [asyncio.create_task(call(posts, number)) for number in range(POSTS)]
        await until(lambda: len(statuses) >= ANSWERED)
    # The gateway has stopped, and then the session of the caller: what is not answered by now never is.
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(failure) for failure in ended if failure is not None} <= {asyncio.CancelledError}

    kept = sqlite3.connect(spool).execute("SELECT value FROM events").fetchall()
    arrived = Counter((event.source, event.id) for event in (DECODER.decode(value) for (value,) in kept))
    assert {status for status in statuses if status >= 300} <= {503}
    assert 0 < taken.total() <= arrived.total()
    assert taken <= arrived
    assert len(statuses) < POSTS
