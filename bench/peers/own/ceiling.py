"""The ceiling of a Python peer on aiokafka: `getmany` and `orjson.loads`, and nothing else."""

import asyncio

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from bench.peers.job import PARTITIONS
from bench.peers.meter import Meter, Run


async def main(run: Run) -> None:
    """Read the topic once."""
    meter, seen = Meter(run), 0
    consumer = AIOKafkaConsumer(
        bootstrap_servers=run.brokers, max_partition_fetch_bytes=2**20, enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign([TopicPartition(run.topic, number) for number in range(PARTITIONS)])
    await consumer.seek_to_beginning()
    meter.begin()
    while seen < run.events:
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            for record in records:
                orjson.loads(record.value)
            seen += len(records)
    meter.mark()
    meter.report()
    await consumer.stop()


if __name__ == "__main__":
    asyncio.run(main(Run.told()))
