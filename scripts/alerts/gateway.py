"""Alerts about the HTTP gateway: what was accepted and the broker lacks yet, told to who runs it."""

from datetime import timedelta

from scripts.alerts.alert import Alert
from stream.gateway.gateway_metrics import SET_ASIDE, SPOOL_BROKEN, SPOOL_BYTES, SPOOL_LIMIT, SPOOL_OLDEST

__all__ = ["GATEWAY_ALERTS"]

NO_USE_TO_ACT = ("stale", "unknown_kind", "unknown_topic")
"""
Reasons for which nobody need be woken: a webhook leaves out what came too late, or is of a kind that it does not know.

It is to be seen in `contact_source_inputs_total` when somebody sets a webhook up; a system may add kinds at any time.
"""

GATEWAY_ALERTS = (
    Alert(
        name="ContactGatewaySpooling",
        expr=f"time() - min by (instance) ({SPOOL_OLDEST.name}) > 60",
        severity="warning",
        concerns="feed",
        summary="Gateway {instance} has events for the broker that are {value} old",
        description="It accepts events and keeps them on its disk: for more than a minute the broker has not got them, "
        "and no board shows them. Mend the broker, or the way from the gateway to it.",
        value="seconds",
        pending=timedelta(seconds=15),
        lingers=timedelta(minutes=1),
    ),
    Alert(
        name="ContactGatewaySpoolFull",
        expr=f"max by (instance) ({SPOOL_BYTES.name} / {SPOOL_LIMIT.name} > 0.5 or {SPOOL_BROKEN.name} == 1)",
        severity="critical",
        concerns="feed",
        summary="Gateway {instance} will soon refuse events, or does so already",
        description="Its spool is more than half full, or its disk refuses what is to be kept. "
        "Mend the broker, or give the spool more room.",
        value="ratio",
        pending=timedelta(seconds=15),
        lingers=timedelta(minutes=1),
    ),
    Alert(
        name="ContactGatewaySetAside",
        expr=f'ceil(sum by (instance) (increase({SET_ASIDE.name}{{reason!~"{"|".join(NO_USE_TO_ACT)}"}}[10m]))) > 0',
        severity="warning",
        concerns="feed",
        summary="Gateway {instance} set about {value} events aside in ten minutes",
        description="Brokers will not have them on their topic, or a webhook cannot read them: what they told "
        "is missing. Ask contact-stream dead-letters why, and mend what it says.",
        lingers=timedelta(minutes=1),
    ),
)
