"""Options of sources on the command line: made from the fields that each source declares, for whatever source."""

import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import click
import msgspec
from msgspec import NODEFAULT, Struct

from stream.sources.source import Source

__all__ = ["options_of", "parameters_of", "shared_options"]


def parameters_of(kind: type[Struct]) -> Iterator[click.Parameter]:
    """Yield an option, or an argument where there is no default, for each field of the options of a source."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    # The inspection knows defaults, but drops the annotations, in which the help is.
    hints = {field.name: field for field in msgspec.structs.fields(kind)}
    for field in info.fields:
        yield _parameter(field, hints[field.name])


def _parameter(field: msgspec.inspect.Field, hint: msgspec.structs.FieldInfo) -> click.Parameter:
    described = _described(hint.type)
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
        help=described,
    )


def _described(hint: Any) -> str:  # noqa: ANN401  # an annotation may be anything
    for part in getattr(hint, "__metadata__", ()):
        if isinstance(part, msgspec.Meta):
            return part.description or ""
    return ""


def _plain(hint: Any) -> type:  # noqa: ANN401  # ditto
    """Return the type behind `Annotated` and `| None`."""
    if hasattr(hint, "__metadata__"):
        hint = hint.__origin__
    if get_origin(hint) in {Union, types.UnionType}:
        hint = next(part for part in get_args(hint) if part is not type(None))
    assert isinstance(hint, type)
    return hint


def options_of(source: Source, given: Mapping[str, object]) -> Struct:
    """Return the options of a source; what it does not know is said and left out, so that old command lines go on."""
    known = {field.name for field in msgspec.structs.fields(source.options)}
    for name in [name for name, value in given.items() if name not in known and value is not None]:
        click.echo(
            f"--{name.replace('_', '-')} says nothing to {source.name}, whose events name it themselves", err=True
        )
    # What was not given is left out, so that the source's own defaults stand.
    return source.options(**{name: value for name, value in given.items() if name in known and value is not None})


def shared_options(command: Any) -> Any:  # noqa: ANN401  # click's own type for decorators
    """Add the options that several sources have."""
    for name, text in (
        ("--time-zone", "Zone of local times in what is read, such as Europe/Berlin."),
        ("--source-name", "Names the call system; else host name and path. Two PBXs need two names."),
        ("--tenant", "Tenant of events whose source names none; else default."),
    ):
        command = click.option(name, help=text)(command)
    return command
