"""Answers one request of a webhook: verified, mapped, and acknowledged only once its events are safe."""

from typing import Final

from stream.errors import BrokerError
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import is_valid
from stream.sources.source import Received, Reply, Sink, Webhook

__all__ = ["answer"]

TAKEN: Final = 204
UNAUTHORIZED: Final = 401
AGAIN_LATER: Final = 503


async def answer(webhook: Webhook, request: Received, sink: Sink, intake: Intake) -> Reply:
    """
    Return the answer. The sender keeps a request until it is taken, so nothing is lost meanwhile.

    What the webhook cannot map it counts itself, and the request is taken: sent again it would be no better.
    """
    intake.read += 1
    # Before anything is read of the body: whoever cannot sign a request should not reach a parser.
    if not webhook.verified(request):
        intake.refused["not_verified"] += 1
        return webhook.reply(request, UNAUTHORIZED)
    try:
        await sink.send_many([event for event in webhook.events(request) if is_valid(event, intake)])
    except BrokerError:
        return webhook.reply(request, AGAIN_LATER)
    return webhook.reply(request, TAKEN)
