"""YAML as a person would write it: in the order given, expressions over several lines as blocks."""

import re

import yaml

__all__ = ["written"]

_TIME = re.compile(r"\d+:\d+")
HEAD = "# Written by `make generate` from scripts/alerts/: do not edit.\n"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines become blocks; nothing is an alias."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # whatever it is
        """Write everything out."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # A time of day is a number to some readers of YAML.
    style = "|" if "\n" in text else '"' if _TIME.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def written(document: object) -> str:
    """Return a document as YAML."""
    return HEAD + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
