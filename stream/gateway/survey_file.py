"""The surveys in the file of webhooks: a table for each page, with the key of its links and what stands on it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Name
from stream.errors import SettingsError
from stream.gateway.webhook_file import WebhookName
from stream.sdk.survey_links import KEY_LENGTH
from stream.sources.intake import Intake
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.toml_file import toml_of

__all__ = ["Comments", "MountedSurvey", "SurveyOptions", "surveys_of"]

Comments = Literal["none", "counted", "told"]


class SurveyOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of one page."""

    key_file: Path
    """The keys that links are signed with, one in each line; all are good, and the first one signs."""
    tenants: Annotated[tuple[Name, ...], Meta(min_length=1)] = (DEFAULT_TENANT,)
    """Whose links are served; others are none, whoever has signed them."""
    source_name: Annotated[str, Meta(min_length=1, max_length=200)] = "/surveys"
    """What events have as their source."""
    company: Annotated[str, Meta(max_length=100)] = ""
    """Who asks, as customers know it."""
    privacy_url: Annotated[str, Meta(pattern=r"^(https://\S+)?$", max_length=500)] = ""
    """The page that says how data is protected; the one link that leads elsewhere."""
    comments: Comments = "none"
    """Whether customers may add words: `counted` tells that there are some, `told` puts them into the event."""
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


def surveys_of(path: Path) -> dict[str, MountedSurvey]:
    """Return the surveys of a TOML file, by name; raises SettingsError naming the entry at fault."""
    table = toml_of(path, _SurveyTable)
    for name in table.surveys.keys() & table.webhooks.keys():
        # Figures of both have the name as their source.
        raise SettingsError(f"{path}: surveys.{name}: a webhook has this name already")
    return {name: _mounted(path, name, options) for name, options in table.surveys.items()}


def _mounted(path: Path, name: str, options: SurveyOptions) -> MountedSurvey:
    try:
        keys = SecretLines(options.key_file)
    except SettingsError as failure:
        raise SettingsError(f"{path}: surveys.{name}.key_file: {failure}") from None
    if min(map(len, keys.all())) < KEY_LENGTH:
        raise SettingsError(
            f"{path}: surveys.{name}.key_file: a key has at least {KEY_LENGTH} characters: openssl rand -hex 32"
        )
    return MountedSurvey(name, options, keys, Intake())
