"""What became of what a source was given: how much was used, left out on purpose, or of no use, and why."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, field

from stream.core.cloudevents import Event
from stream.sources.lines import BadLine, SetAside, forget

__all__ = ["MISSED_WHILE_AWAY", "Intake"]

MISSED_WHILE_AWAY = "missed_while_away"
"""The reason of what is known to have happened while nobody listened: it is counted, and never made up."""

NAMES_KEPT = 100
"""Names that nobody knows may be noise: more distinct ones than this are counted together."""

NAME_LENGTH = 80
"""Of a name that nobody knows so much is kept: it stands in a label, and a sender may make it as long as it likes."""


class Intake(Struct):
    """Counts what came in; `read` is the sum of all the others. What is of no use goes to `set_aside`, too."""

    set_aside: SetAside = forget
    read: int = 0
    """Lines, messages or requests."""
    empty: int = 0
    used: Counter[str] = field(default_factory=Counter)
    """By what it was: a verb, a type of event."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Known, and left out on purpose."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Of a kind that is not known, by its name."""
    refused: Counter[str] = field(default_factory=Counter)
    """By reason."""
    sent: int = 0
    """Events that the broker has acknowledged."""
    newest: datetime | None = None
    """Of these the time of the newest; None before the first."""
    connected: dict[str, bool] = field(default_factory=dict)
    """Of each system that is listened to, whether it is heard now."""

    def acknowledged(self, events: Sequence[Event]) -> None:
        """Count events that have arrived."""
        if events:
            newest = max(event.time for event in events)
            self.newest = newest if self.newest is None else max(newest, self.newest)
            self.sent += len(events)

    def ignore(self, name: str) -> None:
        """Count something that is known to be of no use here."""
        self.ignored[name] += 1

    def wonder(self, name: str, bad: BadLine) -> None:
        """Count something of a kind that is not known."""
        name = name[:NAME_LENGTH]
        has_room = name in self.unknown or len(self.unknown) < NAMES_KEPT
        self.unknown[name if has_room else "(others)"] += 1
        self.set_aside(bad)

    def refuse(self, bad: BadLine) -> None:
        """Count something that cannot be used."""
        self.refused[bad.reason] += 1
        self.set_aside(bad)
