"""How Chatwoot calls."""

from datetime import timedelta

from stream.sources.chatwoot import source as chatwoot
from tests.sources.chatwoot.account import BEGIN, CONVERSATIONS, RUMOUR, request
from tests.sources.contract.caller import Caller, received, secret_file

__all__ = ["CALLER"]

CALLER = Caller(
    source=chatwoot.SOURCE,
    options=lambda folder: chatwoot.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, request(body).headers),
    bodies=CONVERSATIONS,
    at=BEGIN + timedelta(hours=9),
    figures="""
contact_case_window_opened{queue="3",channel="chat",window="today"} 1
contact_case_window_resolved{queue="3",channel="chat",window="today"} 2
contact_case_window_opened{queue="3",channel="messaging",window="today"} 1
contact_case_window_opened{queue="3",channel="email",window="today"} 1
contact_case_window_resolved{queue="3",channel="email",window="today"} 0
contact_survey_answers_total{queue="3",kind="csat"} 1
""",
    unknown=RUMOUR,
)
