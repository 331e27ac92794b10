"""Where panels stand: rows from the top down, each filled from the left to its end, so that none can overlap."""

from collections.abc import Iterable, Sequence

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard
from msgspec import Struct

__all__ = ["COLUMNS", "FULL_HD_ROWS", "Row", "laid_out"]

COLUMNS = 24
"""Of Grafana's grid."""

FULL_HD_ROWS = 24
"""
Grid rows that a screen of 1080 pixels shows without scrolling, with the navigation and the variables above them.

A row is 30 pixels and a gap of 8: 24 of them are 904 pixels; navigation, variables and margins take at most 160.
"""


class Row(Struct, frozen=True):
    """Panels side by side, equally wide unless *widths* are told; a title alone is a heading."""

    height: int
    panels: Sequence[Builder[dashboard.Panel]] = ()
    widths: Sequence[int] = ()
    title: str = ""


def laid_out(rows: Iterable[Row]) -> list[dashboard.Panel | dashboard.RowPanel]:
    """Return the panels with places and numbers; ValueError for a row that is not as wide as the grid."""
    placed: list[dashboard.Panel | dashboard.RowPanel] = []
    y = 0
    for row in rows:
        widths = row.widths or [COLUMNS // max(1, len(row.panels))] * len(row.panels)
        if row.panels and (sum(widths) != COLUMNS or len(widths) != len(row.panels)):
            raise ValueError(f"a row of widths {list(widths)} does not fill {COLUMNS} columns")
        for place, (builder, width) in enumerate(zip(row.panels, widths, strict=True)):
            panel = builder.build()
            panel.id_val = len(placed) + 1
            panel.grid_pos = dashboard.GridPos(h=row.height, w=width, x=sum(widths[:place]), y=y)
            placed.append(panel)
        if not row.panels:
            heading = dashboard.RowPanel(id_val=len(placed) + 1, title=row.title, collapsed=False, panels=[])
            heading.grid_pos = dashboard.GridPos(h=row.height, w=COLUMNS, x=0, y=y)
            placed.append(heading)
        y += row.height
    return placed
