"""Alerts about queues: what callers feel, judged by the policy of each queue, told to its team."""

from collections.abc import Iterator
from datetime import timedelta

from msgspec import Struct

from scripts.alerts.alert import Alert, Recording, Severity
from scripts.alerts.expressions import AWAKE, BY_QUEUE, OPEN, alerted, by_queue, is_not_so, is_so, series, teams

__all__ = ["BURNS", "QUEUE_ALERTS", "QUEUE_RECORDINGS", "Burn"]

BURN = "queue:contact_service_level:burn"
MOST_BURN = "queue:contact_service_level:most_burn"
REPORTED = "tenant:contact_agents:count"

A_MOMENT = timedelta(seconds=15)
"""A hand-over between workers is no alert."""
A_MINUTE = timedelta(minutes=1)
"""One answered call or abandon more or less in a window is no alert, and no all-clear."""
SHORT = "5m"
"""Says that what a longer window shows is still so: it is over when this window is well again."""
AFTERMATH = timedelta(minutes=5)
"""What is critical lingers as long as that, so that what it silences ends before it: one all-clear, no new alert."""

TOLD_THIS_HOUR = (
    f"unless on ({BY_QUEUE}) max_over_time("
    'ALERTS{alertname=~"ContactServiceLevel(Collapsed|Falling|Missed)", alertstate="firing"}[1h])'
)
"""Whoever was told of an hour need not be told that it spoilt the day."""

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
    short: str = SHORT
    share: float
    severity: Severity
    pending: timedelta = A_MINUTE
    lingers: timedelta = A_MINUTE
    """The worse, the longer: a window on its way up passes what is worse first, and that is no new alert."""
    first: str
    """What to do first."""

    @property
    def above(self) -> str:
        """The comparison of a burn rate with the factor, in PromQL."""
        return f"> on ({BY_QUEUE}) (1 + {self.share:g} * ({MOST_BURN} - 1))" if self.share else "> 1"

    def expr(self) -> str:
        """Return the service level of the long window where both windows burn faster than the factor."""
        burns = [
            f'and on ({BY_QUEUE}) ({BURN}{{window="{window}"}} {self.above})' for window in (self.long, self.short)
        ]
        level = by_queue("contact_service_level_ratio", window=self.long)
        condition = [level, *burns, _enough(self.long), *([TOLD_THIS_HOUR] if self.long == "today" else [])]
        return alerted("\n".join(condition), OPEN if self.severity == "critical" else AWAKE)


BURNS = (
    Burn(
        name="ContactServiceLevelCollapsed",
        long="15m",
        share=0.65,
        severity="critical",
        pending=timedelta(seconds=30),
        lingers=AFTERMATH,
        first="Hardly anybody is answered in time: move agents to the queue now.",
    ),
    Burn(
        name="ContactServiceLevelFalling",
        long="1h",
        share=0.25,
        severity="warning",
        lingers=2 * A_MINUTE,
        first="Move agents to the queue, and plan more for the rest of the day.",
    ),
    Burn(
        name="ContactServiceLevelMissed",
        long="30m",
        share=0,
        severity="warning",
        first="Call agents back from breaks.",
    ),
    Burn(
        name="ContactServiceLevelOfTheDay",
        long="today",
        short="1h",
        share=0,
        severity="info",
        first="Nothing at once: tell who plans the staff.",
    ),
)


def _enough(window: str) -> str:
    volume = f"{by_queue('contact_window_decided', window=window)} >= {by_queue('contact_minimum_volume')}"
    return f"and on ({BY_QUEUE}) ({volume})"


def _above_limit(ratio: str, limit: str) -> str:
    over_30m, still = (f"{by_queue(ratio, window=window)} > {by_queue(limit)}" for window in ("30m", SHORT))
    return f"{over_30m}\nand {still}"


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
            lingers=burn.lingers,
        )


def _told(window: str) -> str:
    return "today" if window == "today" else f"over {window}"


def _why(burn: Burn) -> str:
    target = f"{1 - burn.share:.0%} of its target" if burn.share else "its target"
    return f"The service level is below {target}, both {_told(burn.long)} and over {burn.short}. {burn.first}"


QUEUE_RECORDINGS = (
    Recording(name=OPEN, expr=teams("contact_queue_policy_info", is_so("contact_queue_open"))),
    Recording(name=AWAKE, expr=f"{OPEN}\n{is_not_so('contact_queue_quiet')}"),
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
        description="The contact at the head of the queue has waited longer than its limit. Have it taken by hand; "
        "if nobody can, it is stuck in the call system.",
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
        description="For half a minute none of its agents has been available, in a contact or wrapping up. "
        "Get somebody to log in, or close or overflow the queue.",
        pending=timedelta(seconds=30),
        lingers=AFTERMATH,
    ),
    Alert(
        name="ContactAbandonment",
        expr=alerted(
            f"{_above_limit('contact_abandonment_excluding_short_ratio', 'contact_abandonment_limit_ratio')}\n"
            f"{_enough('30m')}",
            AWAKE,
        ),
        severity="warning",
        summary="{where}: {value} gave up over 30m, the limit is {limit}",
        description="More give up than the limit allows, both over 30m and over 5m; short abandons are left out. "
        "Get more agents, or offer callbacks.",
        value="ratio",
        limit="contact_abandonment_limit_ratio",
        pending=A_MINUTE,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactBlocking",
        expr=alerted(
            f"{_above_limit('contact_blocking_ratio', 'contact_blocking_limit_ratio')}\n"
            f"and on ({BY_QUEUE}) (\n"
            f"  {by_queue('contact_window_offered', window='30m')}\n"
            f"  + sum by ({BY_QUEUE}) "
            f"(max by ({BY_QUEUE}, reason) ({series('contact_window_blocked', window='30m')}))\n"
            f"  >= {by_queue('contact_minimum_volume')}\n)",
            AWAKE,
        ),
        severity="warning",
        summary="{where}: {value} did not get in over 30m, the limit is {limit}",
        description="More attempts are turned away than the limit allows, both over 30m and over 5m. "
        "Its dashboard says why: no lines, no places in the queue, or no agents.",
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
        description=f"So many expired over the last hour, more than {GHOSTS_SHARE:.0%} of those offered: "
        "the call system told of no end. Mend the source of its events.",
        pending=A_MINUTE,
        lingers=A_MINUTE,
    ),
)
