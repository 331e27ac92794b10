"""Customers answer on the pages of two gateways: the board behind the broker has the figures counted by hand."""

from pathlib import Path
from urllib.parse import urlencode, urljoin

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from scripts.apache_kafka.admin import admin_of
from stream.core.cloudevents import Event
from stream.sdk.producer import Producer
from tests.brokers import Broker
from tests.gateway.posting import Posts, running_gateway
from tests.gateway.surveys.asked import KEY, a_link
from tests.running import running_service, scrape, until

pytestmark = pytest.mark.slow

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

WORDS = "Jana Marked, +386 40 123 456: slow!"
# What of the words is never to be found. Not a few digits alone: times and digests have them, too.
MARKS = (b"Jana", b"Marked", b"40 123 456", b"slow!")


class Customer:
    """Who answers the survey of one link."""

    def __init__(self, survey: str) -> None:
        self.link = a_link(survey, channel="email")
        self.receipt = ""
        self.answers = 0

    async def answer(self, posts: Posts, score: int, words: str = "", *, change: bool = False, clicks: int = 1) -> None:
        """Open the page, choose and send."""
        path = self.receipt if change else f"/surveys/acme/{self.link.token}"
        status, _ = await posts.get(f"{path}?csat={score}")
        assert status == 200
        self.answers += 1
        form = urlencode({"csat": score, "comment": words, "shown": self.answers}).encode()
        for _ in range(clicks):
            status, _, headers = await posts.raw(path, form, FORM)
            assert status == 303
            self.receipt = urljoin(path, headers["Location"])


async def test_what_customers_answer_is_on_the_board_and_what_they_write_is_not_on_the_broker(
    fresh_broker: Broker, tmp_path: Path
) -> None:
    (tmp_path / "survey.key").write_text(KEY)
    file = tmp_path / "webhooks.toml"
    file.write_text('[surveys.acme]\nkey_file = "survey.key"\ntenants = ["acme"]\ncomments = "counted"\n')
    one, two, three, four, five = customers = [Customer(f"case-{number}") for number in range(1, 6)]
    invitations: list[Event] = [event for customer in customers for event in customer.link.invitations()]
    async with (
        running_service(fresh_broker) as service,
        running_gateway(fresh_broker.address, gateway_webhooks=file) as posts,
        running_gateway(fresh_broker.address, gateway_webhooks=file) as others,
        Producer(fresh_broker.setting) as producer,
    ):
        await one.answer(posts, 5, WORDS)
        await two.answer(posts, 2)
        await two.answer(others, 4, change=True)
        await three.answer(others, 3, clicks=2)
        # By the message again, at another gateway: the latest stands.
        await four.answer(posts, 1)
        await four.answer(others, 2)
        # The fifth opens the page, and sends nothing. Invitations come last, and twice.
        await posts.get(f"/surveys/acme/{five.link.token}?csat=1")
        await producer.send_many([*invitations, *invitations])
        await until(lambda: service.feed.events.total() >= 7 + 10)
        page = await scrape(service)
        of_queue = (("channel", "email"), ("queue", "sales"), ("tenant", "acme"))

        def shown(name: str, **labels: str) -> float | None:
            return page.get((f"contact_{name}", tuple(sorted((*of_queue, *labels.items())))))

        # 5, 4, 3 and 2; those of 4 and 5 are satisfied.
        assert shown("csat_ratio", window="7d") == 0.5
        assert shown("csat_mean_score", window="7d") == 3.5
        assert shown("survey_window_comments", window="7d") == 1
        assert shown("survey_window_answers", kind="csat", window="7d") == 4
        assert shown("survey_window_invitations", kind="csat", window="7d") == 5
        assert shown("survey_response_ratio", kind="csat", window="7d") == 0.8
        assert service.feed.invalid.total() == 0
    stored = await everything_on(fresh_broker.address)
    assert b"case-1" in stored
    assert not [mark for mark in MARKS if mark in stored]
    assert one.link.token.encode() not in stored


async def everything_on(address: str) -> bytes:
    """Return all bytes of all topics, changelogs too."""
    async with admin_of(address) as admin:
        described = await admin.describe_topics(await admin.list_topics())
    places = [TopicPartition(told["topic"], part["partition"]) for told in described for part in told["partitions"]]
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: list[bytes] = []
        more = True
        while more or any([await consumer.position(place) < ends[place] for place in places]):
            fetched = await consumer.getmany(timeout_ms=300)
            found += [(r.key or b"") + (r.value or b"") for records in fetched.values() for r in records]
            more = bool(fetched)
    finally:
        await consumer.stop()
    return b"\n".join(found)
