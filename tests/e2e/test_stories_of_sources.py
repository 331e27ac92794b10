"""What each system posts goes through gateway, broker and worker, and gives the figures counted by hand."""

from datetime import datetime, tzinfo
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stream.gateway import webhook_posts
from stream.sources.intake import Intake
from tests.brokers import Broker
from tests.gateway.posting import running_gateway
from tests.running import Figures, parsed, running_service, scrape, until
from tests.sources.contract.caller import URL, Caller, webhook_file_of
from tests.sources.contract.callers import CALLERS
from tests.sources.new_sources import BEGIN, DESK

pytestmark = pytest.mark.slow

TOLD = {name: caller for name, caller in CALLERS.items() if name != DESK.name}


class ThatDay(datetime):
    """The clock of the gateway stands when the requests were signed."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # an instant of the class above
        return BEGIN.astimezone(tz)


def on_the_page(wanted: Figures, page: Figures) -> Figures:
    """Return for each wanted sample the sum of those of the page with its labels, and perhaps others, if any."""
    found: Figures = {}
    for name, labels in wanted:
        samples = [one for (other, more), one in page.items() if other == name and {*labels} <= {*more}]
        if samples:
            found[name, labels] = sum(samples)
    return found


def events_of(caller: Caller, folder: Path) -> list[tuple[str, str]]:
    """Return what identifies the events that its requests tell: some are told by several."""
    assert caller.source.webhook is not None
    webhook = caller.source.webhook(caller.options(folder), Intake())
    return [(one.source, one.id) for body in caller.bodies for one in webhook.events(caller.signed(body))]


@pytest.mark.parametrize("name", TOLD)
async def test_what_a_system_posts_gives_the_figures_counted_by_hand(
    fresh_broker: Broker, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = TOLD[name]
    wanted = parsed(caller.figures)
    assert wanted, "count by hand what its bodies give, and put it into figures of its Caller"
    monkeypatch.setattr(webhook_posts, "datetime", ThatDay)
    public = URL.removesuffix(urlsplit(URL).path)
    # Each system sends again what it takes for lost, and in any order.
    requests = [caller.signed(body) for body in (*caller.bodies, *reversed(caller.bodies))]
    async with (
        running_service(fresh_broker, at=caller.at) as service,
        running_gateway(
            fresh_broker.address, gateway_webhooks=webhook_file_of(caller, tmp_path), gateway_public_url=public
        ) as posts,
    ):
        for request in requests:
            url = urlsplit(request.url)
            status, _, _ = await posts.raw(f"{url.path}?{url.query}".rstrip("?"), request.body, request.headers)
            assert status in {200, 204}
        told = events_of(caller, tmp_path)
        await until(lambda: sum(service.feed.events.values()) >= 2 * len(told))
        page = await scrape(service)

    assert on_the_page(wanted, page) == wanted
    assert service.feed.invalid.total() == 0
