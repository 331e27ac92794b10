"""`contact-stream connect NAME`: from a system's name to its first event, step by step, with or without questions."""

import re
import sys
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct

from stream.cli.connect_puller import PullerFlags, connect_puller
from stream.cli.connect_webhook import WebhookFlags, connect_webhook
from stream.cli.listing import Listing
from stream.cli.options import UrlParam
from stream.cli.questions import Questions, may_be_asked
from stream.cli.source_options import flags_of
from stream.gateway.survey_file import WEB_SURVEY
from stream.sources.registry import SOURCES
from stream.sources.source import Source

__all__ = ["connect"]

FILE: Final = click.Path(path_type=Path, dir_okay=False)


class WaitParam(click.ParamType):
    """How long, such as `90s`, `10m` or `2h`; `0` is not at all."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds; refuses what is no length."""
        found = re.fullmatch(r"(\d+)([smh]?)", str(value))
        if found is None:
            self.fail("a length such as 90s, 10m or 2h", param, ctx)
        return float(int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]])


class _ConnectListing(Listing):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in SOURCES and args[0] not in self.commands:
            ctx.fail(f"{args[0]} reads a file, and there is nothing to connect: contact-stream source {args[0]} FILE")
        return super().resolve_command(ctx, args)


@click.group(cls=_ConnectListing)
def connect() -> None:
    """
    Connect a system: write what its source needs, try it, say what to paste where, wait for the first event.

    What is not said by a flag is asked; without a terminal, or with --yes, nothing is. Secrets are never flags.
    """


_SHARED: Final = (
    click.Option(["--name"], help="Its name here; of a webhook the end of its address. [default: the source's]"),
    click.Option(["--yes"], is_flag=True, help="Never ask."),
    click.Option(["--replace"], is_flag=True, help="Write anew what is there under this name."),
    click.Option(["--secret-stdin"], is_flag=True, help="Read the secret from standard input, one in each line."),
    click.Option(["--wait"], type=WaitParam(), default="10m", help="For the first event; 0: not. [default: 10m]"),
)
_OF_WEBHOOKS: Final = (
    click.Option(["--webhooks"], type=FILE, help="The gateway's file of webhooks. [default: webhooks.toml]"),
    click.Option(["--gateway"], type=UrlParam(), help="Where the gateway's pages are. [default: on this machine]"),
    click.Option(
        ["--public-url"], metavar="URL", help="What stands before /v1/webhooks, or /surveys, for whoever calls it."
    ),
)


def _is_served(of: Source) -> bool:
    """Tell whether the gateway answers for it."""
    return of.webhook is not None or of is WEB_SURVEY


def _parameters(of: Source) -> list[click.Option]:
    shared = [*_SHARED, *(_OF_WEBHOOKS if _is_served(of) else ())]
    kinds: list[type[Struct]] = [of.options, *([of.setup.file.asks] if of.setup.file else [])]
    own = {option.opts[0]: option for kind in kinds for option in flags_of(kind)}
    return [*own.values(), *(option for option in shared if option.opts[0] not in own)]


def _command(of: Source) -> click.Command:
    def run(
        name: str | None,
        *,
        yes: bool,
        replace: bool,
        secret_stdin: bool,
        webhooks: Path | None = None,
        gateway: str | None = None,
        public_url: str | None = None,
        wait: float,
        **given: Any,  # noqa: ANN401  # each source has options of its own
    ) -> None:
        questions = Questions(may_be_asked() and not yes, secret_stdin)
        called = name or of.name
        if _is_served(of):
            flags = WebhookFlags(called, webhooks, gateway, public_url, wait, replace)
            connected = connect_webhook(of, given, flags, questions)
        else:
            connected = connect_puller(of, given, PullerFlags(called, wait, replace), questions)
        sys.exit(not connected)

    return click.Command(of.name, params=[*_parameters(of)], callback=run, help=of.about)


for _source in (*SOURCES.values(), WEB_SURVEY):
    if _is_served(_source) or _source.pull:
        connect.add_command(_command(_source))
