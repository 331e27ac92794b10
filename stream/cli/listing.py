"""Groups of commands whose help can be read: click cuts what it says of each command to what is left of a line."""

import click

__all__ = ["Listing"]

WHOLE_SENTENCE = 1000


class Listing(click.Group):
    """A group whose help has the first sentence about each command, over several lines where it must."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click passes it
        """Write what click asks a group for."""
        rows = [(name, command.get_short_help_str(WHOLE_SENTENCE)) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
