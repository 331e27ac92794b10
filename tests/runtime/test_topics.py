"""Topics are created as declared, and a topic that differs keeps the worker from starting."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from stream.errors import BrokerError, SettingsError, TopicMismatch
from stream.runtime.kafka.topics import (
    DEAD_LETTER_ROOM,
    changelog_topic,
    dead_letter_topic,
    ensure_topics,
    source_topic,
)
from tests.runtime.cluster import PARTITIONS, Cluster

DAY = timedelta(days=1)


def test_a_dead_letter_has_room_for_the_largest_record_and_our_headers() -> None:
    source, dead = source_topic("a", 4, retention=DAY), dead_letter_topic("b", 4, retention=DAY)

    assert int(dead.config["max.message.bytes"]) == int(source.config["max.message.bytes"]) + DEAD_LETTER_ROOM


def test_changelogs_are_compacted_and_source_topics_never() -> None:
    assert changelog_topic("a", 4).config["cleanup.policy"] == "compact"
    assert source_topic("a", 4, retention=DAY).config["cleanup.policy"] == "delete"


async def test_a_worker_declares_its_source_its_changelogs_and_the_dead_letters(cluster: Cluster) -> None:
    names = {topic.name for topic in cluster.declared()}

    assert names == {
        cluster.topic,
        cluster.dead_letters,
        f"{cluster.settings.group}-counts-changelog",
        f"{cluster.settings.group}-marks-changelog",
    }


async def test_topics_are_created_once(cluster: Cluster) -> None:
    declared = cluster.declared()

    assert await ensure_topics([cluster.brokers], declared) == [topic.name for topic in declared]
    assert await ensure_topics([cluster.brokers], declared) == []


async def test_a_worker_refuses_another_number_of_partitions(cluster: Cluster) -> None:
    await ensure_topics([cluster.brokers], cluster.declared())
    more = msgspec.structs.replace(cluster.settings, partitions=PARTITIONS * 2)

    with pytest.raises(TopicMismatch, match=rf"{cluster.topic} has 4 partitions, but 8 are configured. Set the number"):
        await cluster.new_worker(more).start()


async def test_a_changelog_that_is_not_compacted_is_refused(cluster: Cluster) -> None:
    wrong = replace(changelog_topic(f"log-{cluster.topic}", 4), config={"cleanup.policy": "delete"})
    await ensure_topics([cluster.brokers], [wrong])

    with pytest.raises(TopicMismatch, match=r"has cleanup.policy=delete, but compact is declared. Change it with"):
        await ensure_topics([cluster.brokers], [changelog_topic(wrong.name, 4)])


async def test_a_topic_that_takes_larger_records_than_declared_is_fine(cluster: Cluster) -> None:
    declared = source_topic(cluster.topic, 4, retention=DAY)
    larger = replace(declared, config={**declared.config, "max.message.bytes": "99999999"})
    await ensure_topics([cluster.brokers], [larger])

    assert await ensure_topics([cluster.brokers], [declared]) == []


async def test_where_topics_may_not_be_created_the_missing_ones_are_named(cluster: Cluster) -> None:
    declared = [source_topic(cluster.topic, 4, retention=DAY)]

    with pytest.raises(TopicMismatch, match=f"Missing topics: {cluster.topic}. Create them with"):
        await ensure_topics([cluster.brokers], declared, create=False)


async def test_brokers_that_cannot_be_reached_are_named() -> None:
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1 cannot be asked"):
        await ensure_topics(["127.0.0.1:1"], [])


async def test_an_embedded_broker_that_is_taken_for_a_real_one_says_how_to_name_it(cluster: Cluster) -> None:
    if cluster.broker.real:
        assert await ensure_topics([cluster.brokers], [], idempotent=True) == []
        return
    with pytest.raises(SettingsError, match=f"name it embedded:{cluster.brokers}$"):
        await ensure_topics([cluster.brokers], [], idempotent=True)
