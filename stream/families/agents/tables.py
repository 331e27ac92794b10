"""The bytes of the rows of agents."""

from stream.core.row_codec import RowCodec
from stream.families.agents.fold import AgentKey, AgentRow

__all__ = ["AGENTS"]

AGENTS: RowCodec[AgentKey, AgentRow] = RowCodec(AgentKey, AgentRow, version=2, oldest=2)
