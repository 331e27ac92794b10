"""Reads the policy file of an installation, in which each family has its keys."""

from pathlib import Path
from typing import Final

from stream.core.policies import Policies
from stream.core.policy_text import parse_policies
from stream.errors import SettingsError
from stream.families import follow_ups
from stream.families.registry import FAMILIES

__all__ = ["KEYS", "load_policies", "policies_of"]

KEYS: Final = {
    key: meaning
    for rules in (*(family.rules for family in FAMILIES), follow_ups.RULES)
    for key, meaning in rules.keys.items()
}
"""Every key of the policy file."""


def load_policies(path: Path | None) -> Policies:
    """Return the policies of a file; None is no file, and the defaults for all. Raises SettingsError."""
    if path is None:
        return Policies()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise SettingsError(f"the policy file {path} cannot be read: {failure}") from failure
    return policies_of(text, str(path))


def policies_of(text: str, name: str) -> Policies:
    """Return the policies that *text* describes; *name* is the file for messages. Raises SettingsError."""
    return parse_policies(text, name, KEYS)
