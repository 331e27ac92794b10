"""What a person says of a mailbox: where it is, who logs in, whose addresses are ours, and when a thread is done."""

import ssl
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Name
from stream.errors import SettingsError
from stream.sources.toml_file import toml_of

__all__ = ["THIS_MACHINE", "MailboxSettings", "RefreshedToken", "ResolvedBy", "mailbox_of"]

ResolvedBy = Literal["answer", "archive", "folder", "flag", "nothing"]
"""What makes a thread a resolved case; docs/sources/imap.md says which suits whom."""

THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})

_Text = Annotated[str, Meta(min_length=1, max_length=500)]
_Folders = tuple[_Text, ...]


class RefreshedToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[oauth]`: where access tokens come from, and what they are asked for with."""

    token_url: _Text
    client_id_file: Path
    refresh_token_file: Path | None = None
    """Without it the client itself has the right to read the mailbox."""
    client_secret_file: Path | None = None
    scope: str | None = None


class MailboxSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. Paths that are relative stand beside it."""

    host: Annotated[_Text, Meta(description="The IMAP server, such as imap.example.org.")]
    user: Annotated[_Text, Meta(description="Who logs in, as a rule the mailbox's address.")]
    key_file: Annotated[Path, Meta(description="The key of all ids: without it nobody finds out of what one was made.")]
    queue: Annotated[Name, Meta(description="What the board calls the mailbox.")]
    team: Annotated[
        tuple[_Text, ...],
        Meta(description="Addresses, or domains, from which our people answer, with commas between.", min_length=1),
    ]
    shared: Annotated[tuple[_Text, ...], Meta(description="Of these what is nobody's own; the user is one.")] = ()

    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None, Meta(description="Else 993; 143 without --security tls.")
    ] = None
    security: Annotated[
        Literal["tls", "starttls", "none"], Meta(description="How the connection is secured; none is for this machine.")
    ] = "tls"
    ca_file: Annotated[Path | None, Meta(description="Who signed its certificate, if no public authority did.")] = None
    password_file: Annotated[Path | None, Meta(description="The password of the user.")] = None
    access_token_file: Annotated[
        Path | None, Meta(description="A token of OAuth for XOAUTH2, which something else renews.")
    ] = None
    oauth: RefreshedToken | None = None

    inbox: Annotated[_Folders, Meta(description="Folders in which requests come.", min_length=1)] = ("INBOX",)
    sent: Annotated[_Folders, Meta(description="Folders of what was sent; else the one that the server calls so.")] = ()
    done: Annotated[_Folders, Meta(description="With --resolved-by folder: where what is done lies.")] = ()
    junk: Annotated[_Folders, Meta(description="Folders of what is no request.")] = ()
    resolved_by: Annotated[ResolvedBy, Meta(description="What makes a thread a resolved case.")] = "answer"
    flag: Annotated[str, Meta(pattern=r"^\\?[A-Za-z$][A-Za-z0-9$_.-]{0,99}$")] = "\\Answered"
    machines_open_cases: bool = False
    """Whether what a machine sends unasked, such as a form on the web, is a request."""

    read_back_days: Annotated[int, Meta(ge=0, le=400)] = 30
    """How far back the first start reads."""
    poll_seconds: Annotated[float, Meta(gt=0, le=1740)] = 60.0
    """How often all folders are asked; the first of *inbox* tells by itself what comes (IDLE), if the server can."""
    await_sent_seconds: Annotated[float, Meta(ge=0, le=600)] = 60.0
    """How long a reply to something unknown waits for the copy in the sent folder."""
    subject_days: Annotated[int, Meta(ge=0, le=400)] = 7
    """For how long "Re: …" without references belongs to the same customer's thread of that subject; 0: never."""
    remembered_messages: Annotated[int, Meta(ge=100, le=500_000)] = 20_000
    """Of so many messages it is known to which case they belong."""

    tenant: Annotated[Name, Meta(description="Whose customers they are.")] = DEFAULT_TENANT
    source_name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """What events have as their source; else `/mailbox/` and the queue."""

    @property
    def source(self) -> str:
        """What events have as their source."""
        return self.source_name or f"/mailbox/{self.queue}"

    def tls(self) -> ssl.SSLContext:
        """Return who is trusted; raises SettingsError."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as failure:
            raise SettingsError(f"ca_file: {self.ca_file} cannot be read: {type(failure).__name__}") from None


def mailbox_of(file: Path) -> MailboxSettings:
    """Return what a file says; raises SettingsError, which names the file and what is wrong in it."""
    told = toml_of(file, MailboxSettings)
    for wrong, what in _faults_of(told):
        if wrong:
            raise SettingsError(f"{file}: {what}")
    return told


def _faults_of(told: MailboxSettings) -> tuple[tuple[bool, str], ...]:
    logins = [each for each in (told.password_file, told.access_token_file, told.oauth) if each is not None]
    has_no_secret = told.oauth is not None and not (told.oauth.refresh_token_file or told.oauth.client_secret_file)
    return (
        (has_no_secret, "[oauth] needs refresh_token_file, or client_secret_file alone"),
        (len(logins) != 1, "one of password_file, access_token_file and [oauth] is needed"),
        (told.security == "none" and told.host not in THIS_MACHINE, 'security = "none" is for this machine only'),
        (told.resolved_by == "folder" and not told.done, 'resolved_by = "folder" needs done = ["…"]'),
        (told.resolved_by != "folder" and bool(told.done), 'done is for resolved_by = "folder"'),
    )
