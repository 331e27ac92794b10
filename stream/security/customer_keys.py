"""Reads the keys that digests of customers are made with. They are secrets: nothing of the file is ever quoted."""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

from stream.core.identity import NO_SECRET, CustomerKeys
from stream.errors import SettingsError
from stream.security.secret_file import read_secret, variable

__all__ = ["CUSTOMER_KEY_FILE", "read_customer_keys"]

CUSTOMER_KEY_FILE: Final = variable("customer_key_file")

_MADE_BY: Final = "openssl rand -hex 32"

_LEAST_CHARACTERS: Final = 32
"""Of a key: as hexadecimal digits these are 128 bits, of which nobody can try all."""

_NO_KEY: Final = "no-secret"
"""A line that stands for digests as they are made without a file: who begins to use one finds its customers again."""


def read_customer_keys(file: Path | None) -> CustomerKeys:
    """
    Return the keys of a file, one a line, in its order; None is no file, and no secret.

    Raises SettingsError, which names each line at fault and quotes none.
    """
    if file is None:
        return NO_SECRET
    told = dict(_told(read_secret(file, "customer_key_file")))
    if mistakes := [*_mistakes(told)]:
        raise SettingsError("\n".join(f"{CUSTOMER_KEY_FILE}: {file}{mistake}" for mistake in mistakes))
    return CustomerKeys(*map(_key, told.values()))


def _told(text: str) -> Iterator[tuple[int, str]]:
    """Yield what is in a file that is neither empty nor a comment, by the number of its line."""
    for number, line in enumerate(text.split("\n"), 1):
        if (one := line.strip()) and not one.startswith("#"):
            yield number, one


def _mistakes(told: dict[int, str]) -> Iterator[str]:
    if not told:
        yield f" has no key in it; make one with: {_MADE_BY}"
    first: dict[str, int] = {}
    for number, one in told.items():
        if one in first:
            yield f", line {number}: the same key as in line {first[one]}"
        elif not one.isascii():
            # A mark at the beginning of the file would belong to its first key, and be gone where lines change places.
            yield f", line {number}: a key is made of ASCII characters"
        elif one != _NO_KEY and len(one) < _LEAST_CHARACTERS:
            yield f", line {number}: a key has at least {_LEAST_CHARACTERS} characters; make one with: {_MADE_BY}"
        first.setdefault(one, number)


def _key(line: str) -> bytes:
    # Of any length it becomes the 64 bytes that a key may have.
    return b"" if line == _NO_KEY else blake2b(line.encode()).digest()
