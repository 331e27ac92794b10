"""How Help Scout calls."""

from datetime import UTC, datetime

from stream.sources.help_scout import source as help_scout
from tests.sources.contract.caller import Caller, received, secret_file
from tests.sources.help_scout.inbox import CONVERSATIONS, RUMOUR, signed

__all__ = ["CALLER"]

CALLER = Caller(
    source=help_scout.SOURCE,
    options=lambda folder: help_scout.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, signed(body).headers),
    bodies=[body for _, body in CONVERSATIONS],
    at=datetime(2026, 3, 2, 12, 21, tzinfo=UTC),
    figures="""
contact_case_window_opened{queue="76544",channel="email",window="today"} 3
contact_case_window_reassigned{queue="76544",channel="email",window="today"} 1
contact_case_window_deleted{queue="76544",channel="email",window="today"} 1
contact_case_window_spam{queue="76544",channel="email",window="today"} 1
contact_case_window_resolved{queue="76544",channel="email",window="today"} 2
contact_case_window_assigned{queue="76545",channel="email",window="today"} 1
contact_case_window_opened{queue="76544",channel="chat",window="today"} 1
contact_case_window_merged{queue="76544",channel="chat",window="today"} 1
contact_case_window_first_responses{queue="76544",channel="chat",window="today"} 0
contact_case_window_resolved{queue="76544",channel="chat",window="today"} 0
""",
    unknown=RUMOUR[1],
)
