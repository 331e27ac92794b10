"""Alerts about queues: what callers feel, judged by the policy of each queue, told to its team."""

from collections.abc import Iterator
from datetime import timedelta

from msgspec import Struct

from scripts.alerts.alert import Alert, Recording, Severity
from scripts.alerts.expressions import AWAKE, BY_QUEUE, OPEN, alerted, by_queue, series

__all__ = ["BURNS", "QUEUE_ALERTS", "QUEUE_RECORDINGS", "Burn"]

BURN = "queue:contact_service_level:burn"
MOST_BURN = "queue:contact_service_level:most_burn"
REPORTED = "tenant:contact_agents:count"

A_MOMENT = timedelta(seconds=15)
"""A hand-over between workers is no alert."""
A_MINUTE = timedelta(minutes=1)
"""One answered call or abandon more or less in a window is no alert, and no all-clear."""

LIVE = "voice|chat|video"
"""Channels on which a customer who waits does nothing else."""
AT_WORK = "available|reserved|on_contact|acw"
"""States of agents who serve the queue, now or next."""

GHOSTS_SHARE = 0.05
"""Some ends of contacts get lost everywhere; so large a share says that the source loses them."""


class Burn(Struct, frozen=True, kw_only=True):
    """
    How fast a queue may miss its target: two windows, since one alone is slow to fire or slow to end.

    The burn rate is the share missed, in multiples of what the target allows. It cannot exceed
    1 ÷ (1 - target): 5 at 80 %, so the 14.4 and 6 that are usual for 99.9 % could never be reached. Hence the
    factor is a *share* of the way from 1 (just missed) to that most: 1 + share × (most - 1). In other words,
    the service level is below target × (1 - share): reachable for every target.
    """

    name: str
    long: str
    short: str
    share: float
    severity: Severity
    pending: timedelta

    @property
    def above(self) -> str:
        """The comparison of a burn rate with the factor, in PromQL."""
        return f"> on ({BY_QUEUE}) (1 + {self.share:g} * ({MOST_BURN} - 1))" if self.share else "> 1"

    def expr(self) -> str:
        """Return the service level of the long window where both windows burn faster than the factor."""
        burns = [
            f'and on ({BY_QUEUE}) ({BURN}{{window="{window}"}} {self.above})' for window in (self.long, self.short)
        ]
        condition = [by_queue("contact_service_level_ratio", window=self.long), *burns, _enough(self.long)]
        return alerted("\n".join(condition), OPEN if self.severity == "critical" else AWAKE)


BURNS = (
    Burn(
        name="ContactServiceLevelCollapsed",
        long="15m",
        short="5m",
        share=0.65,
        severity="critical",
        pending=timedelta(seconds=30),
    ),
    Burn(name="ContactServiceLevelFalling", long="1h", short="15m", share=0.25, severity="warning", pending=A_MINUTE),
    Burn(name="ContactServiceLevelMissed", long="30m", short="5m", share=0, severity="warning", pending=A_MINUTE),
    Burn(name="ContactServiceLevelOfTheDay", long="today", short="1h", share=0, severity="info", pending=A_MINUTE),
)


def _enough(window: str) -> str:
    volume = f"{by_queue('contact_window_decided', window=window)} >= {by_queue('contact_minimum_volume')}"
    return f"and on ({BY_QUEUE}) ({volume})"


def _service_levels() -> Iterator[Alert]:
    for burn in BURNS:
        yield Alert(
            name=burn.name,
            expr=burn.expr(),
            severity=burn.severity,
            summary=f"{{where}}: service level {{value}} {_told(burn.long)}, the target is {{limit}}",
            description=_why(burn),
            value="ratio",
            limit="contact_service_level_target_ratio",
            pending=burn.pending,
            lingers=A_MINUTE,
        )


def _told(window: str) -> str:
    return "today" if window == "today" else f"over {window}"


def _why(burn: Burn) -> str:
    both = f"both {_told(burn.long)} and over {burn.short}"
    if not burn.share:
        return f"The service level is below its target, {both}."
    return f"The service level is below {1 - burn.share:.0%} of its target, {both}: callers wait far too long."


