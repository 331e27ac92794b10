"""How LiveAgent calls."""

from stream.sources.liveagent import source as liveagent
from tests.sources.contract.caller import Caller, secret_file
from tests.sources.liveagent.office import RUMOUR, TICKETS, request

__all__ = ["CALLER"]

CALLER = Caller(
    source=liveagent.SOURCE,
    options=lambda folder: liveagent.Options(key_file=secret_file(folder)),
    signed=request,
    bodies=TICKETS,
    unknown=RUMOUR,
)
