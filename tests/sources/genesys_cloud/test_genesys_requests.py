"""Requests of a Genesys Cloud: who may send them, what they may hold, and that nothing else gets through."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import SettingsError
from stream.sdk.producer import checked
from stream.security import watched_file
from stream.sources.genesys_cloud.source import GenesysCloudWebhook
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.requests.answering import answer
from stream.sources.source import Received
from tests.sources.contract.sinks import Topic
from tests.sources.genesys_cloud.organization import BEGIN, DAY, KEY, SALES, URL, detail, request, told, webhook_in

ENTERED = detail("acd.start", "00:10", "ann", "ann-q", queueId=SALES)


def raw(body: bytes) -> Received:
    return Received(body, {"x-api-key": KEY}, URL, BEGIN)


def counts(intake: Intake) -> int:
    return sum(each.total() for each in (intake.used, intake.ignored, intake.unknown, intake.refused))


# -- who may send ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": KEY + " "},
        {"x-api-key": KEY[:-1]},
        {"authorization": KEY},
        {"x-api-key": "é"},
    ],
    ids=str,
)
async def test_without_the_key_nothing_is_looked_at(tmp_path: Path, headers: dict[str, str]) -> None:
    intake, topic = Intake(), Topic()

    reply = await answer(
        webhook_in(tmp_path, intake), Received(json.dumps(ENTERED).encode(), headers, URL, BEGIN), topic, intake
    )

    assert (reply.status, reply.body, topic.events) == (401, b"", [])
    assert intake.refused == {"not_verified": 1}


async def test_a_key_is_replaced_while_the_gateway_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_file, "CHECKED_EVERY_SECONDS", 0)
    webhook = webhook_in(tmp_path)
    (tmp_path / "key").write_text("old-key\nnew-key\n")

    assert [webhook.verified(request(ENTERED, key=key)) for key in ("old-key", "new-key", KEY)] == [True, True, False]


def test_the_header_is_an_option(tmp_path: Path) -> None:
    webhook = webhook_in(tmp_path, header="Authorization")

    assert webhook.verified(request(ENTERED, header="authorization"))
    assert not webhook.verified(request(ENTERED))


# -- what may be in a request ------------------------------------------------------------------


@pytest.mark.parametrize("parts", [(ENTERED,), (ENTERED["detail"],), (ENTERED, ENTERED["detail"])], ids=len)
async def test_a_notification_comes_by_eventbridge_or_bare_alone_or_in_a_list(
    tmp_path: Path, parts: tuple[Any]
) -> None:
    intake, topic = Intake(), Topic()

    reply = await answer(webhook_in(tmp_path, intake), request(*parts), topic, intake)

    assert reply.status == 204
    assert {event.id for event in topic.events} == {"ann/acd.start/ann-q/1795698010000"}
    assert intake.read == counts(intake) == len(parts)


async def test_bad_parts_are_counted_and_the_good_ones_arrive(tmp_path: Path) -> None:
    aside = list[BadLine]()
    intake, topic = Intake(aside.append), Topic()
    bad = detail("acd.start", "00:10", "bob", "bob-q", queueId=SALES)
    bad["detail"]["eventBody"]["eventTime"] = 1_795_698_010  # seconds
    unknown = detail("something.new", "00:10", "38640000001", "bob-q")

    await answer(webhook_in(tmp_path, intake), request(ENTERED, bad, "text", unknown, []), topic, intake)

    assert [event.subject for event in topic.events] == ["ann"]
    assert intake.refused == {"invalid_field": 1, "not_an_object": 2}
    assert intake.unknown == {"v2.detail.events.conversation.{id}.something.new": 1}
    assert intake.read == counts(intake) == 5
    assert [bad.place.offset for bad in aside] == [1, 2, 3, 4]
    assert "$.eventTime" in str(aside[0])
    assert not any("1795698010" in str(bad) or "38640000001" in str(bad) for bad in aside)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"not json", b"\xff\xfe", b"{", b"[" * 100_000, b'{"detail":' * 50_000, b"[]", b"null", b"7"),
        b'{"detail": null}',
        b'{"topicName": 7}',
        b'{"topicName": "v2.detail.events.conversation.a.acd.start", "eventBody": []}',
        b'{"topicName": "v2.detail.events.conversation.a.acd.start", "eventBody": {"eventTime": 1e400}}',
        b'{"topicName": "v2.detail.events.conversation.a.acd.start", "eventBody": {"eventTime": ' + b"9" * 5000 + b"}}",
        b'{"topicName": "' + b"v2." * 100_000 + b'"}',
        b'{"topicName": "v2.users.\\u0000.presence", "eventBody": {"callbackNumbers": '
        + b"[" * 500
        + b"]" * 500
        + b"}}",
    ],
    ids=range(16),
)
async def test_whatever_is_posted_is_taken_and_told_of(tmp_path: Path, body: bytes) -> None:
    intake, topic = Intake(), Topic()

    reply = await answer(webhook_in(tmp_path, intake), raw(body), topic, intake)

    assert (reply.status, topic.events) == (204, [])
    assert intake.read == counts(intake) == 1
    assert all(len(name) <= 80 for name in intake.unknown)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> GenesysCloudWebhook:
    return webhook_in(tmp_path_factory.mktemp("genesys"))


@given(st.data())
def test_a_notification_with_any_field_changed_is_refused_or_makes_valid_events(
    webhook: GenesysCloudWebhook, data: st.DataObject
) -> None:
    part = json.loads(json.dumps(data.draw(st.sampled_from(DAY))))
    body = part["detail"]["eventBody"]
    for name in data.draw(st.lists(st.sampled_from(sorted(body)), max_size=3)):
        body[name] = data.draw(JSON)

    for event in webhook.events(raw(json.dumps(part).encode())):
        checked(event)


# -- names of queues ---------------------------------------------------------------------------


def test_queues_have_the_names_of_the_file_which_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_file, "CHECKED_EVERY_SECONDS", 0)
    webhook = webhook_in(tmp_path)
    (before,) = told(webhook, [ENTERED])
    (tmp_path / "queues.json").write_text(json.dumps([{"id": SALES, "name": "Vertrieb"}]))
    (after,) = told(webhook, [ENTERED])

    assert (before.data.queue, after.data.queue) == ("Sales", "Vertrieb")


def test_a_queue_that_has_no_name_is_called_by_its_id(tmp_path: Path) -> None:
    (entered,) = told(webhook_in(tmp_path, queues_file=None), [ENTERED])

    assert entered.data.queue == SALES


@pytest.mark.parametrize("content", ["", "[]x", '{"queues": []}', '[{"id": 7, "name": "Sales"}]', "[" * 10_000])
def test_a_file_that_names_no_queues_is_refused_at_the_start(tmp_path: Path, content: str) -> None:
    webhook_in(tmp_path)
    (tmp_path / "names.json").write_text(content)

    with pytest.raises(SettingsError, match=r"names\.json is not a list of queues, each with id and name"):
        webhook_in(tmp_path, queues_file=tmp_path / "names.json")


def test_a_file_of_queues_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.json cannot be read: No such file"):
        webhook_in(tmp_path, queues_file=tmp_path / "nowhere.json")
