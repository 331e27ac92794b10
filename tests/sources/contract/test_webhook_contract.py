"""What every webhook must do: let nobody in who cannot sign, and take whatever is signed without stumbling."""

import json
import re
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.cloudevents import Event, encode
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.requests.answering import answer
from stream.sources.source import Received, Webhook
from tests.sources.contract.caller import Caller, altered
from tests.sources.contract.callers import CALLERS
from tests.sources.contract.sinks import CountingSink, Topic


@pytest.fixture(params=[*CALLERS.values()], ids=[*CALLERS], scope="module")
def caller(request: pytest.FixtureRequest) -> Caller:
    found: Caller = request.param
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets")


def webhook_of(caller: Caller, folder: Path, intake: Intake | None = None) -> Webhook:
    assert caller.source.webhook is not None
    return caller.source.webhook(caller.options(folder), intake or Intake())


def told(caller: Caller, folder: Path, bodies: Iterator[bytes] | None = None) -> list[Event]:
    webhook = webhook_of(caller, folder)
    return [event for body in bodies or caller.bodies for event in webhook.events(caller.signed(body))]


def test_what_it_sends_is_verified_and_tells_events_that_a_reader_takes(caller: Caller, folder: Path) -> None:
    webhook = webhook_of(caller, folder)

    assert all(webhook.verified(caller.signed(body)) for body in caller.bodies)
    assert told(caller, folder)
    for event in told(caller, folder):
        checked(event)


def test_what_is_sent_again_in_any_order_tells_the_same_with_the_same_ids(caller: Caller, folder: Path) -> None:
    again = told(caller, folder, iter([*reversed(caller.bodies), *caller.bodies]))
    said: dict[tuple[str, str], set[bytes]] = {}
    for event in told(caller, folder):
        said.setdefault((event.source, event.id), set()).add(encode(event))

    assert {(event.source, event.id) for event in again} == said.keys()
    assert {encode(event) for event in again} == {text for texts in said.values() for text in texts}
    # What has the same id says the same, also where a system tells it in two ways.
    assert [texts for texts in said.values() if len(texts) > 1] == []


HEX = re.compile(r"[0-9a-f]{32}")
"""A keyed hash of an address: the same person's wherever it is told."""

NOT_NUMBERED = {"typeform", "segment", "shopify", "stripe", "woocommerce", "nicereply-webhook"}
"""Sources whose customers are called as their users call them, or have ids that no other account gives."""


def test_what_another_account_of_the_system_numbers_is_not_taken_for_the_same(caller: Caller, folder: Path) -> None:
    options = caller.options(folder)
    if not hasattr(options, "source_name") or caller.source.name in NOT_NUMBERED:
        return
    other = replace(caller, options=lambda at: replace(caller.options(at), source_name="/other"))

    known = customers(told(caller, folder))
    assert not [name for name in known & customers(told(other, folder)) if not HEX.fullmatch(name)]


def customers(events: list[Event]) -> set[str]:
    said = [getattr(getattr(event, "data", None), "customer", None) for event in events]
    # What happens to a customer has the customer as its subject.
    return {
        *filter(None, said),
        *(event.subject for event in events if str(type(event).__struct_config__.tag).startswith("customer.")),
    }


def forged(caller: Caller) -> Iterator[Received]:
    """Yield requests that somebody makes up who has seen one, and has no secret."""
    good = caller.signed(caller.bodies[0])
    for name, text in good.headers.items():
        # Which of the headers shows who sends is the system's matter: each of them is guessed.
        for guess in ("", "x", text[:-1], text + "x", text.swapcase(), "é" + text[1:], "\x00"):
            yield altered(good, headers={**good.headers, name: guess})
    yield altered(good, headers={})
    yield altered(good, headers=dict.fromkeys(good.headers, ""))


def test_nobody_without_the_secret_gets_in(caller: Caller, folder: Path) -> None:
    webhook, requests = webhook_of(caller, folder), list(forged(caller))

    let_in = [request for request in requests if webhook.verified(request)]
    # What remains is what was not needed to show who sends: with none of the headers nobody gets in.
    good = caller.signed(caller.bodies[0])
    needed = [name for name in good.headers if not webhook.verified(altered(good, headers=_without(good, name)))]
    assert needed
    assert not [request for request in let_in if any(request.headers.get(n) != good.headers[n] for n in needed)]


def _without(request: Received, name: str) -> dict[str, str]:
    return {key: text for key, text in request.headers.items() if key != name}


