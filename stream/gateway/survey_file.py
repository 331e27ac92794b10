"""The surveys in the file of webhooks: a table for each page, with the key of its links and what stands on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Name
from stream.errors import SettingsError
from stream.gateway.webhook_file import WatchedTables, WebhookName
from stream.sdk.survey_links import KEY_LENGTH
from stream.sources.intake import Intake
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.source import Setup, Source
from stream.sources.toml_file import paths_beside, toml_of

__all__ = ["WEB_SURVEY", "Comments", "MountedSurvey", "SurveyOptions", "checked_survey", "surveys_of"]

Comments = Literal["none", "counted", "told"]


class SurveyOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of one page."""

    key_file: Annotated[
        Path, Meta(description="Keys of links, one in each line; all are good, and the first one signs.")
    ]
    tenants: Annotated[
        tuple[Name, ...],
        Meta(description="Whose links are served; others are none, whoever signed them.", min_length=1),
    ] = (DEFAULT_TENANT,)
    source_name: Annotated[str, Meta(min_length=1, max_length=200)] = "/surveys"
    """What events have as their source."""
    company: Annotated[str, Meta(description="Who asks, as customers know it.", max_length=100)] = ""
    privacy_url: Annotated[
        str,
        Meta(
            description="The page that says how data is protected, https://…; the one link that leads elsewhere.",
            pattern=r"^(https://\S+)?$",
            max_length=500,
        ),
    ] = ""
    comments: Annotated[
        Comments, Meta(description="Words of customers: counted tells that there are some, told puts them into events.")
    ] = "none"
    change_hours: Annotated[float, Meta(ge=0, le=24 * 366)] = 24
    """How long after an answer its receipt lets it be changed."""


class MountedSurvey(Struct, frozen=True):
    """A page under its name, which is in its path, and what became of what it got."""

    name: str
    options: SurveyOptions
    keys: SecretLines
    intake: Intake


class _SurveyTable(Struct, forbid_unknown_fields=True):
    surveys: dict[WebhookName, SurveyOptions] = {}
    webhooks: dict[str, Any] = {}
    """Read in `webhook_file`."""


def surveys_of(path: Path) -> Mapping[str, MountedSurvey]:
    """
    Return the surveys of a TOML file, by name, always as it says them now.

    Raises SettingsError naming the entry at fault. A later change that is at fault is logged, and changes nothing.
    """
    return WatchedTables(path, _surveys_in)


def checked_survey(path: Path, name: str, table: Mapping[str, Any]) -> SurveyOptions:
    """Return what a table of the file at *path* says; raises SettingsError naming what is at fault."""
    try:
        options = msgspec.convert(dict(table), SurveyOptions, dec_hook=paths_beside(path))
    except msgspec.ValidationError as failure:
        raise SettingsError(f"{path}: surveys.{name}: {failure}") from None
    return _mounted(path, name, options, None).options


def _surveys_in(path: Path, before: Mapping[str, MountedSurvey]) -> dict[str, MountedSurvey]:
    table = toml_of(path, _SurveyTable)
    for name in table.surveys.keys() & table.webhooks.keys():
        # Figures of both have the name as their source.
        raise SettingsError(f"{path}: surveys.{name}: a webhook has this name already")
    return {name: _mounted(path, name, options, before.get(name)) for name, options in table.surveys.items()}


def _mounted(path: Path, name: str, options: SurveyOptions, before: MountedSurvey | None) -> MountedSurvey:
    try:
        keys = SecretLines(options.key_file)
    except SettingsError as failure:
        raise SettingsError(f"{path}: surveys.{name}.key_file: {failure}") from None
    if min(map(len, keys.all())) < KEY_LENGTH:
        raise SettingsError(
            f"{path}: surveys.{name}.key_file: a key has at least {KEY_LENGTH} characters: openssl rand -hex 32"
        )
    return MountedSurvey(name, options, keys, Intake() if before is None else before.intake)


WEB_SURVEY: Final = Source(
    name="web-survey",
    about="A page of our own that asks customers, and that the gateway serves from signed links.",
    options=SurveyOptions,
    setup=Setup(
        steps="""\
1. Open this link, and answer: the answer is counted like any other, for the tenant and no queue.
   {link}
2. Have a link made for each customer who is asked, and the event that says so:
   contact-stream survey-link --key-file {secret_file} --page {url} --kind csat --survey ID --queue QUEUE
More: docs/sources/web-survey.md""",
        also_asked=("company", "privacy_url", "comments"),
    ),
)
"""What `contact-stream connect` asks about a page; it is none of the registry, since it takes no payloads."""
