"""The command line: with `__main__`, the only reader of arguments and environment. Everything else is told."""

import sys

import click

from stream.cli.connect import connect
from stream.cli.data import produce, replay, schema, simulate
from stream.cli.doctor import doctor
from stream.cli.gateway import gateway, gateway_aside, gateway_key
from stream.cli.listing import Listing
from stream.cli.mapping import mapping
from stream.cli.services import board, dead_letters, demo, topics, worker
from stream.cli.sources import source
from stream.cli.surveys import survey_link
from stream.errors import ContactStreamError, defect_in_places

__all__ = ["group", "main"]


@click.group(cls=Listing, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="contact-stream", prog_name="contact-stream")
def group() -> None:
    """Live queue metrics for contact centres. Settings are CONTACT_STREAM_… variables: docs/operations.md."""


for command in (
    demo,
    replay,
    worker,
    gateway,
    gateway_aside,
    gateway_key,
    produce,
    source,
    connect,
    mapping,
    simulate,
    board,
    schema,
    topics,
    dead_letters,
    doctor,
    survey_link,
):
    group.add_command(command)


def main() -> None:
    """
    Run a command; an error of ours is one clear sentence and exit status 1, never a traceback.

    A defect says where it is, and does not quote: what a source was reading may be personal.
    """
    try:
        # Else click ends the process itself, and an error of ours would be a traceback.
        group.main(standalone_mode=False)
    except click.ClickException as failure:
        failure.show()
        sys.exit(failure.exit_code)
    except (click.Abort, KeyboardInterrupt):
        # As shells say it: 128 and the number of SIGINT.
        sys.exit(130)
    except ContactStreamError as failure:
        click.echo(f"contact-stream: {failure}", err=True)
        sys.exit(1)
    except Exception as failure:  # whatever it is, Python would print what it says
        click.echo(f"contact-stream: {defect_in_places(failure)}", err=True)
        sys.exit(1)
