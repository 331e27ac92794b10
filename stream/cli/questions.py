"""Asks a person for what is not said, and again where an answer cannot be meant; or never asks, and names the flag."""

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from msgspec import NODEFAULT, Struct

from stream.cli.source_options import described, entries_of, type_of_flag
from stream.errors import SettingsError

__all__ = ["SECRET_VARIABLE", "Questions", "flag_of", "may_be_asked"]

SECRET_VARIABLE: Final = "CONTACT_STREAM_CONNECT_SECRET"  # noqa: S105  # the name of one


def may_be_asked() -> bool:
    """Tell whether somebody sits there who can answer."""
    return sys.stdin.isatty()


def flag_of(field: str) -> str:
    """Return the flag that says a field."""
    return f"--{field.replace('_', '-')}"


class Questions(Struct, frozen=True):
    """How a person is asked; secrets are neither shown nor taken as the value of a flag."""

    may_ask: bool
    secret_from_stdin: bool = False

    @property
    def has_secret(self) -> bool:
        """Tell whether a secret is given, without anybody being asked."""
        return self.secret_from_stdin or SECRET_VARIABLE in os.environ

    def answers(
        self, kind: type[Struct], given: Mapping[str, Any], *, also: Collection[str] = (), but: Collection[str] = ()
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

    def one_of(self, kind: type[Struct], names: Sequence[str], given: Mapping[str, Any]) -> str | None:
        """Return which of the fields it is: the one that was given, is chosen, or stands first; None of none."""
        told = [name for name in names if given.get(name) is not None]
        if told or not names:
            return told[0] if told else None
        if not self.may_ask:
            return names[0]
        about = {field.name: described(field.type) for field in msgspec.structs.fields(kind)}
        for name in names:
            click.echo(f"{name}: {about[name]}", err=True)
        return str(click.prompt("Which of these", default=names[0], type=click.Choice(names), err=True))

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

    def refuse_variable(self, flags: Sequence[str]) -> None:
        """Raise SettingsError where all of several secrets would be the one in the environment."""
        if SECRET_VARIABLE in os.environ and not self.secret_from_stdin:
            raise SettingsError(
                f"{SECRET_VARIABLE} is one secret, and {' and '.join(flags)} are several: "
                "pipe them to --secret-stdin, one in each line, in this order"
            )

    def another_secret(self, about: str) -> str:
        """Return what a person wants instead of a secret that there is; empty: nothing."""
        if not self.may_ask:
            return ""
        told = click.prompt(f"{about} (empty: as it is)", default="", show_default=False, hide_input=True, err=True)
        return str(told).strip()

    def again(self) -> bool:
        """Tell whether somebody has mended what is wrong, and wants it tried again."""
        return self.may_ask and click.confirm("Try again?", default=True, err=True)

    def _asked(self, field: msgspec.structs.FieldInfo) -> Any:  # noqa: ANN401  # whatever the field holds
        about = described(field.type) or field.name
        if not self.may_ask:
            if field.required:
                raise SettingsError(f"{flag_of(field.name)} is missing: {about}")
            return None
        while True:
            try:
                if (entry := entries_of(field.type)) is not None:
                    return _meant(self._entries(about, field, entry), field)
                typed = _typed(about, field)
                return None if typed is None else _meant(typed, field)
            except (ValueError, click.UsageError) as failure:
                click.echo(f"That cannot be meant: {failure}", err=True)

    def _entries(self, about: str, field: msgspec.structs.FieldInfo, entry: type[Struct]) -> dict[str, Any]:
        """Return tables by their names, one after another."""
        click.echo(f"{about} One after another; an empty one is the end.", err=True)
        found: dict[str, Any] = {}
        while name := str(click.prompt(f"  {field.name}", default="", show_default=False, err=True)).strip():
            found[name] = self.answers(entry, {})
        return found


def _typed(about: str, field: msgspec.structs.FieldInfo) -> Any:  # noqa: ANN401  # ditto
    """Return what somebody types; None, or nothing at all, where an empty answer may be meant."""
    default = None if field.required else "" if field.default in {NODEFAULT, None} else field.default
    kind = click.types.convert_type(type_of_flag(field.type))
    choices = f" ({', '.join(kind.choices)})" if isinstance(kind, click.Choice) else ""
    question = f"{about}{choices}\n  {flag_of(field.name)[2:]}"
    text = str(click.prompt(question, default=default, type=str, show_default=default != "", err=True))
    return None if text == default == "" else kind.convert(text, None, None)


def _meant(value: Any, field: msgspec.structs.FieldInfo) -> Any:  # noqa: ANN401  # ditto
    """Return the value; raises ValueError, as msgspec's errors are, where a field cannot have it."""
    if isinstance(value, Path):
        if not value.exists():
            raise ValueError(f"there is no file {value}")
        return value
    msgspec.convert(value, field.type)
    return value
