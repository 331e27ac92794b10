"""The public conformance cases of CloudEvents, told of an event of ours: what they allow is accepted, else refused."""

import json
from typing import Any

import pytest

from stream.core.cloudevents import encode
from tests.gateway.posting import an_event, arrived, running_gateway
from tests.samples import sample

REQUIRED = {"id", "type", "source", "subject", "time", "specversion"}

NOT_OURS = {
    "validMinimalWithNullForOptional": "our events need a subject and a time",
    "validSimpleTextData": "our data is an object",
}
"""Valid CloudEvents that no event of ours can be, and why."""


def cases(name: str) -> list[Any]:
    found: list[Any] = json.loads(sample(f"cloudevents/{name}.json").read_text())["tests"]
    return found


def ours(given: Any, *, tenant: str = "conforming") -> Any:
    """Return an event of ours with what a case says; what the case leaves out on purpose is missing there, too."""
    if not isinstance(given, dict):
        return given
    event = json.loads(encode(an_event(tenant=tenant)))
    told = {name: value for name, value in given.items() if not (name == "type" and value)}
    missing = {name for name in ("id", "type", "source", "specversion") if name not in given}
    return {name: value for name, value in (event | told).items() if name not in missing}


async def posted(document: Any, mode: str) -> tuple[int, list[str]]:
    async with running_gateway(patience=0.05) as posts:
        status, answer = await posts(json.dumps(document).encode(), mode)
        return status, [one["reason"] for one in answer.get("refused", [])]


async def test_valid_events_are_accepted(declared: str) -> None:
    tests = [case for case in cases("format_json_valid_events") if case["id"] not in NOT_OURS]
    assert len(tests) >= 8
    async with running_gateway(declared) as posts:
        for case in tests:
            status, answer = await posts(json.dumps(ours(case["event"])).encode())
            assert (case["id"], status, answer.get("refused")) == (case["id"], 202, None)
        times = {event.time for event in await arrived(declared, "conforming") if event.id == "minimalWithTime"}
    # Whatever way it is written, it is one instant.
    assert len(times) == 1


async def test_invalid_events_are_refused() -> None:
    for case in cases("format_json_invalid_events"):
        status, reasons = await posted(ours(case["event"]), "structured")
        assert (case["id"], status, len(reasons)) == (case["id"], 422, 1)


async def test_valid_batches_are_accepted(declared: str) -> None:
    async with running_gateway(declared) as posts:
        for case in cases("format_json_valid_batches"):
            status, answer = await posts(json.dumps([ours(event) for event in case["batch"]]).encode(), "batch")
            assert (case["id"], status, answer.get("accepted")) == (case["id"], 202, len(case["batch"]))


async def test_invalid_batches_are_refused() -> None:
    for case in cases("format_json_invalid_batches"):
        status, reasons = await posted([ours(event) for event in case["batch"]], "batch")
        assert (case["id"], status, len(reasons)) == (case["id"], 422, 1)


async def test_headers_are_decoded_as_the_binding_says(declared: str) -> None:
    document = json.loads(encode(an_event(tenant="headers")))
    data = json.dumps(document.pop("data")).encode()
    common = {f"ce_{name}": value for name, value in document.items()}
    tests = cases("http_header_encoding")
    async with running_gateway(declared) as posts:
        for case in tests:
            status, _ = await posts(data, "binary", **common | {"ce_subject": case["header"]})
            assert (case["header"], status) == (case["header"], 400 if case["value"] is None else 202)
        found = {event.subject for event in await arrived(declared, "headers")}
    assert found == {case["value"] for case in tests if case["value"] is not None}


@pytest.mark.parametrize("suffix", ["", "; charset=utf-8", ";charset=UTF-8"])
@pytest.mark.parametrize("mode", ["structured", "binary"])
async def test_both_modes_know_their_content_types(declared: str, mode: str, suffix: str) -> None:
    document = json.loads(encode(an_event(tenant="types")))
    async with running_gateway(declared) as posts:
        if mode == "structured":
            status, _ = await posts(json.dumps(document).encode(), f"application/cloudevents+json{suffix}")
        else:
            data = json.dumps(document.pop("data")).encode()
            headers = {f"ce_{name}": value for name, value in document.items()}
            status, _ = await posts(data, f"application/json{suffix}", **headers)
    assert status == 202
