"""A call system that sends its events to Kafka: python examples/kafka_producer.py kafka://kafka:9092."""

import asyncio
import sys
from datetime import timedelta

from stream.sdk.delivery import DeliveryReport, NotAcknowledged
from stream.sdk.factory import EventFactory
from stream.sdk.producer import Producer

events = EventFactory("/pbx/berlin", tenant="acme")


def tell(report: DeliveryReport) -> None:
    """Count what has arrived; what was given up could be kept in a file here, to be sent again later."""
    print(f"{len(report.acknowledged)} acknowledged, {len(report.given_up)} given up")
    for lost in report.given_up:
        print(lost.event.value.decode(), lost.failure.why, file=sys.stderr)


async def main(broker: str) -> None:
    """Tell of one call, and then of many at once, which is faster."""
    async with Producer(broker, on_delivery=tell) as producer:
        await producer.send(events.enqueued("call-17", "sales", customer="c-5f3a9be1"))
        await producer.send(events.answered("call-17", "sales", wait=timedelta(seconds=8), agent="eve"))
        await producer.send_many(events.enqueued(f"call-{number}", "support") for number in range(100))
        # `post` waits only for room in the buffer: right where a call must not wait for the broker.
        await producer.post(events.ended("call-17", "sales", talk=timedelta(minutes=2), agent="eve"))


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1]))
    except NotAcknowledged as lost:
        sys.exit(str(lost))
