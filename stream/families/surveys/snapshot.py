"""What the board says of satisfaction and quality at an instant. Metrics, live board and replay read the same."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from stream.core.counted import Counted
from stream.core.windows import ALL
from stream.families.surveys.counts import SurveyCounts
from stream.families.surveys.rules import SurveyPolicy

__all__ = ["RATED", "SurveySnapshot"]

RATED: Final = ("tenant", "queue", "channel", "group", "agent")
"""The labels of what is rated; group and agent are empty for the queue as a whole."""


class SurveySnapshot(Struct, frozen=True, kw_only=True):
    """One queue and channel, or a group or agent of it, at the instant of the board."""

    tenant: str
    queue: str
    channel: str
    """Empty where nobody told."""
    group: str
    agent: str
    policy: SurveyPolicy
    counted: Counted
    """In each window, in the period before each, and ever, as packed `SurveyCounts`."""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What it is of."""
        return self.tenant, self.queue, self.channel, self.group, self.agent

    @property
    def windows(self) -> dict[str, SurveyCounts]:
        """What each window, and the period before it, has counted."""
        return {name: self.counted.window(name, SurveyCounts) for name in self.counted.windows if name != ALL}

    def __add__(self, other: "SurveySnapshot") -> "SurveySnapshot":
        """Return both as one: only what stands for all beyond a limit has parts on several partitions."""
        return replace(self, counted=self.counted + other.counted)
