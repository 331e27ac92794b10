"""A request of a webhook is answered once its events have arrived, and sent again it tells the same."""

import hashlib
import hmac

import pytest

from stream.sources.intake import Intake
from stream.sources.requests.answering import answer
from stream.sources.source import Received, Webhook
from tests.sources.contract.sinks import Topic
from tests.sources.new_sources import BEGIN, Desk


def request(body: bytes, *, signed_with: bytes = b"secret") -> Received:
    signature = hmac.new(signed_with, body, hashlib.sha256).hexdigest()
    return Received(body, {"x-signature": signature}, "https://desk.example/events", BEGIN)


ASKED = [
    (request(b'{"call": "ann"}'), 0, 204, ["ann"]),
    (request(b'{"call": "ann"}', signed_with=b"guessed"), 0, 401, []),
    (request(b"not json"), 0, 204, []),
    (request(b'{"call": "ann"}'), 1, 503, []),
]


@pytest.mark.parametrize(
    ("asked", "away", "status", "arrived"), ASKED, ids=["taken", "unsigned", "of no use", "no broker"]
)
async def test_a_request_is_answered_when_its_events_have_arrived(
    asked: Received, away: int, status: int, arrived: list[str]
) -> None:
    intake, topic = Intake(), Topic(away=away)
    desk: Webhook = Desk(intake)

    assert (await answer(desk, asked, topic, intake)).status == status
    assert [event.subject for event in topic.events] == arrived
    assert intake.read == 1


async def test_a_request_whose_event_a_reader_would_refuse_is_taken_and_counted() -> None:
    intake, topic = Intake(), Topic()

    assert (await answer(Desk(intake), request(b'{"call": ""}'), topic, intake)).status == 204
    assert intake.refused == {"invalid_event": 1}


async def test_a_request_that_is_sent_again_has_the_ids_that_it_had() -> None:
    intake, topic = Intake(), Topic()
    for _ in range(2):
        await answer(Desk(intake), request(b'{"call": "ann"}'), topic, intake)

    assert topic.events[0] == topic.events[1]
