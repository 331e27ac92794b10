"""How long what an agent was reported to do is believed, where nothing is reported any more."""

from datetime import timedelta

from msgspec import Struct

from stream.core import policy_values as read
from stream.core.policies import PolicyKey, Rules

__all__ = ["RULES", "AgentPolicy"]


class AgentPolicy(Struct, frozen=True, kw_only=True):
    """
    How long the agents of a tenant are believed to be in each state.

    Longer than what any of them does takes, so that nobody vanishes from the board at work; short enough
    that whoever is gone, and whose last report was lost, does not stay on it.
    """

    reserved_for: timedelta = timedelta(minutes=5)
    """It rings no longer anywhere; then whoever missed it is where the agent had been before."""
    on_contact_for: timedelta = timedelta(hours=4)
    """As long as an open call is believed to be one. Where agents are on several chats all day: longer."""
    acw_for: timedelta = timedelta(hours=1)
    """Work after a contact takes minutes, seldom half an hour."""
    present_for: timedelta = timedelta(hours=16)
    """Longer than any shift, shorter than from one to the next; since the last sign of life, whatever it was."""

    def busy_for(self, activity: str) -> timedelta:
        """Return how long an activity is believed; what is not listed, as long as a presence."""
        match activity:
            case "reserved":
                return self.reserved_for
            case "on_contact":
                return self.on_contact_for
            case "acw":
                return self.acw_for
            case _:
                return self.present_for


RULES: Rules[AgentPolicy] = Rules(
    policy=AgentPolicy,
    keys={
        "agent_reserved_seconds": PolicyKey("reserved_for", read.some_seconds),
        "agent_on_contact_seconds": PolicyKey("on_contact_for", read.some_seconds),
        "agent_acw_seconds": PolicyKey("acw_for", read.some_seconds),
        "agent_present_seconds": PolicyKey("present_for", read.some_seconds),
    },
)
"""The keys of the policy file that this family reads: for all, or by tenant."""
