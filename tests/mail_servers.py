"""A real IMAP server in tests: Debian's Dovecot, run by an ordinary account from a folder of its own."""

import imaplib
import os
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest
import trustme

from stream.broker.child import HOST, dies_with_parent, free_port

__all__ = ["PASSWORD", "USER", "Dovecot", "dovecot_server"]

USER: Final = "support@example.org"
PASSWORD: Final = 'un"g\\uess bleč'
START_SECONDS: Final = 60
AUTHORITY: Final = trustme.CA()

ACCOUNT: Final = "mail" if os.geteuid() == 0 else None
"""Who runs it: Dovecot delivers nobody's mail as root."""

_SETTINGS = """
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/log
protocols = imap
listen = {host}
mail_location = maildir:{home}/mail/%u
first_valid_uid = 1
default_internal_user = {account}
default_login_user = {account}
default_internal_group = {group}
ssl = yes
ssl_cert = <{home}/server.pem
ssl_key = <{home}/server.key
disable_plaintext_auth = {tls_only}
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Posta {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Done {{
    auto = create
  }}
  mailbox Junk {{
    auto = create
  }}
}}
passdb {{
  driver = passwd-file
  args = {home}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {home}/oauth2
}}
userdb {{
  driver = static
  args = uid={account} gid={group} home={home}/mail/%u
}}
"""

_TOKENS = """
introspection_url = http://{host}:{token_port}/introspect?token=
introspection_mode = get
force_introspection = yes
username_attribute = email
active_attribute = active
active_value = true
"""


class Dovecot:
    """One that runs, with one user; it can be stopped and started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.tls_port, self.token_port = free_port(), free_port(), free_port()
        self.ca_file = home / "ca.pem"
        self._process: subprocess.Popen[bytes] | None = None
        self._delivered = 0
        AUTHORITY.cert_pem.write_to_path(str(self.ca_file))
        certificate = AUTHORITY.issue_cert(HOST)
        certificate.cert_chain_pems[0].write_to_path(str(home / "server.pem"))
        certificate.private_key_pem.write_to_path(str(home / "server.key"))
        self._write("users", f"{USER}:{{PLAIN}}{PASSWORD}\n")
        self._write("oauth2", _TOKENS.format(host=HOST, token_port=self.token_port))
        told = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
        self._write("dovecot.conf", self._settings(ACCOUNT or told))
        (home / "run").mkdir()
        if ACCOUNT is not None:
            for path in (home, *home.iterdir()):
                shutil.chown(path, ACCOUNT, ACCOUNT)

    def _settings(self, account: str) -> str:
        group = subprocess.run(["id", "-gn", account], check=True, capture_output=True, text=True).stdout.strip()
        ports = {"port": self.port, "tls_port": self.tls_port}
        return _SETTINGS.format(home=self.home, host=HOST, account=account, group=group, tls_only="no", **ports)

    def _write(self, name: str, text: str) -> None:
        (self.home / name).write_text(text)

    def start(self) -> None:
        """Start it, unless it runs, and wait until it lets us in."""
        if self._process is not None:
            return
        with (self.home / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [_program(), "-F", "-c", str(self.home / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=ACCOUNT,
                group=ACCOUNT,
                extra_groups=None if ACCOUNT is None else [],
                preexec_fn=dies_with_parent(),  # noqa: PLW1509  # it allocates nothing
            )
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.as_user():
                    return
            except (OSError, imaplib.IMAP4.error):
                if self._process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"Dovecot does not start:\n{self.log()[-2000:]}") from None
                time.sleep(0.05)  # a server that opens its port tells nobody

    def stop(self) -> None:
        """End it, and every connection to it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)
        self._process = None

    def log(self) -> str:
        """Return what it said."""
        return "".join(
            (self.home / name).read_text(errors="replace") for name in ("output", "log") if (self.home / name).exists()
        )

    @contextmanager
    def as_user(self) -> Iterator[imaplib.IMAP4]:
        """Log in as whoever uses the mailbox, to change it."""
        client = imaplib.IMAP4_SSL(
            HOST, self.tls_port, ssl_context=ssl.create_default_context(cafile=self.ca_file), timeout=START_SECONDS
        )
        try:
            client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
            yield client
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def deliver(self, message: bytes, received: datetime, folder: str = "INBOX") -> None:
        """Put a message into a folder."""
        with self.as_user() as client:
            told, _ = client.append(folder, "", f'"{received:%d-%b-%Y %H:%M:%S %z}"', message)
            assert told == "OK"

    def deliver_many(self, headers: Iterable[bytes], received: datetime) -> None:
        """Put messages into the inbox, as a mail server of the same machine does; they are seen in this order."""
        place = self.home / "mail" / USER / "new"
        if not place.exists():
            self._validity()  # which makes the folders
        for header in headers:
            self._delivered += 1
            # By these numbers Dovecot sorts what it has not seen yet.
            path = place / f"{1_700_000_000 + self._delivered}.M{self._delivered}.here"
            path.write_bytes(header.replace(b"\r\n", b"\n") + b"\nbody\n")
            path.chmod(0o644)
            os.utime(path, (received.timestamp(), received.timestamp()))

    def move(self, uid: int, folder: str) -> None:
        """Move a message of the inbox."""
        with self.as_user() as client:
            client.select("INBOX")
            assert client.uid("MOVE", str(uid), folder)[0] == "OK"

    def flag(self, uid: int, flag: str) -> None:
        """Set a flag of a message of the inbox."""
        with self.as_user() as client:
            client.select("INBOX")
            assert client.uid("STORE", str(uid), "+FLAGS", f"({flag})")[0] == "OK"

    def flags(self) -> list[bytes]:
        """Return the flags of all messages of the inbox."""
        with self.as_user() as client:
            client.select("INBOX", readonly=True)
            return [each for each in client.uid("FETCH", "1:*", "(FLAGS)")[1] if isinstance(each, bytes)]

    def clear(self) -> None:
        """Remove all mail, as if the mailbox were made anew: its UIDVALIDITY changes."""
        before = self._validity()
        # It is the second of the clock.
        while self._validity() == before:
            shutil.rmtree(self.home / "mail", ignore_errors=True)

    def _validity(self) -> bytes:
        with self.as_user() as client:
            return bytes(client.status("INBOX", "(UIDVALIDITY)")[1][0])


def _program() -> str:
    return shutil.which("dovecot", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"])) or ""


@contextmanager
def dovecot_server() -> Iterator[Dovecot]:
    """A server for as long as it is wanted; who has none is told how to get it."""
    if not _program():
        pytest.skip("dovecot is missing: apt-get install -y --no-install-recommends dovecot-imapd")
    # Not below the folders of tests, which only we may enter; and short, for the names of sockets.
    with tempfile.TemporaryDirectory(prefix="imap-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = Dovecot(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()
