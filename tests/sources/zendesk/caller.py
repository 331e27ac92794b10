"""How Zendesk calls."""

from stream.sources.zendesk import source as zendesk
from tests.sources.contract.caller import Caller, received, secret_file
from tests.sources.new_sources import BEGIN
from tests.sources.zendesk.account import RUMOUR, TICKETS, signed

__all__ = ["CALLER"]

CALLER = Caller(
    source=zendesk.SOURCE,
    options=lambda folder: zendesk.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, signed(body, at=BEGIN).headers),
    bodies=TICKETS,
    unknown=RUMOUR,
)
