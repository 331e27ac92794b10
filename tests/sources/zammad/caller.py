"""How Zammad calls."""

from stream.sources.zammad import source as zammad
from tests.sources.contract.caller import Caller, secret_file
from tests.sources.zammad.service_desk import RUMOUR, TICKETS, request

__all__ = ["CALLER"]

CALLER = Caller(
    source=zammad.SOURCE,
    options=lambda folder: zammad.Options(secret_file=secret_file(folder)),
    signed=request,
    bodies=TICKETS,
    unknown=RUMOUR,
)