@pytest.mark.parametrize("cut", [0, 1, 2, 10, 100, -1])
def test_a_body_that_is_cut_off_stops_nothing(caller: Caller, folder: Path, cut: int) -> None:
    for body in caller.bodies:
        for event in webhook_of(caller, folder).events(caller.signed(body[:cut])):
            checked(event)


GARBAGE = [
    b"",
    b"\xff\xfe\x00",
    b"{",
    b"[]",
    b"{}",
    b"null",
    b"0",
    b'"x"',
    b"[" * 30 + b"]" * 30,
    b"[null, 1, [], {}]",
    b"a=b&a=c&=&%00&%zz",
    b'{"a": 1e999}',
    b'{"id": -1, "time": 99999999999999999999}',
]


@pytest.mark.parametrize("body", GARBAGE, ids=lambda body: repr(body[:20]))
async def test_garbage_that_is_signed_is_taken_and_counted(caller: Caller, folder: Path, body: bytes) -> None:
    intake, topic = Intake(), Topic()

    reply = await answer(webhook_of(caller, folder, intake), caller.signed(body), topic, intake)

    assert reply.status < 300 or reply.status in {400, 401}
    assert topic.events == []
    counted = intake.refused.total() + intake.unknown.total() + intake.ignored.total() + intake.empty
    assert counted or body in {b"", b"[]", b"null"}


async def test_what_is_of_a_kind_that_nobody_knows_is_taken_counted_and_set_aside(caller: Caller, folder: Path) -> None:
    aside = list[BadLine]()
    intake, topic = Intake(aside.append), Topic()

    reply = await answer(webhook_of(caller, folder, intake), caller.signed(caller.unknown), topic, intake)

    assert reply.status < 300
    assert topic.events == []
    assert intake.unknown.total() + intake.refused.total() == len(aside) == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_field_stops_nothing(caller: Caller, folder: Path, data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(caller.bodies))
    try:
        document = json.loads(body)
    except ValueError:
        changed = bytearray(body)
        for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=5)):
            changed[place] = data.draw(st.integers(0, 255))
        body = bytes(changed)
    else:
        body = json.dumps(_changed(document, data)).encode()

    for event in webhook_of(caller, folder).events(caller.signed(body)):
        assert isinstance(event, Event)


def _changed(document: object, data: st.DataObject) -> object:
    """Return a document of which one part, somewhere, is anything else."""
    if isinstance(document, dict) and document and data.draw(st.integers(0, 4)):
        name = data.draw(st.sampled_from(sorted(document)))
        return {**document, name: _changed(document[name], data)}
    if isinstance(document, list) and document and data.draw(st.integers(0, 4)):
        place = data.draw(st.integers(0, len(document) - 1))
        return [*document[:place], _changed(document[place], data), *document[place + 1 :]]
    return data.draw(VALUES)


async def test_of_ten_thousand_redeliveries_each_is_told_once_with_the_ids_of_the_first_and_none_is_kept(
    caller: Caller, folder: Path
) -> None:
    intake, sink, chance = Intake(), CountingSink(), Random(13)
    webhook = webhook_of(caller, folder, intake)
    expected: Counter[tuple[str, str]] = Counter()
    names = [[(event.source, event.id) for event in told(caller, folder, iter([body]))] for body in caller.bodies]

    async def redelivered(times: int) -> None:
        for _ in range(times):
            place = chance.randrange(len(names))
            # Signed anew each time: who keeps a request keeps memory.
            request = caller.signed(caller.bodies[place])
            assert (await answer(webhook, request, sink, intake)).status < 300
            expected.update(names[place])

    await redelivered(8_000)
    # By now everything has been told, and what is cached is; counting what is kept makes all of it slow.
    tracemalloc.start()
    try:
        await redelivered(2_000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sink.arrived == expected
    assert sink.arrived.keys() == {(event.source, event.id) for event in told(caller, folder)}
    assert kept < 50_000


async def test_what_a_sender_keeps_while_nobody_takes_it_arrives_when_it_sends_it_again(
    caller: Caller, folder: Path
) -> None:
    intake, topic = Intake(), Topic(away=len(caller.bodies))
    webhook = webhook_of(caller, folder, intake)
    requests = [caller.signed(body) for body in caller.bodies]

    assert {(await answer(webhook, request, topic, intake)).status for request in requests} == {503}
    assert topic.events == []
    for request in requests:
        assert (await answer(webhook, request, topic, intake)).status < 300
    assert {event.id for event in topic.events} == {event.id for event in told(caller, folder)}
