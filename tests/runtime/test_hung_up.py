"""A broker that hangs up: whoever sees it first, the connection is closed, and no file stays open.

aiokafka drops a connection without closing it where it is asked for one after the end of what the broker
sends was read, and before its reading task has run. What closes it then is Python, with a warning that
nothing here can prevent: `pyproject.toml` lets it pass, for connections that the other side has ended.
"""

from aiokafka.conn import AIOKafkaConnection, create_conn

from tests.brokers import Broker


async def connected(broker: Broker) -> AIOKafkaConnection:
    host, _, port = broker.address.rpartition(":")
    return await create_conn(host, int(port))


async def test_a_connection_that_is_dropped_after_the_broker_hung_up_is_closed(broker: Broker) -> None:
    connection = await connected(broker)
    transport = connection._writer.transport

    connection._reader.feed_eof()
    del connection

    assert transport.is_closing()
