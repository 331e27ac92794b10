"""How Freshdesk calls."""

from datetime import timedelta

from stream.sources.freshdesk import source as freshdesk
from tests.sources.contract.caller import Caller, received, secret_file
from tests.sources.freshdesk.helpdesk import BEGIN, RUMOUR, TICKETS, request

__all__ = ["CALLER"]

CALLER = Caller(
    source=freshdesk.SOURCE,
    options=lambda folder: freshdesk.Options(key_file=secret_file(folder)),
    signed=lambda body: received(body, request(body).headers),
    bodies=TICKETS,
    at=BEGIN + timedelta(hours=9),
    figures="""
contact_case_window_opened{queue="Support",channel="email",window="today"} 2
contact_case_window_resolved{queue="Support",channel="email",window="today"} 0
contact_case_window_resolved{queue="Second Level",channel="email",window="today"} 2
""",
    unknown=RUMOUR,
)
