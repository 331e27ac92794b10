"""The recorded messages in a mailbox of a real server: those of Monday, and those of Tuesday."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stream.broker.child import HOST
from tests.brokers import Broker
from tests.mail_servers import PASSWORD, USER, dovecot_server
from tests.sources.contract.told_story import StorySystem, ToldStory
from tests.sources.imap_mailbox.test_mail_stories import EVENING, recorded

__all__ = ["STORY"]

_SENT: Final = "Posta"
"""The server says that what is sent lies there."""

_TUESDAY: Final = datetime(2026, 11, 24, tzinfo=UTC)


@asynccontextmanager
async def _begun(folder: Path, _: Broker) -> AsyncIterator[StorySystem]:
    with dovecot_server() as server:
        (folder / "password").write_text(PASSWORD)
        (folder / "ids.key").write_text("a key of ids")
        (folder / "mailbox.toml").write_text(
            f'host = "{HOST}"\nport = {server.tls_port}\nca_file = "{server.ca_file}"\nuser = "{USER}"\n'
            'password_file = "password"\nkey_file = "ids.key"\nqueue = "support"\nteam = ["example.org"]\n'
            "read_back_days = 400\nawait_sent_seconds = 0\n"
        )

        async def goes_on(half: int) -> None:
            for header, received, place in recorded():
                if (received >= _TUESDAY) == bool(half):
                    content = header.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n\r\nMarked\r\n"
                    server.deliver(content, received, _SENT if place == "Sent" else place)

        yield StorySystem([str(folder / "mailbox.toml")], goes_on)


STORY: Final = ToldStory(
    begun=_begun,
    # c1 asks, gets an automatic reply and an answer that solves it, asks again, and is out of office.
    told=8,
    afresh=23,
    at=EVENING,
    # c1 is answered again, and solved, 22 hours and 20 minutes behind the question, on Tuesday; c2 to c6 wait.
    figures="""
contact_case_opened_total{queue="support",channel="email"} 6
contact_case_received_total{queue="support",channel="email"} 8
contact_case_sent_total{queue="support",channel="email"} 2
contact_case_automatic_total{queue="support",channel="email"} 2
contact_case_first_response_seconds_sum{queue="support",channel="email"} 5400
contact_case_window_opened{queue="support",channel="email",window="today"} 4
contact_case_window_received{queue="support",channel="email",window="today"} 5
contact_case_window_sent{queue="support",channel="email",window="today"} 1
contact_case_next_response_mean_seconds{queue="support",channel="email",window="today"} 80400
contact_cases_open{queue="support",channel="email"} 5
contact_cases_waiting{queue="support",channel="email"} 5
""",
)
