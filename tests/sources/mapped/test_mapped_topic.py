"""Records of somebody else's topic, told by a mapping: each once, also after a restart, and bad ones by their place."""

from datetime import timedelta
from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.sources.intake import Intake
from stream.sources.kafka.topic import KafkaTopicPuller
from stream.sources.mapped.topic import map_record_by, read_topic_file
from stream.sources.pulling.shipping import BackOff
from tests.sources.kafka_topic.topics import FakeConsumer, FakeTopic, no_pause, told_of
from tests.sources.mapped.examples import HOME_MADE, PAYLOADS, home_made_call

TOPIC_FILE = f"""
brokers = ["kafka.example:9092"]
topics = ["calls"]
mapping = "{HOME_MADE}"
tenant = "berlin"
source_name = "/berlin"
"""


def topic_file(folder: Path, text: str = TOPIC_FILE) -> Path:
    path = folder / "topic.toml"
    path.write_text(text, encoding="utf-8")
    return path


def puller(folder: Path, topic: FakeTopic, intake: Intake) -> KafkaTopicPuller:
    told, foreign = read_topic_file(topic_file(folder))
    return KafkaTopicPuller(
        lambda: (foreign, map_record_by(told, intake)),
        intake,
        pauses=BackOff(sleep=no_pause),
        connect=lambda _: FakeConsumer(topic),
        look_after=timedelta(0),
    )


async def test_records_are_told_by_the_mapping_and_gone_on_from_after_a_restart(tmp_path: Path) -> None:
    topic, intake = FakeTopic(partitions=2), Intake()
    for number in range(10):
        topic.add(home_made_call(number), partition=number % 2)

    names, batches = await told_of(puller(tmp_path, topic, intake), None, 10)
    topic.add(*PAYLOADS)
    more, _ = await told_of(puller(tmp_path, topic, intake), batches[-1].position, 7)

    assert sorted(names) == [str(number) for number in range(10)]
    assert more == ["eva", "4711", "4711", "4712", "4712", "4711", "eva"]
    assert {(event.source, event.tenantid) for batch in batches for event in batch.events} == {("/berlin", "berlin")}


async def test_a_bad_record_is_told_by_topic_partition_and_offset_and_stops_nothing(tmp_path: Path) -> None:
    aside: list[str] = []
    topic, intake = FakeTopic(), Intake(lambda bad: aside.append(str(bad)))
    topic.add(home_made_call(1), b"+38640000001", None, b'{"events": [{"no": 3, "kind": "queued"}]}', home_made_call(2))

    names, _ = await told_of(puller(tmp_path, topic, intake), None, 2)

    assert names == ["1", "2"]
    assert aside == ["calls/0:1: not JSON", f"calls/0:3: {HOME_MADE}:14: time: the record has no value for it"]
    assert (intake.read, intake.used.total(), intake.empty, intake.refused.total()) == (5, 2, 1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("brokers = 5", r"topic\.toml: Expected `array`"),
        (TOPIC_FILE + "[more]", r"topic\.toml: Object contains unknown field `more`"),
        (TOPIC_FILE.replace(str(HOME_MADE), "gone.toml"), r"gone\.toml cannot be read"),
        ("x", r"topic\.toml: "),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_topic_file(topic_file(tmp_path, text))
