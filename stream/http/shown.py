"""What the pages of a worker show."""

from typing import Any

from msgspec import Struct

from stream.core.collector import PageDetail
from stream.core.family import Family
from stream.core.windows import SHOWN_WINDOWS

__all__ = ["Shown"]


class Shown(Struct, frozen=True, kw_only=True):
    """The families, and the windows in which their figures are shown."""

    families: tuple[Family[Any], ...]
    registry: str
    """Where another process of ours finds the same families: `module:NAME`."""
    windows: tuple[str, ...] = SHOWN_WINDOWS
    """Those that a board offers."""
    detail: PageDetail = PageDetail()
    """How much the page of metrics tells."""
