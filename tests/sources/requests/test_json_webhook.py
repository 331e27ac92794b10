"""A document is told by what its kind means; what is none, or of no kind that is known, is counted and set aside."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from stream.core.cloudevents import Event
from stream.sdk.factory import EventFactory
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, TellJson, json_documents
from stream.sources.requests.parts import UnusablePart
from stream.sources.source import Received
from tests.sources.new_sources import BEGIN


class _Call(Struct):
    id: str


def _enqueued(document: JsonDocument) -> Iterable[Event]:
    call = msgspec.convert(document.content, _Call)
    factory = EventFactory("/desk", clock=lambda: document.at, new_id=lambda: f"enqueued-{call.id}")
    return [factory.enqueued(call.id, "sales")]


def _kind_of(content: dict[str, Any]) -> str:
    if "kind" not in content:
        raise UnusablePart("no_kind", "it has no kind")
    return str(content["kind"])


def _at_the_end_of_time(_: JsonDocument) -> Iterable[Event]:
    return [EventFactory("/desk").enqueued("1", "sales", at=datetime.max.replace(tzinfo=UTC) + timedelta(seconds=2))]


def told(body: bytes) -> tuple[list[str], Intake, list[BadLine]]:
    aside: list[BadLine] = []
    intake = Intake(aside.append)
    tell: dict[str, TellJson] = {"call": _enqueued, "empty": lambda _: [], "late": _at_the_end_of_time}
    webhook = JsonWebhook(
        intake,
        verify=lambda _: True,
        documents=lambda request: json_documents(request, _kind_of),
        tell=tell,
        of_no_use={"ping"},
    )
    intake.read += 1
    return [event.id for event in webhook.events(Received(body, {}, "/v1/webhooks/one?token=x", BEGIN))], intake, aside


def test_each_document_is_told_by_its_kind() -> None:
    ids, intake, aside = told(
        b'[{"kind": "call", "id": "1"}, {"kind": "ping"}, {"kind": "empty"}, {"kind": "call", "id": "2"}]'
    )

    assert ids == ["enqueued-1", "enqueued-2"]
    assert (intake.read, dict(intake.used), dict(intake.ignored), aside) == (
        4,
        {"call": 2},
        {"ping": 1, "empty": 1},
        [],
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'"call"', "not_an_object"),
        (b"[1]", "not_an_object"),
        (b'{"kind": "call", "id": 1}', "invalid_field"),
        (b'{"kind": "call"}', "invalid_field"),
        (b'{"kind": "late"}', "not_an_instant"),
        (b'{"kind": "news"}', "unknown_kind"),
        (b"{}", "no_kind"),
    ],
)
def test_what_is_of_no_use_is_set_aside_with_its_place(body: bytes, reason: str) -> None:
    ids, intake, aside = told(body)

    assert ids == []
    assert [(each.reason, str(each.place)) for each in aside] == [(reason, "/v1/webhooks/one:1")]
    assert intake.read == sum(intake.refused.values()) + sum(intake.unknown.values()) == 1


def test_a_field_that_is_wrong_is_named_and_not_quoted() -> None:
    (bad,) = told(b'{"kind": "call", "id": 4930123456}')[2]

    assert bad.detail == "Expected `str`, got `int` - at `$.id`"


def test_one_that_is_of_no_use_spoils_no_other() -> None:
    ids, _, aside = told(b'[{"kind": "call"}, {"kind": "call", "id": "2"}]')

    assert (ids, len(aside)) == (["enqueued-2"], 1)


def test_nobody_keeps_us_busy_with_a_list_without_end() -> None:
    ids, _, (bad,) = told(b"[" + b",".join([b'{"kind": "call", "id": "1"}'] * 10_001) + b"]")

    assert (len(ids), bad.reason) == (10_000, "too_many")
