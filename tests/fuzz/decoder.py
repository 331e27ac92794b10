"""Coverage-guided fuzzing of the decoder: `python tests/fuzz/decoder.py -max_total_time=60`.

Any bytes are an event or an InvalidEvent with a known reason; what is read is written and read again.
"""

import sys
from typing import cast

import atheris

with atheris.instrument_imports(include=["stream.core.cloudevents"]):
    from stream.core.cloudevents import Headers, encode
    from stream.families.registry import DECODER
from stream.core.cloudevents import Event
from stream.errors import INVALID_REASONS, InvalidEvent

HEADERS = (
    (),
    (("content-type", b"application/cloudevents+json"),),
    (
        ("ce_specversion", b"1.0"),
        ("ce_type", b"contact.answered"),
        ("ce_id", b"1"),
        ("ce_source", b"/pbx"),
        ("ce_subject", b"c"),
        ("ce_time", b"2026-11-20T10:00:00Z"),
        ("content-type", b"application/json"),
    ),
)


def decode_anything(data: bytes) -> None:
    """Decode fuzzed bytes in each content mode."""
    for headers in HEADERS:
        outcome = _outcome(data, headers)
        assert outcome in INVALID_REASONS or DECODER.decode(encode(cast("Event", outcome))) == outcome


def _outcome(data: bytes, headers: Headers) -> Event | str:
    try:
        return DECODER.decode(data, headers)
    except InvalidEvent as invalid:
        return invalid.reason


if __name__ == "__main__":
    atheris.Setup(sys.argv, decode_anything)
    atheris.Fuzz()
