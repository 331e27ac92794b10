"""Connects a system that is asked or listened to: the file about it, one connection as a trial, the command to run."""

import asyncio
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from msgspec import Struct

from stream.cli.connect_secret import SecretFile, secret_option_of, told_path
from stream.cli.findings import show
from stream.cli.questions import Questions
from stream.cli.source_options import options_of
from stream.connect.puller_trial import tried_connection
from stream.connect.written_files import write_text
from stream.doctor.finding import good
from stream.errors import SettingsError
from stream.sources.source import ConnectionFile, Source

__all__ = ["connect_puller"]

TRIAL_SECONDS: Final = 30.0

_UNIT: Final = """\
[Unit]
Description=contact-stream source {source}
Wants=network-online.target
After=network-online.target

[Service]
WorkingDirectory={folder}
ExecStart={command}
Restart=always

[Install]
WantedBy=multi-user.target"""


def connect_puller(source: Source, given: Mapping[str, Any], name: str, questions: Questions, *, replace: bool) -> bool:
    """Write and try; tell whether all is well. Raises SettingsError where something cannot be meant."""
    told = _options_told(source, given, name, questions, replace=replace)
    options = options_of(source, told)
    finding = asyncio.run(tried_connection(source, options, TRIAL_SECONDS))
    show(finding)
    while finding.verdict == "bad" and questions.again():
        finding = asyncio.run(tried_connection(source, options, TRIAL_SECONDS))
        show(finding)
    if source.setup.steps:
        click.echo(f"\n{source.setup.steps}")
    command = _command(source, told)
    click.echo(
        f"\nRun it:\n  {command}\n\nOr have systemd run it, as /etc/systemd/system/contact-stream-{name}.service:\n"
    )
    whole = f"{Path(sys.argv[0]).absolute()}{command.removeprefix('contact-stream')}"
    click.echo(_UNIT.format(source=source.name, folder=Path.cwd(), command=whole))
    return finding.verdict != "bad"


def _options_told(
    source: Source, given: Mapping[str, Any], name: str, questions: Questions, *, replace: bool
) -> dict[str, Any]:
    """Return the options of the source, with the files that they name, which are written where they are not there."""
    wanted = source.setup.file
    file = given.get("file") if wanted is None else given.get("file") or Path(f"{name}{wanted.suffix}")
    told = _answers(source.options, source, {**given, "file": file}, Path(f"{name}.secret"), questions)
    if wanted is None or file is None:
        return told
    if file.exists() and not replace:
        if any(given.get(field) is not None for field in wanted.asks.__struct_fields__):
            raise SettingsError(f"{file} is there already: take another --file, or --replace it")
        show(good("file", f"{file} is there, and used as it is"))
        return told
    answers = _answers(wanted.asks, source, given, file.with_name(f"{name}.secret"), questions)
    write_text(file, _text(wanted, answers, file, name))
    show(good("file", f"{file} was written"))
    return told


def _answers(
    kind: type[Struct], source: Source, given: Mapping[str, Any], secret: Path, questions: Questions
) -> dict[str, Any]:
    """Return what is said for fields of *kind*, its secret in a file that is there."""
    option = secret_option_of([kind])
    answers = questions.answers(kind, given, also=source.setup.also_asked, but=[option or ""])
    if option is not None:
        about = f"The secret that {source.name} logs in with"
        path = answers.setdefault(option, secret)
        finding, _ = SecretFile(path=path, flag=f"--{option.replace('_', '-')}", of_system=True, about=about).ensured(
            questions
        )
        show(finding)
    return answers


def _text(wanted: ConnectionFile, answers: Mapping[str, Any], file: Path, name: str) -> str:
    beside = {key: Path(told_path(value, file)) if isinstance(value, Path) else value for key, value in answers.items()}
    try:
        return wanted.text(msgspec.convert(beside, wanted.asks), name)
    except msgspec.ValidationError as failure:
        raise SettingsError(f"{file}: {failure}") from None


def _command(source: Source, told: Mapping[str, Any]) -> str:
    words = ["contact-stream", "source", source.name]
    for field in msgspec.structs.fields(source.options):
        value = told.get(field.name)
        if value is None or value == field.default:
            continue
        if field.required:
            words.insert(3, str(value))
        else:
            flag = f"--{field.name.replace('_', '-')}"
            words += [flag] if value is True else [flag, str(value)]
    follow = ["--follow"] if source.read else []
    return shlex.join([*words, *follow, "--metrics-port", "9110", "--broker", "HOST:PORT"])
