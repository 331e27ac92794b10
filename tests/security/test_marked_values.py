"""Secrets and personal data are marked in all that sources know, and looked for in all that they show."""

import json
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import msgspec
import pytest

from stream.cli import group
from stream.core.cloudevents import encode
from stream.sources.intake import NAMES_KEPT, Intake
from stream.sources.lines import BadLine
from stream.sources.registry import SOURCES
from stream.sources.requests import secret_lines
from stream.sources.source import Webhook
from tests.sources.contract.caller import SECRET, Caller
from tests.sources.contract.callers import CALLERS
from tests.sources.contract.marks import ALTERED, PERSONAL, altered_one_by_one, marked, places_of, resigned

MADE_UP_PLACES: Final = 15
"""In which a sender writes names that it makes up."""

MOST_ALTERED: Final = 150
"""Of one body: a recorded one may have a thousand values."""

NAMES_A_SECRET: Final = re.compile(r"(^|_)(secret|password|token|key|keys|credentials)$")

DIGEST: Final = re.compile(rb"\b[0-9a-f]{32}\b")
"""Of a customer's address, with a key: an opaque id, and another where the address is another."""

NAMES_AN_ID: Final = re.compile(r"(^|[._])(id|no|call|\w+_(id|sid|token)|\w+Id|\w*A[Rr][Nn]|token|ref)$")
"""Places where a system has an id that it has made."""

NAMES_NOBODY: Final = {
    "typeform": {"form_response.hidden.queue", "form_response.hidden.agent"},
    "mapped-webhook": {"events.agent", "events.line", "events.why"},
    "liveagent": {"agentid", "departmentid", "owner_contactid"},
    "nicereply-webhook": {"agent", "customer"},
    "segment": {"properties.plan", "traits.plan"},
    "stripe": {"data.object.customer", "data.object.items.data.price.lookup_key"},
    "twilio": {"data.payload.task_queue_name"},
    "zammad": {"ticket.group.name"},
    "zendesk": {"event.current"},
    "freshdesk": {"freshdesk_webhook.ticket_group_name"},
}
"""Other places that are told: ids of agents and customers under another name, names of queues, plans and reasons."""

every_caller = pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)


def webhook_of(caller: Caller, folder: Path, intake: Intake) -> Webhook:
    assert caller.source.webhook is not None
    return caller.source.webhook(caller.options(folder), intake)


@every_caller
def test_names_numbers_and_texts_of_customers_change_no_event(caller: Caller, tmp_path: Path) -> None:
    webhook = webhook_of(caller, tmp_path, Intake())

    def told(body: bytes, changed: bytes) -> list[bytes]:
        request = resigned(caller, body, changed)
        assert webhook.verified(request)
        return [DIGEST.sub(b"a digest", encode(event)) for event in webhook.events(request)]

    plain = [told(body, body) for body in caller.bodies]

    assert any(plain)
    assert [told(body, marked(body)) for body in caller.bodies] == plain
    assert PERSONAL.encode() not in b"".join(line for lines in plain for line in lines)


@every_caller
def test_nothing_gets_into_events_but_ids_and_what_names_nobody(caller: Caller, tmp_path: Path) -> None:
    webhook = webhook_of(caller, tmp_path, Intake())
    told: set[str] = set()
    for body in caller.bodies:
        for place, changed in zip(places_of(body), altered_one_by_one(body), strict=False):
            if any(ALTERED.encode() in encode(event) for event in webhook.events(resigned(caller, body, changed))):
                told.add(place)

    assert {place for place in told if not NAMES_AN_ID.search(place)} == NAMES_NOBODY.get(caller.source.name, set())


@every_caller
def test_whatever_is_wrong_with_a_body_no_dead_letter_quotes_it(caller: Caller, tmp_path: Path) -> None:
    aside: list[BadLine] = []
    webhook = webhook_of(caller, tmp_path, Intake(aside.append))

    for body in (*caller.bodies, caller.unknown):
        for _, changed in zip(range(MOST_ALTERED), altered_one_by_one(body), strict=False):
            list(webhook.events(resigned(caller, body, changed)))

    assert aside
    assert [str(bad) for bad in aside if ALTERED in f"{bad!r} {bad}"] == []


