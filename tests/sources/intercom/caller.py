"""How Intercom calls."""

from datetime import UTC, datetime

from stream.sources.intercom import source as intercom
from tests.sources.contract.caller import Caller, received, secret_file
from tests.sources.intercom.messenger import NOTIFICATIONS, RUMOUR, signed

__all__ = ["CALLER"]

CALLER = Caller(
    source=intercom.SOURCE,
    options=lambda folder: intercom.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, signed(body).headers),
    bodies=NOTIFICATIONS,
    at=datetime(2026, 3, 2, 12, 21, tzinfo=UTC),
    figures="""
contact_case_window_opened{queue="unassigned",channel="chat",window="today"} 1
contact_case_window_reassigned{queue="unassigned",channel="chat",window="today"} 1
contact_case_window_automatic{queue="unassigned",channel="chat",window="today"} 1
contact_case_window_first_responses{queue="unassigned",channel="chat",window="today"} 0
contact_case_window_sent{queue="814865",channel="chat",window="today"} 3
contact_case_window_first_responses{queue="814865",channel="chat",window="today"} 1
contact_case_window_next_responses{queue="814865",channel="chat",window="today"} 2
contact_case_window_resolved{queue="814865",channel="chat",window="today"} 2
contact_case_window_opened{queue="814865",channel="email",window="today"} 1
contact_case_window_sent{queue="814865",channel="email",window="today"} 2
contact_case_window_first_responses{queue="814865",channel="email",window="today"} 1
contact_case_window_deleted{queue="814865",channel="messaging",window="today"} 1
contact_case_window_opened{queue="814865",channel="messaging",window="today"} 1
contact_case_window_resolved{queue="814865",channel="messaging",window="today"} 1
contact_case_window_reopened{queue="814865",channel="messaging",window="today"} 1
contact_case_window_reassigned{queue="814865",channel="social",window="today"} 1
contact_case_window_assigned{queue="814866",channel="social",window="today"} 1
""",
    unknown=RUMOUR,
)
