"""Messages are the same however the stream of bytes was split; what breaks the framing is said, and bounded."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.sources.freeswitch.frames import MAX_FRAME_BYTES, BrokenFraming, EslFrames
from stream.sources.freeswitch.mapper import CallcenterMapper
from stream.sources.freeswitch.records import record_of
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from tests.sources.freeswitch.switch import StoryWriter, framed, recorded_events

STREAM = (
    b"Content-Type: auth/request\n\n"
    b"Content-Type: command/reply\r\nReply-Text: +OK accepted\n\n\n\n"
    + framed(b"", "api/response")
    + framed(b"a\n\nb\n", "text/event-plain")
    + framed(b"{}", "text/event-json")
)


@given(st.lists(st.integers(1, len(STREAM)), max_size=20))
def test_messages_do_not_depend_on_where_the_stream_is_split(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    frames, whole = EslFrames("switch"), list(EslFrames("switch").feed(STREAM))

    split = [frame for begin, end in pairwise(places) for frame in frames.feed(STREAM[begin:end])]

    assert split == whole
    assert [frame.body for frame in whole] == [b"", b"", b"", b"a\n\nb\n", b"{}"]
    assert whole[1].reply == "+OK accepted"


def test_a_recording_is_read_alike_byte_by_byte() -> None:
    said = recorded_events("session_event_json.txt")
    frames = EslFrames("switch")

    assert [frame for place in range(len(said)) for frame in frames.feed(said[place : place + 1])] == list(
        EslFrames("switch").feed(said)
    )


def test_a_plain_event_and_a_json_event_tell_the_same() -> None:
    told = [
        CallcenterMapper("/switch").events(EslFrames("switch").feed(recorded_events(name)))
        for name in ("session_event_json.txt", "session_event_plain.txt")
    ]

    assert told[0] == told[1]
    assert len(told[0]) == 100


@pytest.mark.parametrize(
    "said",
    [
        b"Content-Length: many\n\n",
        b"Content-Length: -3\n\n",
        b"Content-Length: 99999999999999999999\n\n",
        b"Content-Length: 0000000000009999999999\n\n",
        b"x" * (MAX_FRAME_BYTES + 1),
    ],
    ids=["no number", "less than nothing", "too long", "too long behind noughts", "no end"],
)
def test_a_message_whose_end_nobody_knows_breaks_the_connection(said: bytes) -> None:
    with pytest.raises(BrokenFraming):
        list(EslFrames("switch").feed(said))


BODIES = [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 5000, b'{"Event-Name": 3}', b"Event-Name: HEARTBEAT\n\n", b"::::"]


@pytest.mark.parametrize("kind", ["text/event-json", "text/event-plain"])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_an_event_of_no_use_is_a_bad_line_with_a_reason(body: bytes, kind: str) -> None:
    (frame,) = EslFrames("switch").feed(framed(body, kind))

    assert isinstance(record_of(frame), BadLine)


@given(st.binary(max_size=300))
def test_no_event_whatever_it_holds_stops_the_next_one(body: bytes) -> None:
    intake, writer = Intake(), StoryWriter()
    mapper = CallcenterMapper("/switch", intake=intake)
    said = framed(body, "text/event-json") + framed(body, "text/event-plain")

    told = mapper.events(EslFrames("x").feed(said + writer.say("member-queue-start", 0, queue="q", member="m")))

    assert len(told) == 1
    assert intake.read == 3 == sum(each.total() for each in (intake.used, intake.refused, intake.unknown))


@pytest.mark.parametrize("time", ["", "soon", "0", "-5", "9" * 18, "1795781889"])
def test_an_event_without_a_time_in_microseconds_is_refused(time: str) -> None:
    said = StoryWriter().say("member-queue-start", 0, queue="q", member="m", Event_Date_Timestamp=time)
    intake = Intake()

    assert CallcenterMapper("/switch", intake=intake).events(EslFrames("x").feed(said)) == []
    assert intake.refused == {"no_time": 1}
