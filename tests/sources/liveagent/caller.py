"""How LiveAgent calls."""

from datetime import timedelta

from stream.sources.liveagent import source as liveagent
from tests.sources.contract.caller import Caller, received, secret_file
from tests.sources.liveagent.office import BEGIN, RUMOUR, TICKETS, request

__all__ = ["CALLER"]

CALLER = Caller(
    source=liveagent.SOURCE,
    options=lambda folder: liveagent.Options(key_file=secret_file(folder)),
    signed=lambda body: received(body, request(body).headers),
    bodies=TICKETS,
    at=BEGIN + timedelta(hours=9),
    figures="""
contact_case_window_opened{queue="default",channel="email",window="today"} 1
contact_case_window_resolved{queue="b1",channel="email",window="today"} 2
contact_case_window_opened{queue="default",channel="messaging",window="today"} 1
""",
    unknown=RUMOUR,
)
