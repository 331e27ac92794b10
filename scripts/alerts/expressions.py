"""PromQL for alerts: figures of a queue, once, whichever worker shows them; and the join that says whom to tell."""

from stream.app.catalogue import metric
from stream.core.limits import OVERFLOW_QUEUE

__all__ = [
    "AWAKE",
    "BY_MEMBERS",
    "BY_QUEUE",
    "OPEN",
    "alerted",
    "by_members",
    "by_queue",
    "indented",
    "is_not_so",
    "is_so",
    "series",
    "teams",
]

BY_QUEUE = "tenant, queue, channel"

BY_MEMBERS = "tenant, plan, group"
"""Of figures of customers: both are empty for all of a tenant together."""

OPEN = "queue:contact_open:team"
"""1 for every queue in its opening hours, with its team."""

AWAKE = "queue:contact_awake:team"
"""The same without those in their quiet hours."""


def series(name: str, **values: str) -> str:
    """
    Return a selector by values of labels, several with `|` between.

    KeyError when the catalogue has no such metric or the metric no such label.
    """
    labels = metric(name).labels
    if unknown := values.keys() - set(labels):
        raise KeyError(f"{name} has no label {', '.join(unknown)}")
    matchers = [f'{label}{"=~" if "|" in value else "="}"{value}"' for label, value in values.items()]
    # What stands for all queues beyond the limit has parts on several workers, and nobody who leads it.
    others = [f'queue!="{OVERFLOW_QUEUE}"'] if "queue" in labels else []
    return f"{name}{{{', '.join([*matchers, *others])}}}" if matchers or others else name


def by_queue(name: str, **values: str) -> str:
    """Return a gauge by queue. While a queue is handed over two workers show it, hence the largest, never the sum."""
    return f"max by ({BY_QUEUE}) ({series(name, **values)})"


def by_members(name: str, **values: str) -> str:
    """Return a gauge of the policy of customers by plan and group: every worker has it that has some of them."""
    return f"max by ({BY_MEMBERS}) ({series(name, **values)})"


def alerted(condition: str, among: str, *, by: str = BY_QUEUE) -> str:
    """Return the condition, by queue, with the team to tell: for queues *among* those of a recording such as `OPEN`."""
    return f"(\n{indented(condition)}\n)\n* on ({by}) group_left (team) {among}"


def teams(info: str, *conditions: str, by: str = BY_QUEUE) -> str:
    """Return 1 for each queue of which *info* names the team, with that, where all *conditions* hold."""
    # One team, also while workers come to know of another: a join must not find two.
    return "\n".join([f"topk by ({by}) (1, max by ({by}, team) ({series(info)}))", *conditions])


def is_so(name: str, by: str = BY_QUEUE) -> str:
    """Return the condition that a queue has 1 for a gauge."""
    return f"and on ({by}) (max by ({by}) ({series(name)}) == 1)"


def is_not_so(name: str, by: str = BY_QUEUE) -> str:
    """Return the condition that it has not: also where there is no such gauge of it."""
    return f"unless on ({by}) (max by ({by}) ({series(name)}) == 1)"


def indented(text: str) -> str:
    """Return the lines of a text two columns further in."""
    return "\n".join(f"  {line}" for line in text.splitlines())
