"""Answers one request of a webhook: verified, mapped, and acknowledged only once the broker has the events."""

from stream.errors import BrokerError
from stream.sources.intake import Intake
from stream.sources.shipping import is_valid
from stream.sources.source import Received, Sink, Webhook

__all__ = ["answer"]

TAKEN, UNAUTHORIZED, AGAIN_LATER = 204, 401, 503


async def answer(webhook: Webhook, request: Received, sink: Sink, intake: Intake) -> int:
    """
    Return the status of the response. The sender keeps a request until it is taken, so nothing is lost meanwhile.

    What the webhook cannot map it counts itself, and the request is taken: sent again it would be no better.
    """
    intake.read += 1
    # Before anything is read of the body: whoever cannot sign a request should not reach a parser.
    if not webhook.verified(request):
        intake.refused["not_verified"] += 1
        return UNAUTHORIZED
    try:
        await sink.send_many([event for event in webhook.events(request.body) if is_valid(event, intake)])
    except BrokerError:
        return AGAIN_LATER
    return TAKEN
