"""The least that takes events by HTTP: an ASGI application that parses JSON, and sends it to Kafka by our producer.

It checks nothing, limits nothing, keeps nothing and lets everybody in: what the gateway is measured beside.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import uvicorn

from stream.sdk.producer import EncodedEvent, Producer

Message = MutableMapping[str, Any]


class BareGateway:
    """The application."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer one request."""
        assert scope["type"] == "http"
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if body:
            events = orjson.loads(body)
            await self._producer.send_encoded(map(_record, events if isinstance(events, list) else [events]))
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})


def _record(event: dict[str, Any]) -> EncodedEvent:
    key = f"{event.get('tenantid', 'default')}/{event['data']['queue']}"
    return EncodedEvent("contacts", key.encode(), orjson.dumps(event))


async def main(brokers: str, port: int) -> None:
    """Serve until killed."""
    async with Producer(brokers) as producer:
        config = uvicorn.Config(
            BareGateway(producer), port=port, http="httptools", ws="none", lifespan="off", log_config=None,
            access_log=False, proxy_headers=False, server_header=False,
        )  # fmt: skip
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
