"""What a system has to keep of some hours, so that a board which asks it shows what was counted by hand."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from tests.brokers import Broker

__all__ = ["StorySystem", "ToldStory"]


class StorySystem(Struct, frozen=True):
    """A system that somebody of ours can ask."""

    arguments: Sequence[str]
    """What a person types behind `contact-stream source NAME`."""
    goes_on: Callable[[int], Awaitable[None]]
    """Keep what happens in the first half (0) of the story, or in the second (1)."""


class ToldStory(Struct, frozen=True, kw_only=True):
    """Some hours of a system, in two halves; between them whoever asks it is killed."""

    begun: Callable[[Path, Broker], AbstractAsyncContextManager[StorySystem]]
    """Begins the system, which has kept nothing yet; the folder is for files."""
    told: int
    """How many events the first half is."""
    afresh: int
    """How many all of it is to somebody who begins behind it: some systems know no more than how a thing stands."""
    at: datetime
    """When the board is looked at."""
    figures: str
    """What the board has then, counted by hand: lines of `/metrics` with the labels that matter."""
