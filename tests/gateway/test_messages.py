"""Whatever is posted, it is judged or refused: nothing else comes of it."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from stream.core.cloudevents import encode
from stream.families.registry import DECODER
from stream.gateway.keys import ANYBODY, SourceKey
from stream.gateway.messages import BATCHED, MAX_DEPTH, STRUCTURED, _too_deep, judge_events, values_of
from stream.gateway.refusals import RequestRefused
from tests.gateway.posting import an_event, batch

DOCUMENT = json.loads(encode(an_event()))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4),
    max_leaves=20,
)
NEARLY_EVENTS = st.dictionaries(st.sampled_from([*DOCUMENT, "data_base64", "datacontenttype", "X", "ext"]), JSON).map(
    lambda changed: DOCUMENT | changed
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    NEARLY_EVENTS.map(lambda value: json.dumps(value).encode()),
    st.lists(NEARLY_EVENTS, max_size=4).map(lambda value: json.dumps(value).encode()),
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"ce-specversion", b"ce-id", b"ce-type", b"ce-time", b"ce-subject", b"ce-source", b"ce-\xff"]),
        st.binary(max_size=30) | st.sampled_from([b"1.0", b"contact.enqueued", b"2026-11-20T10:00:00Z", b'"\\']),
    ),
    max_size=8,
)


@given(body=BODIES, content_type=st.sampled_from([STRUCTURED, BATCHED, "application/json", ""]), headers=HEADERS)
@example(body=b'{"specversion":"1.0"}', content_type=STRUCTURED, headers=[])
@example(body=b'[{"datacontenttype":NaN}]', content_type=BATCHED, headers=[])
def test_any_body_is_judged_or_refused(body: bytes, content_type: str, headers: list[tuple[bytes, bytes]]) -> None:
    try:
        values = values_of(body, content_type, headers)
    except RequestRefused:
        return
    judged = judge_events(values, DECODER, ANYBODY)

    assert len(judged.good) + len(judged.refused) == len(values)
    # And what is good is so for the worker, too.
    for event in judged.good:
        assert DECODER.decode(event.value).topic == event.topic


@given(st.lists(st.booleans(), max_size=30))
def test_every_event_at_fault_is_named_by_its_place(which_are_good: list[bool]) -> None:
    body = batch([an_event() if good else b"{}" for good in which_are_good])

    judged = judge_events(values_of(body, BATCHED, []), DECODER, ANYBODY)

    assert [one.index for one in judged.refused] == [index for index, good in enumerate(which_are_good) if not good]


@given(JSON)
def test_depth_is_that_of_objects_and_lists(value: object) -> None:
    def depth(part: object) -> int:
        below = part.values() if isinstance(part, dict) else part if isinstance(part, list) else None
        return 0 if below is None else 1 + max(map(depth, below), default=0)

    within = MAX_DEPTH - 3
    for ensure_ascii in (True, False):
        text = json.dumps(value, ensure_ascii=ensure_ascii).encode()
        assert _too_deep(b"[" * within + text + b"]" * within) == (within + depth(value) > MAX_DEPTH)


def test_patterns_of_a_key_are_of_whole_names() -> None:
    event = an_event(tenant="acme")

    assert SourceKey(digests=(), tenants=("acme",), types=("contact.*",)).may_post(event)
    for tenants, types in ((("acm",), ("*",)), (("*",), ("contact",)), ((), ("*",)), (("*",), ())):
        assert not SourceKey(digests=(), tenants=tenants, types=types).may_post(event)
