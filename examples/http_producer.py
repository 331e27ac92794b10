"""The same calls through the gateway: python examples/http_producer.py http://127.0.0.1:9109 [FILE WITH A KEY]."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from stream.sdk.delivery import NotAcknowledged
from stream.sdk.factory import EventFactory
from stream.sdk.http_producer import HttpProducer

events = EventFactory("/pbx/berlin", tenant="acme")


async def main(gateway: str, key_file: Path | None) -> None:
    """Tell of a few calls; an event that the gateway refuses does not hold up the others."""
    day = [
        events.enqueued("call-21", "sales"),
        events.answered("call-21", "sales", wait=timedelta(seconds=12), agent="eve"),
        events.ended("call-21", "sales", talk=timedelta(minutes=3), agent="eve"),
    ]
    async with HttpProducer(gateway, key_file=key_file) as producer:
        try:
            print(await producer.send_many(day), "accepted")
        except NotAcknowledged as lost:
            for one in lost.given_up:
                print(one.failure.why, file=sys.stderr)
            raise


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None))
