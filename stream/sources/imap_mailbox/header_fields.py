"""Headers of a message: from bytes in any shape to addresses, ids and words. Nothing here raises for what it reads."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final

from msgspec import Struct

__all__ = ["FETCHED_FIELDS", "HeaderFields", "SubjectLine", "header_fields"]

FETCHED_FIELDS: Final = (
    *("message-id", "in-reply-to", "references", "from", "sender", "reply-to", "to", "cc", "bcc", "date", "subject"),
    *("return-path", "auto-submitted", "precedence", "list-id", "x-auto-response-suppress", "x-autoreply"),
    *("x-autorespond", "x-failed-recipients", "x-original-from", "x-original-sender", "content-type"),
)
"""All that is ever asked for; of these nothing but ids, made with a key, gets any further."""

FIELD_LENGTH: Final = 8192
"""Of a field so much is read, its begin and its end: the first of many ids calls the case, the last are replied to."""

_MESSAGE_ID: Final = re.compile(r"<([^<>\s]{1,900})>")
_REPLY_MARK: Final = re.compile(
    r"\s*(?:(?:re|aw|antw|sv|vs|odg|od|rif|res|tr|fw|fwd|wg|prosl|vb|doorst|i|r|rv|enc|pd)(?:\[\d+\]|\(\d+\))?\s*:|\[[^\]]{1,40}\])",
    re.IGNORECASE,
)
_FORWARD_MARK: Final = re.compile(r"\s*(?:fw|fwd|wg|tr|prosl|vb|doorst|i|rv|enc|pd)\s*:", re.IGNORECASE)
_ONLY_BRACKETS: Final = re.compile(r'[^<>,"()]*<([^\s@<>]{1,200}@[^\s@<>]{1,250})>')
_ADDRESS: Final = re.compile(r"[^\s@<>]{1,200}@[^\s@<>]{1,250}")


class SubjectLine(Struct, frozen=True):
    """What a message is called; it is compared, and never kept."""

    plain: str
    """Without marks such as `Re:`."""
    is_reply: bool
    is_forward: bool
    """It was sent on, which answers nobody."""


class HeaderFields(Struct, frozen=True):
    """Fields by lower-case name, unfolded, in their order."""

    fields: dict[str, list[str]]

    def first(self, name: str) -> str:
        """Return the first field of a name; an empty text where there is none."""
        return self.fields.get(name, [""])[0]

    def has(self, name: str) -> bool:
        """Tell whether there is such a field."""
        return name in self.fields

    def addresses(self, *names: str) -> tuple[str, ...]:
        """Return the addresses of some fields, in lower case."""
        try:
            found = getaddresses([field for name in names for field in self.fields.get(name, [])])
        # Comments may be nested as deep as the sender likes.
        except (ValueError, IndexError, RecursionError):
            return ()
        return tuple(address.casefold() for _, address in found if _ADDRESS.fullmatch(address))

    def author(self) -> str:
        """Return the address of whoever wrote; an empty text if there is none."""
        found = self.addresses("from")
        # A name without quotes that looks like an address is none: what stands in brackets is.
        meant = _ONLY_BRACKETS.fullmatch(self.first("from").strip())
        shown = meant[1].casefold() if meant else ""
        return shown if shown in found else next(iter(found), "")

    def message_ids(self, name: str) -> tuple[str, ...]:
        """Return the ids that a field names."""
        text = self.first(name)
        found = tuple(_MESSAGE_ID.findall(text))
        # Some programs forget the brackets.
        return found or ((text,) if name == "message-id" and text and " " not in text else ())

    def date(self) -> datetime | None:
        """Return when the message was written, as its sender's clock says; None unless that is an instant."""
        try:
            told = parsedate_to_datetime(self.first("date"))
            return told.astimezone(UTC) if told.tzinfo is not None else None
        except (ValueError, TypeError, IndexError, OverflowError, RecursionError):
            return None

    def subject(self) -> SubjectLine:
        """Return what the message is called."""
        text = self.first("subject")
        # Otherwise as it came: the same program writes it the same way again.
        with suppress(ValueError, LookupError, HeaderParseError):
            text = str(make_header(decode_header(text)))
        plain, is_reply = text, False
        while mark := _REPLY_MARK.match(plain):
            is_reply = is_reply or mark[0].endswith(":")
            plain = plain[mark.end() :]
        return SubjectLine(" ".join(plain.split()).casefold(), is_reply, _FORWARD_MARK.match(text) is not None)


def header_fields(header: bytes) -> HeaderFields:
    """Return the fields of a header; what is none is left out."""
    fields: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in header.decode("utf-8", "replace").replace("\0", "").split("\n"):
        # Not by `splitlines`: what else ends a line for Python may stand in a field, and would begin another.
        if line[:1] in {" ", "\t"} and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), []).append(_bounded(value.strip()))
    return HeaderFields(fields)


def _bounded(value: str) -> str:
    half = FIELD_LENGTH // 2
    return value if len(value) <= FIELD_LENGTH else f"{value[:half]} {value[-half:]}"
