"""Options of sources on the command line: made from the fields that each source declares, for whatever source."""

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import click
import msgspec
from msgspec import NODEFAULT, Struct

from stream.errors import SettingsError
from stream.sources.source import Source

__all__ = [
    "arguments_told",
    "described",
    "entries_of",
    "flags_of",
    "options_of",
    "parameters_of",
    "secrets_of",
    "shared_options",
    "type_of_flag",
]

_SECRETS: Final = frozenset(
    {
        *("key_file", "secret_file", "token_file", "password_file"),
        *("access_token_file", "refresh_token_file", "client_id_file", "client_secret_file"),
    }
)
"""Fields that name the file of a secret, in the options of sources and in the files about systems."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class JsonParam(click.ParamType):
    """What no single word says: lists and tables, as JSON; a list also with commas between."""

    name = "json"

    def __init__(self, *, is_list: bool) -> None:
        self._is_list = is_list

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Return what the text says; refuses what is neither."""
        if not isinstance(value, str):
            return value
        try:
            return msgspec.json.decode(value)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            if not self._is_list:
                self.fail("that is not JSON", param, ctx)
            return [part.strip() for part in value.split(",")]


def flags_of(kind: type[Struct]) -> Iterator[click.Option]:
    """
    Yield an option for each field of the options of a source, whatever it holds; none is required.

    What is not given is None: who needs to know has to ask.
    """
    for field in msgspec.structs.fields(kind):
        told = "" if field.default is msgspec.NODEFAULT or not field.default else f" [default: {field.default}]"
        click_type, flag = type_of_flag(field.type), f"--{field.name.replace('_', '-')}"
        name = f"{flag}/--no-{flag.removeprefix('--')}" if click_type is bool else flag
        yield click.Option([name], type=click_type, default=None, help=described(field.type) + told)


def type_of_flag(hint: Any) -> click.ParamType | type:  # noqa: ANN401  # an annotation may be anything
    """Return what reads the text of a flag for a field of this type."""
    for part in _parts_of(hint):
        if part in {bool, int, float}:
            return part  # type: ignore[no-any-return]  # it is one of the three
        if part is Path:
            return click.Path(path_type=Path)
        if get_origin(part) is Literal:
            return click.Choice(get_args(part))
        if part in {str, date}:
            return str
        if get_origin(part) in {list, tuple}:
            return JsonParam(is_list=True)
    return JsonParam(is_list=False)


def _parts_of(hint: Any) -> Iterator[Any]:  # noqa: ANN401  # ditto
    """Yield the types of which an annotation leaves the choice, without None."""
    if hasattr(hint, "__metadata__"):
        yield from _parts_of(hint.__origin__)
    elif get_origin(hint) in {Union, types.UnionType}:
        for part in get_args(hint):
            yield from _parts_of(part)
    elif hint is not type(None):
        yield hint


def secrets_of(kind: type[Struct]) -> list[str]:
    """Return the fields that name files of secrets."""
    return [field.name for field in msgspec.structs.fields(kind) if field.name in _SECRETS]


def entries_of(hint: Any) -> type[Struct] | None:  # noqa: ANN401  # ditto
    """Return the struct of which a field of this type holds several, by name; None where it holds something else."""
    for part in _parts_of(hint):
        if get_origin(part) in {dict, Mapping}:
            held = get_args(part)[1]
            return held if isinstance(held, type) and issubclass(held, Struct) else None
    return None


def parameters_of(kind: type[Struct]) -> Iterator[click.Parameter]:
    """Yield an option, or an argument where there is no default, for each field of the options of a source."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    # The inspection knows defaults, but drops the annotations, in which the help is.
    hints = {field.name: field for field in msgspec.structs.fields(kind)}
    for field in info.fields:
        yield _parameter(field, hints[field.name])


def arguments_told(kind: type[Struct]) -> Iterator[str]:
    """Yield a sentence about each argument: click shows help of options alone."""
    for field in msgspec.structs.fields(kind):
        if field.required and (about := described(field.type)):
            yield f"{field.name.upper()}: {about}"


def _parameter(field: msgspec.inspect.Field, hint: msgspec.structs.FieldInfo) -> click.Parameter:
    about = described(hint.type)
    kind = _plain(hint.type)
    click_type: click.ParamType | type = click.Path(path_type=Path) if kind is Path else kind
    if field.default is NODEFAULT:
        return click.Argument([field.name], type=click_type, metavar=field.name.upper())
    return click.Option(
        [f"--{field.name.replace('_', '-')}"],
        # With a type click would ask a flag for a value.
        type=None if kind is bool else click_type,
        is_flag=kind is bool,
        default=field.default,
        show_default=field.default not in {None, False},
        help=about,
    )


def described(hint: Any) -> str:  # noqa: ANN401  # ditto
    """Return what `Meta(description=…)` says of a field of this type; empty where it says nothing."""
    for part in getattr(hint, "__metadata__", ()):
        if isinstance(part, msgspec.Meta) and part.description:
            return part.description
    return ""


def _plain(hint: Any) -> type:  # noqa: ANN401  # ditto
    """Return the type behind `Annotated` and `| None`; which words a Literal has is checked with all other values."""
    if hasattr(hint, "__metadata__"):
        hint = hint.__origin__
    if get_origin(hint) in {Union, types.UnionType}:
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return str
    assert isinstance(hint, type)
    return hint


def options_of(source: Source, given: Mapping[str, object]) -> Struct:
    """
    Return the options of a source; raises SettingsError where one cannot be meant.

    What it does not know is said and left out, so that old command lines go on.
    """
    known = {field.name for field in msgspec.structs.fields(source.options)}
    for name in [name for name, value in given.items() if name not in known and value is not None]:
        click.echo(f"--{name.replace('_', '-')} says nothing to {source.name}", err=True)
    # What was not given is left out, so that the source's own defaults stand.
    told = {name: value for name, value in given.items() if name in known and value is not None}
    try:
        return msgspec.convert(told, source.options)
    except msgspec.ValidationError as failure:
        raise SettingsError(f"{source.name}: {failure}") from None


def shared_options(sources: Sequence[Source]) -> Callable[[Decorated], Decorated]:
    """
    Return a decorator that adds each option that one of the sources has, and says whose it is.

    What is not given is None, and not the default of whichever source has the option first.
    """
    found: dict[str, click.Option] = {}
    for source in sources:
        found |= {
            option.opts[0]: option for option in parameters_of(source.options) if isinstance(option, click.Option)
        }

    def decorator(command: Decorated) -> Decorated:
        for name, option in found.items():
            owners = ", ".join(one.name for one in sources if option.name in one.options.__struct_fields__)
            text = f"{option.help} For {owners}."
            command = click.option(name, type=option.type, is_flag=option.is_flag, default=None, help=text)(command)
        return command

    return decorator
