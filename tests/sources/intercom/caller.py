"""How Intercom calls."""

from stream.sources.intercom import source as intercom
from tests.sources.contract.caller import Caller, received, secret_file
from tests.sources.intercom.messenger import NOTIFICATIONS, RUMOUR, signed

__all__ = ["CALLER"]

CALLER = Caller(
    source=intercom.SOURCE,
    options=lambda folder: intercom.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, signed(body).headers),
    bodies=NOTIFICATIONS,
    unknown=RUMOUR,
)
