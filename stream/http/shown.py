"""What the pages of a worker show."""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from stream.core.collector import PageDetail
from stream.core.family import Family

__all__ = ["Shown"]


class Shown(Struct, frozen=True, kw_only=True):
    """The families, and the windows in which their figures are shown."""

    families: tuple[Family[Any], ...]
    registry: str
    """Where another process of ours finds the same families: `module:NAME`."""
    windows: tuple[str, ...] | None = None
    """Those that a board offers; None: all that one of the families has."""
    detail: PageDetail = PageDetail()
    """How much the page of metrics tells."""

    def on_the_board(self) -> tuple[Family[Any], ...]:
        """Return the families as a board has them: each with just its windows among those that are offered."""
        return tuple(replace(one, windows=one.windows_among(self.windows or ())) for one in self.families)
