"""Keys of those who may post events: which there are, and what each may tell of. The file has digests, never keys.

A key is a name and 256 random bits, `pbx-berlin.Zm9v…`: nobody guesses it, so a fast digest with a salt is enough, and
nobody can keep the gateway busy with wrong keys.
"""

import secrets
import tomllib
from base64 import urlsafe_b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from fnmatch import fnmatchcase
from hashlib import blake2b
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Event, tag_of
from stream.errors import SettingsError
from stream.security.watched_file import WatchedFile

__all__ = ["ANYBODY", "KeyFile", "SourceKey", "new_key"]

LONGEST_KEY: Final = 200
SALT_BYTES: Final = 16
DIGEST_BYTES: Final = 32

KeyName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class SourceKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says of one source."""

    digests: tuple[str, ...]
    """Of the keys that are good: two while an old one is being replaced."""
    tenants: tuple[str, ...] = ("*",)
    """Tenants whose events it may post; `*` stands for anything."""
    types: tuple[str, ...] = ("*",)
    """Types of events it may post, such as `contact.*`."""
    events_per_second: Annotated[float, Meta(gt=0)] | None = None
    """More than this, in the long run, is answered with 429; None: as many as come."""

    def may_post(self, event: Event) -> bool:
        """Tell whether an event is of a tenant and type of this source."""
        # Looked for first: most keys are for all types, or all tenants.
        return ("*" in self.tenants or _matches(event.tenantid, self.tenants)) and (
            "*" in self.types or _matches(tag_of(event), self.types)
        )


ANYBODY: Final = SourceKey(digests=())
"""Who needs no key, on a gateway without a file of keys."""


class _KeyTable(Struct, forbid_unknown_fields=True):
    keys: dict[KeyName, SourceKey]


class KeyFile:
    """The keys in a TOML file, which is read again when it changes; raises SettingsError where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path, _read)

    def source_of(self, key: str) -> tuple[str, SourceKey] | None:
        """Return the name of the source with that key, and what it may do; None where the key is no good."""
        # Longer than any key: not worth a digest.
        if len(key) > LONGEST_KEY:
            return None
        name, _, _ = key.partition(".")
        source = self._file.content().get(name)
        # As much work for a name that there is not: how long the answer takes must not tell names.
        found = [_is_digest_of(key, digest) for digest in (source.digests if source else (_NOBODY,))]
        return (name, source) if source is not None and any(found) else None


def new_key(name: str) -> tuple[str, str]:
    """Return a new key for the source *name*, and its digest for the file; SettingsError for what is no name."""
    try:
        msgspec.convert(name, KeyName)
    except msgspec.ValidationError:
        raise SettingsError(f"{name!r} is no name of a source: letters, digits, - and _, at most 64") from None
    key = f"{name}.{urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip('=')}"
    return key, _digest(key, secrets.token_bytes(SALT_BYTES))


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _digest(key: str, salt: bytes) -> str:
    hashed = blake2b(key.encode(), salt=salt, digest_size=DIGEST_BYTES, person=b"contact-stream").digest()
    return f"blake2b:{_base64(salt)}:{_base64(hashed)}"


def _is_digest_of(key: str, digest: str) -> bool:
    salt = a2b_base64(digest.split(":")[1])
    return compare_digest(_digest(key, salt), digest)


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def _read(path: Path) -> dict[str, SourceKey]:
    try:
        table = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _KeyTable)
    except OSError as failure:
        raise SettingsError(f"{path} cannot be read: {failure.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # Not what the parser says, which may quote the line: it may hold a key where a digest should be.
        raise SettingsError(f"{path} is not TOML") from None
    except msgspec.ValidationError as failure:
        raise SettingsError(f"{path}: {failure}") from None
    for name, source in table.keys.items():
        if not source.digests or not all(map(_is_digest, source.digests)):
            raise SettingsError(f"{path}: keys.{name}.digests: make one with `contact-stream gateway-key {name}`")
    return table.keys


def _is_digest(text: str) -> bool:
    kind, *rest = text.split(":")
    try:
        sizes = [len(a2b_base64(part, strict_mode=True)) for part in rest]
    except (Base64Error, ValueError):
        return False
    return kind == "blake2b" and sizes == [SALT_BYTES, DIGEST_BYTES]


_NOBODY: Final = _digest(secrets.token_hex(), bytes(SALT_BYTES))
"""Of a key that nobody knows."""
