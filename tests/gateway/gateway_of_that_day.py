"""
`contact-stream` as it is started in the world, but that its clock stands when the recordings of the tests were made.

Also behind a proxy that calls every webhook URL, which some senders sign, and with two sources more: the smallest that
there can be, and one with a defect.
"""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from starlette.requests import Request

from stream.cli import main
from stream.core.cloudevents import Event
from stream.gateway import webhook_file, webhook_posts
from stream.gateway.webhook_posts import WebhookPosts
from stream.sources.registry import SOURCES
from stream.sources.source import Received, Source
from tests.sources.contract.caller import URL
from tests.sources.new_sources import BEGIN, DESK, Desk, DeskOptions

__all__: list[str] = []


class ThatDay(datetime):
    """The clock of the gateway."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # an instant of the class above
        return BEGIN.astimezone(tz)


class Quoting(Desk):
    """A webhook with a defect, which quotes what it read."""

    def verified(self, _: Received) -> bool:
        return True

    def events(self, request: Received) -> Iterator[Event]:
        raise KeyError(request.body.decode())


def called_url(_: WebhookPosts, request: Request) -> str:
    query = request.scope["query_string"].decode("latin-1")
    return f"{URL}?{query}" if query else URL


if __name__ == "__main__":
    QUOTING = Source(name="quoting", about="Quotes.", options=DeskOptions, webhook=lambda _, intake: Quoting(intake))
    webhook_posts.datetime = ThatDay  # type: ignore[attr-defined]  # imported there
    webhook_file.SOURCES = {**SOURCES, DESK.name: DESK, "quoting": QUOTING}  # type: ignore[attr-defined]  # ditto
    WebhookPosts._url_of = called_url  # type: ignore[method-assign, assignment]  # it stands for the proxy
    main()
