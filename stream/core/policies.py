"""
Policies: how something is judged, found by tenant, queue and channel.

Rules are patterns, and later ones win. What can be ruled is a family's own: `stream.families.*.rules`.
"""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Generic, NamedTuple, TypeVar, cast

from msgspec import Struct

__all__ = ["NO_RULES", "Policies", "PolicyKey", "Rule", "Rules"]

P = TypeVar("P")


class PolicyKey(NamedTuple):
    """One key of the policy file."""

    field: str
    """The field of the policy that it sets: in the policy of each family that has such a field."""
    read: Callable[[object], Any]
    """Returns the value; raises ValueError, which says what the value should have been."""


class Rule(Struct, frozen=True, kw_only=True):
    """Changes for every tenant, queue and channel that the patterns (`*`, `?`, `[ab]`) match."""

    tenant: str = "*"
    queue: str = "*"
    channel: str = "*"
    changes: Mapping[str, Any]
    """By field of a policy."""

    def matches(self, tenant: str, queue: str, channel: str) -> bool:
        """Tell whether this rule speaks of that queue and channel."""
        return (
            # Not `fnmatch`, which pays no heed to case on some systems: names of queues have one.
            fnmatchcase(tenant, self.tenant) and fnmatchcase(queue, self.queue) and fnmatchcase(channel, self.channel)
        )


class Rules(Struct, Generic[P], frozen=True, kw_only=True):
    """What can be ruled in one family."""

    policy: Callable[..., P]
    """The policy, a struct in which every field has a default."""
    keys: Mapping[str, PolicyKey] = {}
    """By key of the policy file."""
    defaults: tuple[Rule, ...] = ()
    """What holds where no policy file says otherwise."""


class _Nothing(Struct, frozen=True):
    """A policy without anything to rule."""


NO_RULES: Rules[Any] = Rules(policy=_Nothing)


class Policies(Struct, frozen=True, kw_only=True):
    """All rules of an installation, in the order of the file."""

    rules: tuple[Rule, ...] = ()

    def of(self, rules: Rules[P], tenant: str, queue: str, channel: str) -> P:
        """Return a family's policy of a queue and channel: the defaults, changed by every matching rule in turn."""
        fields = cast("type[Struct]", rules.policy).__struct_fields__
        changes: dict[str, Any] = {}
        for rule in (*rules.defaults, *self.rules):
            if rule.matches(tenant, queue, channel):
                # One file rules all families: each takes those fields that its policy has.
                changes |= {name: value for name, value in rule.changes.items() if name in fields}
        return rules.policy(**changes)
