"""Connects a system that calls: a secret, a table in the gateway's file of webhooks, test requests, the first event."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from aiohttp import ClientSession
from msgspec import Struct
from yarl import URL

from stream.cli.connect_secret import SecretFile, secret_files, told_path
from stream.cli.findings import all_well, show
from stream.cli.options import now, settings_of_environment
from stream.cli.questions import Questions
from stream.cli.source_options import secrets_of
from stream.connect.survey_trial import SurveyTrial
from stream.connect.webhook_tables import tables_in, with_webhook
from stream.connect.webhook_trial import WebhookTrial
from stream.connect.written_files import write_text
from stream.doctor.finding import good
from stream.errors import SettingsError
from stream.gateway.survey_file import WEB_SURVEY, checked_survey
from stream.gateway.webhook_file import WebhookName, mounted_webhook
from stream.settings import Settings
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.source import Source
from stream.sources.toml_file import paths_beside

__all__ = ["WebhookFlags", "connect_webhook"]

_STEPS: Final = """\
Have the system post to {url}
with the line of {secret_file}. More: docs/sources/README.md"""

_PUBLIC_URL: Final = (
    "What the system calls, up to /v1/webhooks, such as https://events.example.org; empty: the gateway's own address"
)


class WebhookFlags(Struct, frozen=True):
    """What a person said that is the same for all webhooks; None: nothing."""

    name: str
    file: Path | None
    gateway: str | None
    public_url: str | None
    wait_seconds: float
    replace: bool


class _Plan(Struct, frozen=True):
    """What is to be written, before anything is."""

    source: Source
    name: str
    file: Path
    table: Mapping[str, Any]
    before: str
    after: str
    secret: SecretFile | None

    def write(self, questions: Questions, *, replace: bool) -> None:
        """Write secret and table; where the table cannot be used, a secret that was made for it goes again."""
        made = False
        if self.secret is not None:
            finding, made = self.secret.ensured(questions, replace=replace)
            show(finding)
        try:
            if self.source is WEB_SURVEY:
                checked_survey(self.file, self.name, self.table)
            else:
                mounted_webhook(self.file, self.name, self.table)
            if self.after != self.before:
                write_text(self.file, self.after)
        except BaseException:
            if made and self.secret is not None:
                self.secret.path.unlink(missing_ok=True)
            raise
        how = "says so already" if self.after == self.before else "was written"
        show(good("webhook", f"{self.file}: {_root_of(self.source)}.{self.name} {how}"))


def connect_webhook(source: Source, given: Mapping[str, Any], flags: WebhookFlags, questions: Questions) -> bool:
    """Write, try, and wait; tell whether all is well. Raises SettingsError where something cannot be meant."""
    settings = settings_of_environment()
    file = flags.file or settings.gateway_webhooks or Path("webhooks.toml")
    plan = _planned(source, given, flags, file, questions)
    public_url = flags.public_url
    if public_url is None:
        public_url = questions.text(_PUBLIC_URL, "--public-url", settings.gateway_public_url)
    trial = (SurveyTrial if source is WEB_SURVEY else WebhookTrial)(
        name=flags.name,
        gateway=(flags.gateway or _gateway_of(settings)).rstrip("/"),
        public_url=_checked_url(public_url),
        start=f"contact-stream gateway --webhooks {file} --spool gateway.db --broker HOST:PORT",
        clock=now,
    )
    # Some systems show their secret only once they are told the address.
    click.echo(f"address  {trial.url}")
    plan.write(questions, replace=flags.replace)
    return asyncio.run(_tried(plan, _with_secret(plan, trial), flags.wait_seconds, questions))


def _planned(source: Source, given: Mapping[str, Any], flags: WebhookFlags, file: Path, questions: Questions) -> _Plan:
    try:
        msgspec.convert(flags.name, WebhookName)
    except msgspec.ValidationError:
        raise SettingsError("--name: letters, digits, - and _, at most 64: it is the end of an address") from None
    before = _content(file)
    # Who comes again goes on with what is there, and is not asked a second time.
    root = _root_of(source)
    if flags.name in _known(file, "webhooks" if root == "surveys" else "surveys", before):
        raise SettingsError(f"{file}: there is something else of the name {flags.name}: take another --name")
    known = {} if flags.replace else _known(file, root, before).get(flags.name, {})
    own = secrets_of(source.options)
    also = () if known else source.setup.also_asked
    answers = questions.answers(source.options, given, also=also, but=[*own, *known])
    there = {name: file.parent / known[name] for name in own if name in known} | answers
    place, of_system = file.parent / flags.name, source.setup.secret_of_system
    secret = next(secret_files(own, there, place, of=source.name, of_system=of_system), None)
    if secret is not None and secret.field not in known:
        answers |= {secret.field: secret.path}
    told = {key: told_path(value, file) if isinstance(value, Path) else value for key, value in answers.items()}
    table = known | ({} if source is WEB_SURVEY else {"source": source.name}) | told
    try:
        after = with_webhook(before, flags.name, table, replace=flags.replace, root=root)
    except SettingsError as failure:
        raise SettingsError(f"{file}: {failure}") from None
    return _Plan(source, flags.name, file, table, before, after, secret)


def _content(file: Path) -> str:
    try:
        return file.read_bytes().decode() if file.exists() else ""
    except OSError as failure:
        raise SettingsError(f"{file} cannot be read: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8") from None


def _root_of(source: Source) -> str:
    return "surveys" if source is WEB_SURVEY else "webhooks"


def _known(file: Path, root: str, text: str) -> dict[str, Any]:
    try:
        return tables_in(text, root)
    except SettingsError as failure:
        raise SettingsError(f"{file}: {failure}") from None


def _with_secret(plan: _Plan, trial: WebhookTrial) -> WebhookTrial:
    if isinstance(trial, SurveyTrial) and plan.secret is not None:
        survey = checked_survey(plan.file, plan.name, plan.table)
        return msgspec.structs.replace(
            trial,
            secret=SecretLines(plan.secret.path).all()[0],
            place_of_secret=str(plan.secret.path),
            tenant=survey.tenants[0],
            source_name=survey.source_name,
        )
    make = plan.source.setup.empty_request
    if plan.secret is None or make is None:
        return trial
    told = {key: value for key, value in plan.table.items() if key != "source"}
    options = msgspec.convert(told, plan.source.options, dec_hook=paths_beside(plan.file))
    return msgspec.structs.replace(
        trial,
        secret=SecretLines(plan.secret.path).all()[0],
        place_of_secret=str(plan.secret.path),
        empty_request=partial(make, options),
    )


async def _tried(plan: _Plan, trial: WebhookTrial, wait_seconds: float, questions: Questions) -> bool:
    async with ClientSession() as session:
        while not (well := await _looked(session, trial, wait_seconds)):
            if not questions.again():
                break
        # Before a person is told what to paste: what comes from then on is to be said.
        before = await trial.counted(session)
        place = {"{url}": trial.url, "{name}": trial.name, "{secret_file}": str(plan.secret and plan.secret.path)}
        if isinstance(trial, SurveyTrial):
            place["{link}"] = trial.link(trial.secret)
        click.echo(f"\n{_filled(plan.source.setup.steps or _STEPS, place)}\n")
        if not well or not wait_seconds:
            return well
        click.echo(f"waiting for the first event, {wait_seconds:.0f} s at most; Ctrl-C ends it, what was written stays")
        return await all_well(trial.first_input(session, before, wait_seconds))


async def _looked(session: ClientSession, trial: WebhookTrial, wait_seconds: float) -> bool:
    stages = (trial.served(session, wait_seconds), trial.reached(session), trial.guarded(session))
    for findings in stages:
        if not await all_well(findings):
            return False
    return True


def _filled(steps: str, place: Mapping[str, str]) -> str:
    # Not `format`: steps have JSON in them.
    for blank, told in place.items():
        steps = steps.replace(blank, told)
    return steps


def _gateway_of(settings: Settings) -> str:
    scheme = "http" if settings.gateway_certificate_file is None else "https"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.gateway_host, settings.gateway_host)  # noqa: S104  # what it listens on
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.gateway_port}"


def _checked_url(text: str) -> str:
    if not text:
        return ""
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.query_string or url.fragment:
        raise SettingsError("--public-url: expected https://host, with a path where there is one before /v1/webhooks")
    return text.rstrip("/")
