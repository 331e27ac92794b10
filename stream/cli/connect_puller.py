"""Connects a system that is asked or listened to: its file, one connection, the command to run, the first event."""

import asyncio
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from msgspec import NODEFAULT, Struct

from stream.cli.connect_secret import SecretFile, secret_files, told_path
from stream.cli.findings import all_well, show
from stream.cli.options import settings_of_environment
from stream.cli.questions import Questions, flag_of
from stream.cli.source_options import options_of, secrets_of
from stream.connect.puller_trial import pulling
from stream.connect.written_files import write_text
from stream.doctor.finding import good
from stream.errors import SettingsError
from stream.settings import broker_of
from stream.sources.source import ConnectionFile, Source

__all__ = ["PullerFlags", "connect_puller"]

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


class PullerFlags(Struct, frozen=True):
    """What a person said that is the same for all that are asked or listened to."""

    name: str
    wait_seconds: float
    replace: bool


class _Plan(Struct, frozen=True):
    """What is to be written, before anything is."""

    options: Mapping[str, Any]
    """Of the source."""
    secrets: Sequence[SecretFile]
    file: Path | None = None
    """The one about the system, where it is to be written."""
    text: str = ""

    def write(self, questions: Questions, *, replace: bool) -> None:
        wanted = [secret for secret in self.secrets if secret.of_system and (replace or not secret.path.exists())]
        if len(wanted) > 1:
            questions.refuse_variable([flag_of(secret.field) for secret in wanted])
        for secret in self.secrets:
            finding, _ = secret.ensured(questions, replace=replace)
            show(finding)
        if self.file is not None:
            write_text(self.file, self.text)
            show(good("file", f"{self.file} was written"))


def connect_puller(source: Source, given: Mapping[str, Any], flags: PullerFlags, questions: Questions) -> bool:
    """Write, try, and wait; tell whether all is well. Raises SettingsError where something cannot be meant."""
    plan = _planned(source, given, flags, questions)
    options = options_of(source, plan.options)
    plan.write(questions, replace=flags.replace)
    if source.setup.steps:
        click.echo(f"\n{source.setup.steps}\n")
    command = _command(source, plan.options)
    while not (well := asyncio.run(_tried(source, options, flags, command))) and questions.again():
        for secret in plan.secrets:
            secret.asked_again(questions)
    return well


async def _tried(source: Source, options: Struct, flags: PullerFlags, command: str) -> bool:
    async with pulling(source, options) as trial:
        finding = await trial.connection(TRIAL_SECONDS)
        show(finding)
        # A command that cannot work is not one to run.
        if finding.verdict == "bad":
            return False
        click.echo(_how_to_run(source, flags.name, command))
        if not flags.wait_seconds:
            return True
        click.echo(f"waiting for the first event, {flags.wait_seconds:.0f} s at most; Ctrl-C ends it")
        return await all_well(trial.first_event(flags.wait_seconds))


def _planned(source: Source, given: Mapping[str, Any], flags: PullerFlags, questions: Questions) -> _Plan:
    wanted = source.setup.file
    of_source = {**given, "file": _file_of(source, given, flags.name)}
    own = secrets_of(source.options)
    told = questions.answers(source.options, of_source, also=source.setup.also_asked, but=own)
    secrets = [*secret_files(own, told, Path(flags.name), of=source.name)]
    told |= {secret.field: secret.path for secret in secrets}
    file = told.get("file")
    if wanted is None or file is None:
        return _Plan(told, secrets)
    if file.exists() and not flags.replace:
        if any(given.get(field) is not None for field in wanted.asks.__struct_fields__):
            raise SettingsError(f"{file} is there already: take another --file, or --replace it")
        show(good("file", f"{file} is there, and used as it is"))
        return _Plan(told, secrets)
    answers, of_file = _answers(wanted, source, given, file.parent / flags.name, questions)
    return _Plan(told, [*secrets, *of_file], file, _text(wanted, answers, file, flags.name))


def _file_of(source: Source, given: Mapping[str, Any], name: str) -> Path | None:
    if source.setup.file is None:
        return given.get("file")
    return given.get("file") or Path(f"{name}{source.setup.file.suffix}")


def _answers(
    wanted: ConnectionFile, source: Source, given: Mapping[str, Any], place: Path, questions: Questions
) -> tuple[dict[str, Any], list[SecretFile]]:
    """Return what is said for the file about a system, and where the secrets are that it names."""
    login = questions.one_of(wanted.asks, [*wanted.logins], given)
    left_out = {name for way, more in wanted.logins.items() if way != login for name in (way, *more)}
    also = {*source.setup.also_asked, *wanted.logins.get(login or "", ())}
    own = [name for name in secrets_of(wanted.asks) if name not in left_out]
    told = questions.answers(wanted.asks, given, also=also, but={*own, *left_out})
    secrets = [*secret_files(own, told, place, of=source.name, ours=wanted.made)]
    return told | {secret.field: secret.path for secret in secrets}, secrets


def _text(wanted: ConnectionFile, answers: Mapping[str, Any], file: Path, name: str) -> str:
    beside = {key: told_path(value, file) if isinstance(value, Path) else value for key, value in answers.items()}
    try:
        return wanted.text(msgspec.convert(beside, wanted.asks, dec_hook=_path), name)
    except msgspec.ValidationError as failure:
        raise SettingsError(f"{file}: {failure}") from None


def _path(kind: type, value: object) -> object:
    return kind(value)


def _command(source: Source, told: Mapping[str, Any]) -> str:
    arguments: list[str] = []
    flags: list[str] = []
    for field in msgspec.structs.fields(source.options):
        value = told.get(field.name)
        if field.default is NODEFAULT:
            arguments.append(str(value))
        elif value is not None and value != field.default:
            flags += [f"--{field.name.replace('_', '-')}", *([] if value is True else [str(value)])]
    follow = ["--follow"] if source.read else []
    address, is_real = broker_of(settings_of_environment())
    broker = address if address and is_real else "HOST:PORT"
    words = ["contact-stream", "source", source.name, *arguments, *flags, *follow]
    return shlex.join([*words, "--metrics-port", "9110", "--broker", broker])


def _how_to_run(source: Source, name: str, command: str) -> str:
    whole = f"{Path(sys.argv[0]).absolute()}{command.removeprefix('contact-stream')}"
    return f"""
Run it:
  {command}

Or have systemd run it, as /etc/systemd/system/contact-stream-{name}.service:

{_UNIT.format(source=source.name, folder=Path.cwd(), command=whole)}

Whether it hears the system: contact-stream doctor --source http://127.0.0.1:9110
"""
