"""How Freshdesk calls."""

from stream.sources.freshdesk import source as freshdesk
from tests.sources.contract.caller import Caller, secret_file
from tests.sources.freshdesk.helpdesk import RUMOUR, TICKETS, request

__all__ = ["CALLER"]

CALLER = Caller(
    source=freshdesk.SOURCE,
    options=lambda folder: freshdesk.Options(key_file=secret_file(folder)),
    signed=request,
    bodies=TICKETS,
    unknown=RUMOUR,
)
