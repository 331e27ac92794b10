"""How Help Scout calls."""

from stream.sources.help_scout import source as help_scout
from tests.sources.contract.caller import Caller, received, secret_file
from tests.sources.help_scout.inbox import CONVERSATIONS, RUMOUR, signed

__all__ = ["CALLER"]

CALLER = Caller(
    source=help_scout.SOURCE,
    options=lambda folder: help_scout.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, signed(body).headers),
    bodies=[body for _, body in CONVERSATIONS],
    unknown=RUMOUR[1],
)