QUEUE_RECORDINGS = (
    Recording(
        name=OPEN,
        # One team, also while workers come to know of another: a join must not find two.
        expr=f"topk by ({BY_QUEUE}) (1, max by ({BY_QUEUE}, team) ({series('contact_queue_policy_info')}))\n"
        f"and on ({BY_QUEUE}) ({by_queue('contact_queue_open')} == 1)",
    ),
    Recording(name=AWAKE, expr=f"{OPEN}\nunless on ({BY_QUEUE}) ({by_queue('contact_queue_quiet')} == 1)"),
    Recording(name=MOST_BURN, expr=f"1 / (1 - {by_queue('contact_service_level_target_ratio')})"),
    Recording(
        name=BURN,
        expr=f"(1 - max by ({BY_QUEUE}, window) ({series('contact_service_level_ratio')}))\n"
        f"/ on ({BY_QUEUE}) group_left () (1 - {by_queue('contact_service_level_target_ratio')})",
    ),
    Recording(name=REPORTED, expr=f"count by (tenant) ({series('contact_agents')})"),
)

QUEUE_ALERTS = (
    *_service_levels(),
    Alert(
        name="ContactLongestWait",
        expr=alerted(
            f"{by_queue('contact_longest_wait_seconds')}\n> {by_queue('contact_longest_wait_limit_seconds')}", AWAKE
        ),
        severity="warning",
        summary="{where}: somebody has waited for {value}, the limit is {limit}",
        description="The contact at the head of the queue has waited longer than the queue's limit.",
        value="seconds",
        limit="contact_longest_wait_limit_seconds",
        pending=A_MOMENT,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactNobodyAvailable",
        expr=alerted(
            f"{by_queue('contact_open_cases', channel=LIVE)} > 0\n"
            f"unless on (tenant, queue) (sum by (tenant, queue) ({series('contact_agents', state=AT_WORK)}) > 0)\n"
            # Who reports no agents at all has not lost them.
            f"and on (tenant) (count_over_time({REPORTED}[1d]) > 0)",
            OPEN,
        ),
        severity="critical",
        summary="{where}: {value} waiting, and no agent at work",
        description="Customers wait in the queue, and none of its agents is available, in a contact or wrapping up.",
        pending=timedelta(seconds=30),
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactAbandonment",
        expr=alerted(
            f"{by_queue('contact_abandonment_excluding_short_ratio', window='30m')}\n"
            f"> {by_queue('contact_abandonment_limit_ratio')}\n{_enough('30m')}",
            AWAKE,
        ),
        severity="warning",
        summary="{where}: {value} gave up over 30m, the limit is {limit}",
        description="More customers give up while they wait than the limit allows; short abandons are left out.",
        value="ratio",
        limit="contact_abandonment_limit_ratio",
        pending=A_MINUTE,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactBlocking",
        expr=alerted(
            f"{by_queue('contact_blocking_ratio', window='30m')}\n> {by_queue('contact_blocking_limit_ratio')}\n"
            f"and on ({BY_QUEUE}) (\n"
            f"  {by_queue('contact_window_offered', window='30m')}\n"
            f"  + sum by ({BY_QUEUE}) "
            f"(max by ({BY_QUEUE}, reason) ({series('contact_window_blocked', window='30m')}))\n"
            f"  >= {by_queue('contact_minimum_volume')}\n)",
            AWAKE,
        ),
        severity="warning",
        summary="{where}: {value} did not get in over 30m, the limit is {limit}",
        description="More attempts are turned away before the queue (full, no lines, no agents) than its limit allows.",
        value="ratio",
        limit="contact_blocking_limit_ratio",
        pending=A_MINUTE,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactGhosts",
        expr=alerted(
            f"{by_queue('contact_window_expired', window='1h')}\n"
            f"> {GHOSTS_SHARE} * {by_queue('contact_window_offered', window='1h')}",
            AWAKE,
        ),
        severity="info",
        summary="{where}: the end of {value} contacts was never reported",
        description="So many expired over the last hour: the call system told of their entry, never of their end.",
        pending=A_MINUTE,
        lingers=A_MINUTE,
    ),
)
