"""`contact-stream survey-link`: links to the page of surveys, the messages that have them, and the invitations."""

import sys
from collections.abc import Iterator
from csv import DictReader
from datetime import timedelta, tzinfo
from io import StringIO
from pathlib import Path
from typing import Any, Literal, get_args

import click
import msgspec
from msgspec import Struct

from stream.app.policy_file import load_policies
from stream.cli.options import settings_of_environment
from stream.core.cloudevents import DEFAULT_TENANT, Channel, encode
from stream.errors import InvalidEvent, SourceError
from stream.families.surveys.rules import survey_policy
from stream.families.surveys.scales import SCALES, Scale, SurveyKind
from stream.languages.words import LANGUAGES, Language
from stream.sdk.survey_links import SurveyLink, SurveyLinks
from stream.sdk.survey_mail import mail_html, mail_subject, mail_text
from stream.sources.requests.secret_lines import SecretLines

__all__ = ["survey_link"]

As = Literal["url", "json", "html", "text", "events"]


class _Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of standard input; what it leaves out is as the options say."""

    survey: str
    queue: str | None = None
    channel: Channel | None = None
    agent: str | None = None
    group: str | None = None
    customer: str | None = None
    language: Language | None = None


@click.command("survey-link")
@click.option("--key-file", type=click.Path(path_type=Path), required=True, help="Keys; the first line signs.")
@click.option("--page", required=True, help="Address of the page: https://feedback.example.org/surveys/NAME.")
@click.option("--kind", "kinds", multiple=True, required=True, type=click.Choice(get_args(SurveyKind)), help="Asked.")
@click.option(
    "--scale", "scales", multiple=True, type=click.Choice(list(SCALES)), help="Of each --kind, in their order."
)
@click.option("--survey", help="Id of this one; without it they are read from standard input, CSV or JSON lines.")
@click.option("--tenant", default=DEFAULT_TENANT, show_default=True)
@click.option("--queue", help="That is rated, as are --channel, --agent and --group.")
@click.option("--channel", type=click.Choice(get_args(Channel)))
@click.option("--agent", help="An opaque id: the customer can read it in the link.")
@click.option("--group")
@click.option("--customer", help="An opaque id, never a name or address.")
@click.option(
    "--days", type=click.FloatRange(0, 366, min_open=True), default=14, show_default=True, help="It is good for."
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Of the page; by default the browser says it.")
@click.option(
    "--policies", type=click.Path(path_type=Path), help="TOML file whose time zones the messages name; else UTC."
)
@click.option("--source-name", default="/surveys", show_default=True, help="What invitations have as their source.")
@click.option(
    "--as", "form", type=click.Choice(get_args(As)), default="url", show_default=True, help="What to print of each."
)
def survey_link(  # what a link may say, and what is printed of it
    key_file: Path,
    page: str,
    kinds: tuple[SurveyKind, ...],
    scales: tuple[Scale, ...],
    survey: str | None,
    tenant: str,
    days: float,
    policies: Path | None,
    source_name: str,
    form: As,
    **told: Any,  # noqa: ANN401  # the fields of _Asked
) -> None:
    """
    Make signed links to the page of surveys that a gateway serves: docs/sources/web-survey.md.

    Prints for each the address (`url`), the message to send with a link for each score (`html`, `text`), all of that in
    a line (`json`), or the events that say that the customer was asked (`events`, for `contact-stream produce`).
    """
    if survey is None and form in {"html", "text"}:
        raise click.UsageError(f"--as {form} is for one --survey; of many, --as json has the messages")
    known = load_policies(settings_of_environment(policies=policies).policies)
    links = SurveyLinks(page, SecretLines(key_file).all()[0], tenant=tenant, source=source_name)
    asked = [(1, {"survey": survey})] if survey is not None else _rows(sys.stdin.read())
    for number, row in asked:
        try:
            one = msgspec.convert({**told, **row}, _Asked)
            link = links.make(
                one.survey,
                kinds,
                scales=scales,
                good_for=timedelta(days=days),
                queue=one.queue,
                channel=one.channel,
                agent=one.agent,
                group=one.group,
                customer=one.customer,
            )
        except (InvalidEvent, msgspec.ValidationError) as failure:
            raise SourceError(f"{'the link' if survey else f'line {number}'}: {failure}") from None
        zone = survey_policy(known, tenant, one.queue, one.channel).time_zone
        click.echo(_printed(link, form, one.language, zone), nl=form not in {"html", "text"})


def _rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what each line says of a link, with its number; a field without a value is left out."""
    if text.lstrip().startswith("{"):
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield number, _json_row(number, line)
        return
    reader = DictReader(StringIO(text))
    for told in reader:
        # What is beyond the heading has None as its name.
        yield reader.line_num, {str(name): value for name, value in told.items() if value}


def _json_row(number: int, line: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise SourceError(f"line {number}: not a JSON object") from None


def _printed(link: SurveyLink, form: As, language: Language | None, zone: tzinfo) -> str:
    spoken = language or LANGUAGES[0]
    if form == "html":
        return mail_html(link, spoken, zone)
    if form == "text":
        return mail_text(link, spoken, zone)
    if form == "events":
        return "\n".join(encode(event).decode() for event in link.invitations())
    return link.address(language) if form == "url" else _as_json(link, language, spoken, zone)


def _as_json(link: SurveyLink, language: Language | None, spoken: Language, zone: tzinfo) -> str:
    scores = {
        question.kind: {str(score): link.address(language, **{question.kind: score}) for score in question.scores}
        for question in link.terms.questions
    }
    told = {
        "survey": link.terms.survey,
        "url": link.address(language),
        "until": link.terms.ends_at,
        "subject": mail_subject(spoken),
        "scores": scores,
        "text": mail_text(link, spoken, zone),
        "html": mail_html(link, spoken, zone),
    }
    return msgspec.json.encode(told).decode()
