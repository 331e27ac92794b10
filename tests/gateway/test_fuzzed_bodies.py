"""Bodies of any content, packed in any way, cut and spoiled anywhere: taken or refused, and their room given back."""

import asyncio
import gzip
import sys
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.cloudevents import encode
from stream.families.registry import DECODER
from stream.gateway import body as bodies
from stream.gateway.body import ENCODINGS, BodyBudget, read_body
from stream.gateway.keys import ANYBODY
from stream.gateway.messages import BATCHED, STRUCTURED, judge_events, values_of
from stream.gateway.refusals import RequestRefused
from tests.gateway.posting import an_event, batch

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKED: dict[str, Callable[[bytes], bytes]] = {"identity": bytes, "gzip": gzip.compress, "zstd": zstd.compress}

EVENT = encode(an_event())
CONTENTS = st.sampled_from([EVENT, batch([EVENT, EVENT]), b"", b"[]", b"{}"]) | st.binary(max_size=300)
KINDS = st.one_of(
    st.sampled_from([STRUCTURED, BATCHED, "application/json", f"{STRUCTURED}; charset=utf-8", STRUCTURED.upper()]),
    st.text(max_size=30),
)
ENCODING_NAMES = st.sampled_from([*ENCODINGS, "GZIP", " zstd ", "", "br", "gzip, gzip", "x-gzip"]) | st.text(max_size=8)


@st.composite
def sent(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """Return an encoding and the chunks of a body: packed so, or in another way, and perhaps spoiled."""
    packing = draw(st.sampled_from([*PACKED]))
    packed = bytearray(PACKED[packing](draw(CONTENTS)))
    for place in draw(st.lists(st.integers(0, max(0, len(packed) - 1)), max_size=3)):
        if packed:
            packed[place] ^= draw(st.integers(1, 255))
    packed = packed[: draw(st.integers(0, len(packed)) | st.just(len(packed)))] + draw(st.binary(max_size=5))
    cut = draw(st.integers(0, len(packed)))
    return draw(st.just(packing) | ENCODING_NAMES), [bytes(packed[:cut]), bytes(packed[cut:])]


async def chunks_of(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@given(sent=sent(), kind=KINDS)
@settings(max_examples=500)
def test_any_bytes_by_any_encoding_are_taken_or_refused(sent: tuple[str, list[bytes]], kind: str) -> None:
    encoding, chunks = sent
    budget = BodyBudget(100_000)
    body, status = None, 202
    try:
        body = asyncio.run(read_body(chunks_of(chunks), encoding, budget, seconds=60))
    except RequestRefused as refused:
        status = refused.status
    assert status in {202, 400, 413, 415, 429}
    assert budget.held == len(body or b"")
    if body is None:
        return
    try:
        values = values_of(body, kind, [])
    except RequestRefused:
        return
    judged = judge_events(values, DECODER, ANYBODY)
    assert len(judged.good) + len(judged.refused) == len(values)


@given(content=CONTENTS, packing=st.sampled_from([*PACKED]), cut=st.integers(0, 400))
def test_what_is_packed_whole_is_unpacked_as_it_was(content: bytes, packing: str, cut: int) -> None:
    packed = PACKED[packing](content)
    chunks = [packed[:cut], packed[cut:]]

    assert asyncio.run(read_body(chunks_of(chunks), packing, BodyBudget(100_000), seconds=60)) == content


@given(times=st.integers(1, 20), packing=st.sampled_from(["gzip", "zstd"]))
def test_of_a_bomb_no_more_is_unpacked_than_a_body_may_have(times: int, packing: str) -> None:
    bomb = PACKED[packing](bytes(bodies.MAX_BODY_BYTES + times * 100_000))
    budget = BodyBudget(10 * bodies.MAX_BODY_BYTES)
    highest = 0
    reserve = budget.reserve

    def watched(size: int) -> None:
        nonlocal highest
        reserve(size)
        highest = max(highest, budget.held)

    budget.reserve = watched  # type: ignore[method-assign]  # only looks
    with pytest.raises(RequestRefused, match="may have"):
        asyncio.run(read_body(chunks_of([bomb]), packing, budget, seconds=60))
    assert highest <= bodies.MAX_BODY_BYTES
    assert not budget.held
