"""Asks a person for what is not said, and again where an answer cannot be meant; or never asks, and names the flag."""

import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from msgspec import NODEFAULT, Struct

from stream.cli.source_options import described, type_of_flag
from stream.errors import SettingsError

__all__ = ["SECRET_VARIABLE", "Questions", "may_be_asked"]

SECRET_VARIABLE: Final = "CONTACT_STREAM_CONNECT_SECRET"  # noqa: S105  # the name of one


def may_be_asked() -> bool:
    """Tell whether somebody sits there who can answer."""
    return sys.stdin.isatty()


class Questions(Struct, frozen=True):
    """How a person is asked; secrets are neither shown nor taken as the value of a flag."""

    may_ask: bool
    secret_from_stdin: bool = False

    def answers(
        self, kind: type[Struct], given: Mapping[str, Any], *, also: Collection[str], but: Collection[str]
    ) -> dict[str, Any]:
        """
        Return what was *given* for fields of a struct, and what is asked for: fields without a default, and *also*.

        Raises SettingsError, which names the flag, where nobody can be asked.
        """
        found: dict[str, Any] = {}
        for field in msgspec.structs.fields(kind):
            value = given.get(field.name)
            if value is None and field.name not in but and (field.required or field.name in also):
                value = self._asked(field)
            if value is not None:
                found[field.name] = value
        return found

    def text(self, about: str, flag: str, default: str | None = None) -> str:
        """Return one answer; the default where nobody can be asked, or SettingsError without one."""
        if self.may_ask:
            return str(click.prompt(about, default=default, err=True, show_default=bool(default)))
        if default is None:
            raise SettingsError(f"{flag} is missing: {about}")
        return default

    def secret(self, about: str, file: Path, flag: str) -> str:
        """Return a secret, of one line, from standard input, the environment, or a hidden answer."""
        if self.secret_from_stdin:
            told = sys.stdin.readline()
        elif SECRET_VARIABLE in os.environ:
            told = os.environ[SECRET_VARIABLE]
        elif self.may_ask:
            told = str(click.prompt(about, hide_input=True, err=True))
        else:
            raise SettingsError(
                f"{flag}: {file} is not there. Write the secret into it, pipe it to --secret-stdin, "
                f"or set {SECRET_VARIABLE}: {about}"
            )
        if not told.strip() or "\n" in told.strip():
            raise SettingsError("a secret is one line, and not empty")
        return told.strip()

    def again(self) -> bool:
        """Tell whether somebody has mended what is wrong, and wants it tried again."""
        return self.may_ask and click.confirm("Try again?", default=True, err=True)

    def _asked(self, field: msgspec.structs.FieldInfo) -> Any:  # noqa: ANN401  # whatever the field holds
        about = described(field.type) or field.name
        flag = f"--{field.name.replace('_', '-')}"
        if not self.may_ask:
            if field.required:
                raise SettingsError(f"{flag} is missing: {about}")
            return None
        default = None if field.default is NODEFAULT else field.default
        while True:
            value = click.prompt(f"{about}\n  {flag[2:]}", default=default, type=type_of_flag(field.type), err=True)
            try:
                return _meant(value, field)
            except ValueError as failure:
                click.echo(f"That cannot be meant: {failure}", err=True)


def _meant(value: Any, field: msgspec.structs.FieldInfo) -> Any:  # noqa: ANN401  # ditto
    """Return the value; raises ValueError, as msgspec's errors are, where a field cannot have it."""
    if isinstance(value, Path):
        if not value.exists():
            raise ValueError(f"there is no file {value}")
        return value
    msgspec.convert(value, field.type)
    return value
