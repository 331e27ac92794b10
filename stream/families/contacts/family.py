"""Contacts: calls, chats and other requests that wait in a queue for an agent, and promised calls back."""

from typing import Final

from stream.core.family import Family, FoldOptions
from stream.families.contacts.events import EVENTS
from stream.families.contacts.figures import FIGURES
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.rules import RULES
from stream.families.contacts.shown import (
    COLUMNS,
    DETAIL_SECTIONS,
    DETAILS,
    FACTS,
    NOW,
    SHOWN_FACTS,
    queue_states,
    urgency,
)
from stream.families.contacts.snapshot import QUEUE, QueueSnapshot
from stream.families.contacts.tables import SEGMENTS, TALLIES
from stream.families.contacts.tally import Tally

__all__ = ["FAMILY"]


def _new_fold(options: FoldOptions) -> ContactsFold:
    return ContactsFold(
        options.policies,
        max_queues_per_tenant=options.max_queues_per_tenant,
        max_queues=options.max_queues,
        keep_silent=options.keep_silent,
    )


FAMILY: Final[Family[QueueSnapshot]] = Family(
    name="contacts",
    summary="What happened to contacts and callbacks.",
    staffed=True,
    rows="queues",
    keyed_by="`tenant/queue` in UTF-8, such as `acme/support`: one partition holds the whole truth of a queue.",
    events=EVENTS,
    tables={"tallies": TALLIES, "segments": SEGMENTS},
    new_fold=_new_fold,
    snapshot=QueueSnapshot,
    counts=Tally,
    labels=QUEUE,
    figures=FIGURES,
    columns=COLUMNS,
    now=NOW,
    sections=DETAIL_SECTIONS,
    facts=FACTS,
    details=DETAILS,
    shows=SHOWN_FACTS,
    state=queue_states,
    urgency=urgency,
    rules=RULES,
)
