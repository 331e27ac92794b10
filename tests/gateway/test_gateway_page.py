"""The page about the gateway says what the code does."""

import re
from pathlib import Path

from stream.gateway import application, body, messages, requests, server
from stream.gateway.gateway_metrics import GATEWAY

PAGE = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text()


def test_every_metric_of_a_gateway_is_told_of_with_its_labels() -> None:
    told = re.findall(r"^\| `(contact_gateway_\w+)(?:\{([\w,]+)\})?` \|", PAGE, re.MULTILINE)

    assert told == [(metric.name, ",".join(metric.labels)) for metric in GATEWAY]


def test_the_limits_are_those_of_the_code() -> None:
    [limits] = re.findall(r"^## Limits\n\n(.*?)\n\n", PAGE, re.DOTALL | re.MULTILINE)

    room = application.BODIES_BYTES // 1_000_000
    assert " ".join(limits.split()) == (
        f"A body has at most {body.MAX_BODY_BYTES:,} bytes unpacked and {messages.MAX_BATCH:,} events, all bodies at a "
        f"time {room} MB; objects and lists are at most {messages.MAX_DEPTH} deep; headers have at most "
        f"{requests.MAX_HEAD_BYTES // 1024} KiB in {requests.MAX_HEADERS} lines. Bodies of webhooks have {room} MB of "
        "their own, since a webhook reads a body before it knows who sends it. The head of a request may take "
        f"{server.HEAD_SECONDS:g} s, its body {requests.BODY_SECONDS:g} s, and {body.HURRIED_SECONDS:g} s once more "
        f"than half of that room is taken; an answer must be taken within {server.UNREAD_SECONDS:g} s. "
        f"{server.CONNECTIONS:,} connections may be open (fewer where the limit of open files is lower): for one more, "
        "the one that has waited longest for its client is closed."
    )
