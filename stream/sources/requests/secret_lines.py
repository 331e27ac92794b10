"""Secrets of senders in a file: one in each line, so that a new one is good while the old one still is."""

from collections.abc import Iterable
from hmac import compare_digest
from pathlib import Path

from stream.errors import SettingsError
from stream.security.secret_file import Secret
from stream.security.watched_file import WatchedFile

__all__ = ["SecretLines", "is_any_of"]


class SecretLines:
    """
    The secrets in the file *path*, read again within a second after it has changed.

    Raises SettingsError, which quotes nothing of it, if the file cannot be read or has no secret.
    """

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path, _read)

    def all(self) -> tuple[Secret, ...]:
        """Return each secret."""
        return self._file.content()

    def match(self, given: str) -> bool:
        """Tell whether *given* is one of them; how long that takes does not tell how much of it is right."""
        given = Secret(given)  # a good one is as secret as those of the file
        return is_any_of(given, self.all())


def is_any_of(shown: str, good: Iterable[str]) -> bool:
    """Tell whether what was *shown* is good; how long that takes does not tell how much of it is right."""
    found = [compare_digest(shown.encode(errors="surrogatepass"), each.encode()) for each in good]
    return any(found)  # after all were compared


def _read(path: Path) -> tuple[Secret, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as failure:
        raise SettingsError(f"{path} cannot be read: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8") from None
    # Spaces inside a secret may be part of it; those around come from copying.
    secrets = tuple(Secret(stripped) for line in lines if (stripped := line.strip()))
    if not secrets:
        raise SettingsError(f"{path} is empty: put a secret into it, one in a line")
    return secrets
