"""How Zammad calls."""

from datetime import timedelta

from stream.sources.zammad import source as zammad
from tests.sources.contract.caller import Caller, received, secret_file
from tests.sources.zammad.service_desk import BEGIN, RUMOUR, TICKETS, request

__all__ = ["CALLER"]

CALLER = Caller(
    source=zammad.SOURCE,
    options=lambda folder: zammad.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, request(body).headers),
    bodies=TICKETS,
    at=BEGIN + timedelta(hours=9),
    figures="""
contact_case_window_opened{queue="Service Desk",channel="email",window="today"} 2
contact_case_window_resolved{queue="Service Desk",channel="email",window="today"} 0
contact_case_window_resolved{queue="Second Level",channel="email",window="today"} 2
contact_case_window_opened{queue="Service Desk",channel="messaging",window="today"} 1
""",
    unknown=RUMOUR,
)
