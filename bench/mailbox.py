"""
The first reading of a large mailbox: a real Dovecot, its maildir on this disk, headers over TLS, positions saved.

`python -m bench.mailbox --messages 100000`
"""

import argparse
import asyncio
import resource
import tempfile
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stream.sources.imap_mailbox.mailbox_file import MailboxSettings
from stream.sources.imap_mailbox.source import MailboxPuller
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import PositionFile
from tests.mail_servers import PASSWORD, USER, Dovecot, dovecot_server

SHARES = "qaqa"
"""Each thread: asked, answered, asked again, answered."""


def headers(messages: int) -> list[bytes]:
    """Return threads of four messages, a few hundred of them mixed with each other."""
    found = []
    for number in range(messages):
        block, place = divmod(number, 800)
        step, thread = divmod(place, 200)
        ids = [f"<{block}.{thread}.{each}@mail.example.com>" for each in range(step + 1)]
        author, reader = f"customer.{block}.{thread}@example.com", "ana.novak@example.org"
        if SHARES[step] == "a":
            author, reader = reader, author
        told = {
            "Return-Path": f"<{author}>",
            "Received": "from mail.example.com by mx.example.org with ESMTPS; Mon, 23 Nov 2026 08:00:00 +0000\n" * 3,
            "From": f"Somebody <{author}>",
            "To": reader,
            "Message-ID": ids[-1],
            "References": " ".join(ids[:-1]),
            "Subject": f"{'Re: ' if step else ''}Parcel {thread}",
        }
        told["Received"] = told["Received"].strip().replace("\n", "\nReceived: ")
        found.append("".join(f"{name}: {text}\n" for name, text in told.items() if text).encode())
    return found


async def read(server: Dovecot, folder: Path, messages: int) -> None:
    """Read all of it, as the command does without a broker, and tell what that took."""
    (folder / "key").write_text("a key of ids")
    (folder / "password").write_text(PASSWORD)
    told = MailboxSettings(
        host="127.0.0.1",
        port=server.tls_port,
        user=USER,
        ca_file=server.ca_file,
        key_file=folder / "key",
        password_file=folder / "password",
        queue="support",
        team=("example.org",),
    )
    intake, position = Intake(), PositionFile(folder / "position")
    before = resource.getrusage(resource.RUSAGE_SELF)
    begin, events = time.monotonic(), 0
    async with aclosing(MailboxPuller(lambda: told, intake).batches(None)) as batches:
        async for batch in batches:
            events += len(batch.events)
            position.save(batch.position)
            if intake.read >= messages:
                break
    seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{messages} messages, {events} events: {seconds:.1f} s, {messages / seconds:.0f} messages/s")
    print(f"processor time of a message: {processor / messages * 1e6:.0f} µs")
    print(f"memory: {after.ru_maxrss / 1024:.0f} MB, before {before.ru_maxrss / 1024:.0f} MB")
    print(f"position file: {position.path.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Fill a mailbox, and read it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    told = parser.parse_args()
    with dovecot_server() as server, tempfile.TemporaryDirectory() as folder:
        server.deliver_many(headers(told.messages), datetime.now(UTC) - timedelta(days=3))
        with server.as_user() as client:
            client.select("INBOX", readonly=True)  # it numbers them, which is not what is measured
        asyncio.run(read(server, Path(folder), told.messages))


if __name__ == "__main__":
    main()
