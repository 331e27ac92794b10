"""How Zendesk calls."""

from stream.sources.zendesk import source as zendesk
from tests.sources.contract.caller import Caller, secret_file
from tests.sources.zendesk.account import RUMOUR, TICKETS, signed

__all__ = ["CALLER"]

CALLER = Caller(
    source=zendesk.SOURCE,
    options=lambda folder: zendesk.Options(secret_file=secret_file(folder)),
    signed=signed,
    bodies=TICKETS,
    unknown=RUMOUR,
)