class SecretsIn:
    """All that a program which shows tracebacks with their variables would show of a failure."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, failure: BaseException | None, __: object) -> bool:
        assert failure is not None
        self.shown += traceback.TracebackException.from_exception(failure, capture_locals=True).format()
        return isinstance(failure, Broken | TypeError)


class Broken(Exception):
    """A defect."""


def broken(*_: object) -> Any:  # it never returns
    raise Broken


@every_caller
def test_a_traceback_with_its_variables_shows_no_secret(
    caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = SecretsIn()
    request = caller.signed(caller.unknown)
    webhook = webhook_of(caller, tmp_path, Intake(broken))
    assert webhook.verified(request)

    with failing:
        list(webhook.events(request))
    if caller.source.name in SOURCES:  # the one of the tests compares by itself
        monkeypatch.setattr(secret_lines, "compare_digest", divmod)  # of bytes, and not in Python
        with failing:
            webhook.verified(request)

    shown = "".join(failing.shown)
    # Only of a frame of ours: what shows it here is the test itself.
    assert "webhook" in shown
    assert [line for line in shown.splitlines() if SECRET in line] == []


def all_of(thing: object, depth: int = 4) -> Iterator[str]:
    """Yield how an object and its parts are shown, as a debugger would open them."""
    yield repr(thing)
    yield str(thing)
    if depth and not isinstance(thing, str | bytes | int | float | type):
        inside = vars(thing).values() if hasattr(thing, "__dict__") else ()
        fields = [getattr(thing, name, None) for name in getattr(thing, "__struct_fields__", ())]
        for part in (*inside, *fields):
            yield repr(part)
            yield from all_of(part, depth - 1) if "stream." in type(part).__module__ else ()


@every_caller
def test_neither_options_nor_webhook_nor_request_shows_a_secret(caller: Caller, tmp_path: Path) -> None:
    webhook = webhook_of(caller, tmp_path, Intake())
    request = caller.signed(caller.bodies[0])
    assert webhook.verified(request)

    shown = [*all_of(caller.options(tmp_path)), *all_of(webhook), repr(request), str(request), repr([request])]

    assert [text for text in shown if SECRET in text] == []
    assert not any(repr(value) in repr(request) for value in request.headers.values() if len(value) > 16)


def secrets_told_in_words(options: type[Any]) -> list[str]:
    """Return the fields of options that are a secret, and not the path of a file with it."""
    return [
        field.name
        for field in msgspec.structs.fields(options)
        if NAMES_A_SECRET.search(field.name) and "pathlib.Path" not in repr(field.type)
    ]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_is_told_its_secrets_by_files(source: Any) -> None:  # an entry
    assert secrets_told_in_words(source.options) == []


def commands(found: click.Command) -> Iterator[click.Command]:
    yield found
    if isinstance(found, click.Group):
        for each in found.commands.values():
            yield from commands(each)


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """Who lists processes sees their arguments."""
    taken = [
        f"{command.name} {parameter.name}"
        for command in commands(group)
        for parameter in command.params
        if NAMES_A_SECRET.search(parameter.name or "") and not isinstance(parameter.type, click.Path)
    ]

    assert taken == []


@every_caller
def test_what_a_sender_makes_up_makes_few_series(caller: Caller, tmp_path: Path) -> None:
    intake = Intake()
    webhook = webhook_of(caller, tmp_path, intake)

    for body in (caller.bodies[0], caller.unknown):
        for _, changed in zip(range(MADE_UP_PLACES), altered_one_by_one(body), strict=False):
            for number in range(2 * NAMES_KEPT):
                made_up = changed.replace(ALTERED.encode(), f"made-up-{number}".encode())
                list(webhook.events(resigned(caller, body, made_up)))

    names = [*intake.used, *intake.ignored, *intake.unknown, *intake.refused]
    assert len(names) < 2 * NAMES_KEPT
    assert sum("made-up" in name for name in (*intake.used, *intake.ignored, *intake.refused)) == 0


def test_what_is_looked_for_would_be_found() -> None:
    packed = json.dumps({"note": "x", "in": json.dumps([{"id": 1}, {"id": 2}])}).encode()

    assert marked(packed).count(PERSONAL.encode()) > 1
    assert len([*altered_one_by_one(packed)]) == 4
    assert secrets_told_in_words(msgspec.defstruct("Careless", [("token", str), ("key_file", Path)])) == ["token"]
