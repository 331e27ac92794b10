"""The contract of polled systems, with a real server: Dovecot."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from stream.sources.imap_mailbox.source import MailboxPuller
from stream.sources.intake import Intake
from stream.sources.source import Puller
from tests.mail_servers import PASSWORD, Dovecot, dovecot_server
from tests.sources.contract.kept import Kept, PolledSystem
from tests.sources.contract.polled import POLLED
from tests.sources.contract.polled_contract import PolledContract
from tests.sources.imap_mailbox.mailboxes import MONDAY, Clock, settings_in

pytestmark = pytest.mark.slow

RECEIVED = MONDAY + timedelta(days=1)


class _RealInbox:
    def __init__(self, server: Dovecot, folder: Path) -> None:
        self._server = server
        (folder / "secret").write_text(PASSWORD)
        self._told = settings_in(
            folder,
            port=server.tls_port,
            security="tls",
            ca_file=server.ca_file,
            password_file=folder / "secret",
            poll_seconds=0.2,
        )

    async def add(self, records: Iterable[bytes]) -> None:
        self._server.deliver_many(records, RECEIVED)

    def puller(self, intake: Intake) -> Puller:
        return MailboxPuller(lambda: self._told, intake, clock=Clock(RECEIVED))


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot_server() as found:
        yield found


class TestRealMailbox(PolledContract):
    """All of it, for one mailbox after another."""

    @pytest.fixture
    def system(self, server: Dovecot) -> PolledSystem:
        @asynccontextmanager
        async def kept(folder: Path) -> AsyncIterator[Kept]:
            server.clear()
            yield _RealInbox(server, folder)

        return replace(POLLED["imap-mailbox"], kept=kept)
