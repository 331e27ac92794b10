"""Help desks ready made: one for the demo, a small one for the office."""

from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from stream.core.cloudevents import DEFAULT_TENANT, Channel
from stream.simulator.cases.plan import ALL_WEEK, WORKDAYS, CaseAgentPlan, CaseQueuePlan, CaseShares, HelpDesk
from stream.simulator.times import Length, Shift

__all__ = ["demo_help_desk", "office_help_desk"]

_WORKDAY: Final = (
    *((0.15,) * 6),
    *(0.3, 0.6, 1.0, 1.2, 1.2, 1.1, 0.9, 0.9, 1.0, 0.9, 0.8, 0.6),
    *(0.5, 0.45, 0.4, 0.35, 0.25, 0.2),
)
"""Share of a busy hour's mail, hour by hour: people also write in the evening and at night."""

_SHARES: Final = CaseShares(
    spam=0.05,
    deleted=0.01,
    merged=0.03,
    asked=0.24,
    held=0.07,
    noted=0.3,
    unsaid=0.05,
    by_us=0.03,
    silent=0.2,
    away=0.04,
    thanks=0.15,
    reopened=0.08,
)


def demo_help_desk() -> HelpDesk:
    """
    Return a help desk for two tenants: northwind answers at any hour, fabrikam from Monday to Friday, 7 to 17 o'clock.

    A case takes an agent some minutes, so that a board moves; it lasts for days all the same, since customers are
    asked and think about it.
    """
    # Over night and on Sunday there are fewer, so that some wait until the morning.
    early, late = (
        Shift(starts=timedelta(hours=5), lasts=timedelta(hours=12)),
        Shift(starts=timedelta(hours=16), lasts=timedelta(hours=14)),
    )
    days = Shift(starts=timedelta(hours=7), lasts=timedelta(hours=10))
    return HelpDesk(
        queues=(
            _queue("support", "email", _week(24), tenant="northwind", other="returns", receipts=True),
            _queue("support", "messaging", _week(14), tenant="northwind", other="returns", bot=True, minutes=3),
            _queue("support", "social", _week(5), tenant="northwind", minutes=3),
            _queue("returns", "task", _week(9), tenant="northwind", other="support", receipts=True),
            _queue("claims", "email", _week(6), tenant="fabrikam", receipts=True, minutes=6),
        ),
        agents=(
            *_agents(501, 3, ("support", "returns"), early, tenant="northwind"),
            *_agents(511, 2, ("returns", "support"), early, tenant="northwind", days=WORKDAYS),
            *_agents(521, 2, ("support", "returns"), late, tenant="northwind"),
            *_agents(601, 2, ("claims",), days, tenant="fabrikam", days=WORKDAYS),
        ),
    )


def office_help_desk() -> HelpDesk:
    """Return a help desk of two queues and two agents, from Monday to Friday, 8 to 17 o'clock."""
    shift = Shift(starts=timedelta(hours=8), lasts=timedelta(hours=9))
    return HelpDesk(
        queues=(
            _queue("service", "email", _week(8), other="orders", receipts=True),
            _queue("orders", "task", _week(4), other="service"),
        ),
        agents=(*_agents(231, 2, ("service", "orders"), shift, days=WORKDAYS),),
    )


def _week(busy_hour: float) -> tuple[float, ...]:
    """Return arrivals for each hour of a week: at the weekend a third as many."""
    workday = tuple(busy_hour * share for share in _WORKDAY)
    return (*workday * 5, *(rate / 3 for rate in workday * 2))


def _queue(
    name: str,
    channel: Channel,
    per_hour: tuple[float, ...],
    *,
    tenant: str = DEFAULT_TENANT,
    minutes: float = 5,
    other: str | None = None,
    receipts: bool = False,
    bot: bool = False,
) -> CaseQueuePlan:
    """Return a queue in which an agent works for so many *minutes* on a case at once."""
    at_screen = channel in {"messaging", "social"}
    return CaseQueuePlan(
        name=name,
        tenant=tenant,
        channel=channel,
        per_hour=per_hour,
        work=Length(timedelta(minutes=minutes)),
        # Whoever writes where others chat answers while the talk goes on.
        reply=Length(timedelta(minutes=40) if at_screen else timedelta(hours=6), sigma=1.2),
        hold=Length(timedelta(hours=9), sigma=0.8),
        patience=timedelta(hours=3) if at_screen else timedelta(hours=20),
        receipts=receipts,
        bot=bot,
        shares=_shares(moves=other is not None),
        other=other,
    )


def _shares(*, moves: bool) -> CaseShares:
    return _SHARES if not moves else replace(_SHARES, reassigned=0.06)


def _agents(
    first: int,
    many: int,
    skills: tuple[str, ...],
    shift: Shift,
    *,
    tenant: str = DEFAULT_TENANT,
    days: tuple[int, ...] = ALL_WEEK,
) -> list[CaseAgentPlan]:
    return [
        CaseAgentPlan(id=f"agent-{number}", tenant=tenant, skills=skills, shift=shift, days=days)
        for number in range(first, first + many)
    ]
