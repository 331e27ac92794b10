"""Secrets come from files: an environment is shown by `docker inspect` and `/proc`, and inherited by every child."""

from pathlib import Path

from stream.errors import SettingsError

__all__ = ["Secret", "read_secret", "variable"]


class Secret(str):
    """A text that is not shown where variables are: by debuggers, and by what reports tracebacks together with them."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return nothing of it, neither how long it is."""
        return "<secret>"


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"CONTACT_STREAM_{name.upper()}"


def read_secret(file: Path, name: str) -> Secret:
    """Return what is in a file but for the end of its line; raises SettingsError, which quotes nothing of it."""
    try:
        # Editors end a file with a line break, which is in no password. Spaces may be.
        secret = Secret(file.read_text(encoding="utf-8").rstrip("\r\n"))
    except OSError as failure:
        raise SettingsError(f"{variable(name)}: {file} cannot be read: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{variable(name)}: {file} is not UTF-8") from None
    if not secret:
        raise SettingsError(f"{variable(name)}: {file} is empty")
    return secret
