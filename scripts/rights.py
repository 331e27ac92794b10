"""The rights that each principal needs where brokers have ACLs: for `docs/operations.md`, and for the test of it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stream.families.registry import EVENT_TYPES
from stream.runtime.kafka.topics import DEAD_LETTERS
from stream.settings import Settings

__all__ = ["Right", "rights_of", "rights_table"]


class Right(NamedTuple):
    """What ACLs allow one principal on one resource."""

    resource: str
    """`Topic` or `Group`."""
    name: str
    """All names that begin so, where it ends with `*`: a prefixed ACL."""
    operations: Sequence[str]
    why: str


WHO = {
    "worker": "a worker, with `CONTACT_STREAM_CREATE_TOPICS=false`",
    "topics": "`contact-stream topics`; a worker that creates its topics needs both",
    "producer": "call systems, `contact-stream produce`",
    "gateway": "`contact-stream gateway`",
    "simulator": "`contact-stream simulate --broker`",
    "dead-letters": "`contact-stream dead-letters`",
    "doctor": "`contact-stream doctor`",
}


def rights_of(group: str) -> Mapping[str, Sequence[Right]]:
    """Return, by principal, what each needs; reading or writing a topic includes describing it."""
    sources = sorted({kind.topic for kind in EVENT_TYPES.values()})
    changelogs = f"{group}-*"
    work = ("Read", "Write", "DescribeConfigs")
    declare = ("Create", "Describe", "DescribeConfigs")
    return {
        "worker": [
            *(Right("Topic", topic, work, "events; under a wrong key they are written again") for topic in sources),
            Right("Topic", DEAD_LETTERS, ("Write", "DescribeConfigs"), "records that are no events"),
            Right("Topic", changelogs, work, "changelogs"),
            Right("Group", group, ("Read",), "to share the partitions and commit offsets"),
        ],
        "topics": [
            Right("Topic", topic, declare, "created where missing, else compared")
            for topic in (*sources, DEAD_LETTERS, changelogs)
        ],
        "producer": [Right("Topic", topic, ("Write",), "events") for topic in sources],
        "gateway": [
            *(Right("Topic", topic, ("Write",), "events") for topic in sources),
            Right("Topic", DEAD_LETTERS, ("Write",), "events that brokers refuse, and what webhooks cannot use"),
        ],
        "simulator": [
            Right("Topic", topic, ("Read", "Write"), "events; where it ended last time") for topic in sources
        ],
        "dead-letters": [Right("Topic", DEAD_LETTERS, ("Read",), "listed and shown")],
        "doctor": [
            *(
                Right("Topic", topic, ("Describe", "DescribeConfigs"), "compared with what is declared")
                for topic in (*sources, DEAD_LETTERS, changelogs)
            ),
            Right("Group", group, ("Describe",), "whether a worker is in it"),
        ],
    }


def rights_table() -> str:
    """Return the table of `docs/operations.md`, for the default group."""
    rows = ""
    for principal, rights in rights_of(Settings().group).items():
        for number, right in enumerate(rights):
            who = "" if number else WHO[principal]
            name = f"`{right.name}`" + (" (prefixed)" if right.name.endswith("*") else "")
            rows += f"| {who} | {right.resource} {name} | {', '.join(right.operations)} | {right.why} |\n"
    return "| who | resource | operations | what for |\n|---|---|---|---|\n" + rows
