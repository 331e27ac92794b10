"""What `contact-stream connect` asks about a mailbox, and the file that the answers make."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from stream.errors import SettingsError
from stream.sources.imap_mailbox.mailbox_file import MailboxSettings, RefreshedToken
from stream.sources.source import ConnectionFile, Setup
from stream.sources.toml_text import toml_table_of

__all__ = ["MAILBOX_SETUP", "MailboxAnswers"]


class MailboxAnswers(MailboxSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file, and its table `[oauth]` field by field: one answer each."""

    refresh_token_file: Annotated[
        Path | None, Meta(description="A token of OAuth that access tokens are fetched with: Google, Microsoft.")
    ] = None
    token_url: Annotated[
        str | None, Meta(description="Where they are fetched, such as https://oauth2.googleapis.com/token.")
    ] = None
    client_id_file: Annotated[Path | None, Meta(description="The id of the OAuth client.")] = None
    client_secret_file: Annotated[Path | None, Meta(description="The secret of the OAuth client.")] = None
    scope: Annotated[str | None, Meta(description="What it asks for; Google wants none.")] = None


def _text(told: MailboxAnswers, _: str) -> str:
    answers: dict[str, Any] = msgspec.structs.asdict(told)
    oauth = {name: answers.pop(name) for name in RefreshedToken.__struct_fields__}
    if told.refresh_token_file is not None:
        if not told.token_url or told.client_id_file is None:
            raise SettingsError("--refresh-token-file needs --token-url and --client-id-file")
        answers["oauth"] = RefreshedToken(**oauth)
    return toml_table_of((), MailboxSettings(**answers))


MAILBOX_SETUP = Setup(
    steps="""\
1. Switch IMAP on for the account, and have a password, or a token, that is for this alone.
2. Say when a thread is solved, by resolved_by in the file: with each answer, unless it says something else.
More, and what Google and Microsoft want: docs/sources/imap.md""",
    file=ConnectionFile(
        asks=MailboxAnswers,
        text=_text,
        logins={
            "password_file": (),
            "access_token_file": (),
            "refresh_token_file": ("token_url", "client_id_file", "client_secret_file", "scope"),
        },
        made=("key_file",),
    ),
)
