"""How Zendesk calls."""

from datetime import UTC, datetime

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
    at=datetime(2026, 3, 6, 9, 1, tzinfo=UTC),
    figures="""
contact_case_opened_total{queue="unassigned",channel="email"} 1
contact_case_reassigned_total{queue="unassigned",channel="email"} 1
contact_case_opened_total{queue="8447320466430",channel="email"} 1
contact_case_sent_total{queue="8447320466430",channel="email"} 3
contact_case_next_responses_total{queue="8447320466430",channel="email"} 2
contact_case_resolved_total{queue="8447320466430",channel="email"} 2
contact_case_reopened_total{queue="8447320466430",channel="email"} 1
contact_case_opened_total{queue="8447320466430",channel="voice"} 1
contact_case_resolved_total{queue="8447320466430",channel="voice"} 1
contact_case_merged_total{queue="8447320466430",channel="social"} 1
contact_case_spam_total{queue="8447320466430",channel="messaging"} 1
contact_case_automatic_total{queue="8447320466430",channel="chat"} 1
""",
    unknown=RUMOUR,
)
