"""Cases: requests by e-mail, message or form, which live for days, and the answers that customers get."""

from typing import Final

from stream.core.family import Family, FoldOptions
from stream.families.cases.events import EVENTS
from stream.families.cases.figures import FIGURES
from stream.families.cases.fold import CasesFold
from stream.families.cases.queue import CASE_WINDOWS
from stream.families.cases.rules import RULES
from stream.families.cases.shown import (
    COLUMNS,
    DETAIL_SECTIONS,
    DETAILS,
    FACTS,
    NOW,
    SHOWN_FACTS,
    queue_states,
    urgency,
)
from stream.families.cases.snapshot import QUEUE, CasesSnapshot
from stream.families.cases.tables import CASES, COUNTS
from stream.families.cases.tally import CaseTally

__all__ = ["FAMILY"]


def _new_fold(options: FoldOptions) -> CasesFold:
    return CasesFold(
        options.policies,
        max_queues_per_tenant=options.max_queues_per_tenant,
        max_queues=options.max_queues,
        keep_silent=options.keep_silent,
    )


FAMILY: Final[Family[CasesSnapshot]] = Family(
    name="cases",
    summary="What happened to cases, and who wrote to whom.",
    rows="case_queues",
    keyed_by="`tenant/case` in UTF-8, such as `acme/4711`: one partition holds the whole truth of a case.",
    events=EVENTS,
    tables={"counts": COUNTS, "cases": CASES},
    new_fold=_new_fold,
    snapshot=CasesSnapshot,
    counts=CaseTally,
    windows=CASE_WINDOWS,
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
    # The cases of one queue are on many partitions, since their names decide where each is.
    parts=True,
    words="stream.families.cases",
)
