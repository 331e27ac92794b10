"""Files that are there whole or not at all, whatever interrupts who writes them; and secrets, for the owner alone."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from stream.errors import SettingsError

__all__ = ["is_private", "new_secret", "write_new_file", "write_private", "write_text"]

_FOR_ALL: Final = 0o644
_PRIVATE: Final = 0o600


def new_secret() -> str:
    """Return a secret that nobody guesses: 256 random bits in hexadecimal."""
    return secrets.token_hex(32)


def is_private(path: Path) -> bool:
    """Tell whether nobody but the owner may read a file."""
    return not path.stat().st_mode & 0o077


def write_new_file(path: Path, text: str) -> None:
    """Write a file for its owner alone; raises SettingsError where it cannot be written, or is there already."""
    written = _written_beside(path, text, _PRIVATE)
    try:
        # A link, and not a new name: what somebody has put there meanwhile stays.
        path.hardlink_to(written)
    except FileExistsError:
        raise SettingsError(f"{path} is there already") from None
    except OSError as failure:
        raise SettingsError(f"{path} cannot be written: {failure.strerror}") from None
    finally:
        written.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a file, or another content of it, with the rights that it had; raises SettingsError."""
    # Where the name is a link, what it means is written, and the link stays.
    path = path.resolve()
    _replace(path, text, path.stat().st_mode & 0o777 if path.exists() else _FOR_ALL)


def write_private(path: Path, text: str) -> None:
    """Write another content of a file, for its owner alone; raises SettingsError."""
    _replace(path.resolve(), text, _PRIVATE)


def _replace(path: Path, text: str, mode: int) -> None:
    written = _written_beside(path, text, mode)
    try:
        written.replace(path)
    except OSError as failure:
        raise SettingsError(f"{path} cannot be written: {failure.strerror}") from None
    finally:
        written.unlink(missing_ok=True)


def _written_beside(path: Path, text: str, mode: int) -> Path:
    """Return another file in the same folder that holds the text, on the disk."""
    try:
        number, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as failure:
        raise SettingsError(f"{path} cannot be written: {failure.strerror}") from None
    written = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        written.chmod(mode)
    except BaseException as failure:
        with suppress(OSError):
            written.unlink()
        if isinstance(failure, OSError):
            raise SettingsError(f"{path} cannot be written: {failure.strerror}") from None
        raise
    return written
