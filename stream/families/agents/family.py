"""Agents: who is on duty, what each chose and was seen doing, and which queues each serves."""

from typing import Final

from stream.core.family import Family, FoldOptions
from stream.families.agents.events import EVENTS
from stream.families.agents.figures import BESIDE, FACTS, FIGURES
from stream.families.agents.fold import AgentsFold
from stream.families.agents.rules import RULES
from stream.families.agents.snapshot import AgentsSnapshot
from stream.families.agents.tables import AGENTS

__all__ = ["FAMILY"]


def _new_fold(options: FoldOptions) -> AgentsFold:
    return AgentsFold(
        options.policies, max_queues_per_tenant=options.max_queues_per_tenant, max_queues=options.max_queues
    )


FAMILY: Final[Family[AgentsSnapshot]] = Family(
    name="agents",
    summary="What agents do.",
    rows="agents",
    keyed_by="`tenant/agent` in UTF-8, such as `acme/agent-23`: one partition holds the whole truth of an agent.",
    events=EVENTS,
    tables={"agents": AGENTS},
    new_fold=_new_fold,
    snapshot=AgentsSnapshot,
    labels=("tenant", "queue"),
    figures=FIGURES,
    facts=FACTS,
    rules=RULES,
    # The agents of one queue are on many partitions, since their names decide where each is.
    parts=True,
    beside=BESIDE,
)
