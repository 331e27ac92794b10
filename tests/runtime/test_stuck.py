"""Alive means progress: a worker that leaves records lying is to be restarted, however well the rest of it runs."""

from datetime import timedelta

from stream.status.health import health_of
from tests.runtime.cluster import Cluster, until
from tests.runtime.test_worker import expected, pings

PATIENCE = timedelta(seconds=1)


async def test_a_worker_whose_processor_has_ended_in_silence_is_dead_and_its_successor_goes_on(
    cluster: Cluster,
) -> None:
    """As Faust's processors do now and then: group, heartbeats and checkpoints go on, and nothing is applied."""
    worker = await cluster.start_worker()
    clock, feed = worker.ownership.clock, worker.feed
    sent = pings(100)
    await cluster.send_many(sent)
    await until(lambda: cluster.counts() == expected(sent))
    assert not health_of(feed, clock(), PATIENCE).dead

    for processor in worker.app.agents.values():
        await processor.stop()
    more = pings(100, first=1000)
    await cluster.send_many(more)
    await until(lambda: bool(health_of(feed, clock(), PATIENCE).dead))

    reasons = health_of(feed, clock(), PATIENCE).dead
    assert all("records wait, none applied for more than 1 s" in reason for reason in reasons)
    assert not feed.alive(clock(), PATIENCE)
    assert feed.ready
    await cluster.stop_worker(worker)
    await cluster.start_worker()
    await until(lambda: cluster.counts() == expected(sent + more))
