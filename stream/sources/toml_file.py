"""TOML files that a person writes about a system: read, and checked as a whole, at the start."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from stream.errors import SettingsError

__all__ = ["paths_beside", "toml_of"]

T = TypeVar("T")


def toml_of(file: Path, shape: type[T]) -> T:
    """Return what a file says, its paths as `paths_beside` reads them; raises SettingsError, which names the file."""
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), shape, dec_hook=paths_beside(file))
    except OSError as failure:
        raise SettingsError(f"{file} cannot be read: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8") from None
    # What tomllib and msgspec say names a place, and quotes nothing.
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as failure:
        raise SettingsError(f"{file}: {failure}") from None


def paths_beside(file: Path) -> Callable[[type, object], Any]:
    """Return what reads paths: those that are relative stand beside the file, so that all can be moved together."""

    def decoded(kind: type, value: object) -> object:
        if kind is Path and isinstance(value, str):
            return file.parent / value
        raise TypeError(f"Expected the {'path of a file' if kind is Path else kind.__name__}")

    return decoded
