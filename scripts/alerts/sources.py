"""Alerts about sources that run in processes of their own: told to who runs them."""

from datetime import timedelta

from scripts.alerts.alert import Alert
from stream.sources.intake_metrics import CONNECTED, POSITION_FAILURES

__all__ = ["SOURCE_ALERTS"]

SOURCE_ALERTS = (
    Alert(
        name="ContactSourceDisconnected",
        # Of several processes for one system, as after a move, one is enough.
        expr=f"max by (source, system) ({CONNECTED.name}) == 0",
        severity="critical",
        concerns="feed",
        summary="Source {source} does not hear {system}",
        description="For two minutes it could not connect, or log in: what happens there is on no board, and of "
        "systems that say things only once it stays missing. Its log says why.",
        pending=timedelta(minutes=2),
        lingers=timedelta(minutes=1),
    ),
    Alert(
        name="ContactSourcePosition",
        expr=f"ceil(sum by (source) (increase({POSITION_FAILURES.name}[10m]))) > 0",
        severity="warning",
        concerns="feed",
        summary="Source {source} cannot keep its position",
        description="After a restart it begins farther back, and sends again what has arrived, which counts once for "
        "ten minutes only. See whether its disk is full.",
        lingers=timedelta(minutes=1),
    ),
)
