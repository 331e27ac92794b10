"""How Segment calls."""

from stream.sources.segment import source as segment
from tests.sources.contract.caller import SECRET, Caller, received, secret_file
from tests.sources.segment.workspace import DAY, signed_headers, track

__all__ = ["CALLER"]

CALLER = Caller(
    source=segment.SOURCE,
    options=lambda folder: segment.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, signed_headers(body, SECRET)),
    bodies=[one.body for one in DAY],
    unknown=track("Rumour Heard", "10:00", "ann").body,
)
