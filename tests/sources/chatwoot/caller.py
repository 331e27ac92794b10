"""How Chatwoot calls."""

from stream.sources.chatwoot import source as chatwoot
from tests.sources.chatwoot.account import CONVERSATIONS, RUMOUR, request
from tests.sources.contract.caller import Caller, secret_file

__all__ = ["CALLER"]

CALLER = Caller(
    source=chatwoot.SOURCE,
    options=lambda folder: chatwoot.Options(secret_file=secret_file(folder)),
    signed=request,
    bodies=CONVERSATIONS,
    unknown=RUMOUR,
)
