"""Centres ready made: a lively one for the demo, an office day for examples, a big one for benchmarks."""

from collections.abc import Iterator
from datetime import timedelta

from msgspec.structs import replace

from stream.core.cloudevents import DEFAULT_TENANT, Channel
from stream.simulator.cases.presets import demo_help_desk, office_help_desk
from stream.simulator.centre import (
    AgentPlan,
    Break,
    Centre,
    DailyHours,
    Exits,
    Holds,
    Length,
    Menu,
    QueuePlan,
    Reports,
    Shift,
    Transfer,
    Trunk,
)
from stream.simulator.customers.presets import demo_customers, office_customers

__all__ = ["busy_centre", "demo_centre", "office_centre"]

OFFICE_CURVE = (
    *((0.02,) * 8),
    *(0.6, 1.0, 1.25, 1.15, 0.75, 0.8, 1.1, 1.05, 0.9, 0.6, 0.3, 0.15),
    *((0.04,) * 4),
)
"""Share of a busy hour's arrivals, hour by hour: the two humps of an inbound day; some try at night."""
BUSY_CURVE = (
    *(0.3, 0.25, 0.2, 0.2, 0.25, 0.4, 0.7, 1.0, 1.4, 1.7, 1.8, 1.7),
    *(1.5, 1.5, 1.6, 1.6, 1.5, 1.3, 1.1, 1.0, 0.9, 0.7, 0.5, 0.4),
)
"""The same for a centre that never closes; adds up to about 24."""
DEMO_CURVE = (1.0, 1.1, 1.2, 1.05, 0.9, 1.0) * 4
"""Waves, but no night: a demo may begin at any hour."""


def demo_centre() -> Centre:
    """
    Return a centre that is lively at any hour: two tenants, six queues, 44 agents in two shifts, 2000 customers.

    `northwind/sales` has too few agents and room for three to wait: it misses its target and blocks. Calls are
    short, so that a board moves within half a minute.
    """
    return Centre(
        name="demo",
        queues=_demo_queues(),
        agents=tuple(_demo_agents()),
        trunks=(Trunk(tenant="northwind", lines=16), Trunk(tenant="fabrikam", lines=6)),
        help_desk=demo_help_desk(),
        customers=demo_customers(),
    )


def office_centre() -> Centre:
    """Return a small office, open 8 to 20 o'clock (UTC): three queues, ten agents, closed outside hours."""
    hours = DailyHours(opens=timedelta(hours=8), closes=timedelta(hours=20))
    return Centre(
        name="office",
        queues=(
            replace(_voice("service", _curve(48, OFFICE_CURVE), capacity=8, to="orders", did="+15550104"), hours=hours),
            replace(_voice("orders", _curve(30, OFFICE_CURVE), capacity=3, to="service", did="+15550105"), hours=hours),
            replace(_digital("service-chat", "chat", _curve(12, OFFICE_CURVE), talk=timedelta(minutes=5)), hours=hours),
        ),
        agents=tuple(_office_agents()),
        trunks=(Trunk(lines=14),),
        help_desk=office_help_desk(),
        customers=office_customers(),
    )


def busy_centre(queues: int, *, agents_per_queue: int = 9, contacts_per_hour: float = 65.0) -> Centre:
    """
    Return a centre for benchmarks: voice *queues* in one tenant, each with its own agents, round the clock.

    A day has about 24 * *contacts_per_hour* contacts per queue, and seven events for each that is answered
    with a hold. Only the contacts are told of; at noon the agents have a little too much to do.
    """
    template = QueuePlan(
        name="template",
        per_hour=_curve(contacts_per_hour, BUSY_CURVE),
        talk=Length(timedelta(seconds=190)),
        wrapup=Length(timedelta(seconds=30)),
        ring=Length(timedelta(seconds=5)),
        patience=timedelta(seconds=120),
        holds=Holds(share=0.9, length=Length(timedelta(seconds=25))),
    )
    names = [f"queue-{number:03}" for number in range(1, queues + 1)]
    return Centre(
        name=f"busy-{queues}",
        queues=tuple(replace(template, name=name) for name in names),
        agents=tuple(
            AgentPlan(id=f"{name}-agent-{number:02}", skills=(name,))
            for name in names
            for number in range(1, agents_per_queue + 1)
        ),
        reports=Reports(arrivals=False, agents=False, wrapup_started=False),
    )


def _demo_queues() -> tuple[QueuePlan, ...]:
    second = timedelta(seconds=1)
    return (
        _voice(
            "sales",
            _curve(135, DEMO_CURVE),
            tenant="northwind",
            capacity=4,
            to="support",
            did="+15550101",
            patience=70 * second,
        ),
        _voice(
            "support",
            _curve(150, DEMO_CURVE),
            tenant="northwind",
            capacity=15,
            to="sales",
            did="+15550102",
            callback=0.05,
        ),
        _digital("support-chat", "chat", _curve(95, DEMO_CURVE), tenant="northwind", talk=170 * second),
        _digital("support-email", "email", _curve(24, DEMO_CURVE), tenant="northwind", talk=200 * second),
        _voice(
            "claims", _curve(95, DEMO_CURVE), tenant="fabrikam", capacity=10, to=None, did="+15550103", callback=0.08
        ),
        _digital("claims-chat", "chat", _curve(60, DEMO_CURVE), tenant="fabrikam", talk=150 * second),
    )


def _demo_agents() -> Iterator[AgentPlan]:
    crew = [
        *_agents("northwind", 101, 4, ("sales",)),
        *_agents("northwind", 111, 5, ("support",)),
        *_agents("northwind", 121, 2, ("support", "sales")),
        *_agents("northwind", 131, 3, ("support-chat",), slots=3),
        *_agents("northwind", 141, 2, ("support-email", "support-chat"), slots=2),
        *_agents("fabrikam", 301, 4, ("claims",)),
        *_agents("fabrikam", 311, 2, ("claims-chat",), slots=3),
    ]
    for number, agent in enumerate(crew):
        yield _on_shift(agent, number, starts=timedelta(hours=5))
        # The same crew once more, twelve hours later: the demo may begin at any hour.
        by_night = replace(agent, id=f"agent-{int(agent.id.removeprefix('agent-')) + 100}")
        yield _on_shift(by_night, number, starts=timedelta(hours=17))


def _on_shift(agent: AgentPlan, number: int, *, starts: timedelta) -> AgentPlan:
    """Give an agent twelve hours and breaks; nobody begins or pauses with everybody else."""
    breaks = tuple(
        Break(
            after=timedelta(minutes=35 + 90 * turn + 7 * (number % 12)),
            lasts=timedelta(minutes=30 if reason == "lunch" else 11),
            reason=reason,
        )
        for turn, reason in enumerate(("break", "coaching", "break", "lunch", "break", "coaching", "break"))
    )
    shift = Shift(starts=starts + timedelta(minutes=5 * number), lasts=timedelta(hours=12, minutes=10))
    return replace(agent, shift=shift, breaks=breaks)


def _office_agents() -> list[AgentPlan]:
    agents = [
        *_agents(DEFAULT_TENANT, 201, 4, ("service", "orders")),
        *_agents(DEFAULT_TENANT, 211, 3, ("orders", "service")),
        *_agents(DEFAULT_TENANT, 221, 3, ("service-chat",), slots=2),
    ]
    lunch = timedelta(minutes=30)
    return [
        replace(
            agent,
            # Two shifts, 8 to 17 and 11 to 20 o'clock, for the hours in which the office is open.
            shift=Shift(starts=timedelta(hours=8 + 3 * (number % 2)), lasts=timedelta(hours=9)),
            breaks=(
                Break(after=timedelta(minutes=100 + 9 * number), lasts=timedelta(minutes=15)),
                Break(after=timedelta(minutes=220 + 12 * number), lasts=lunch, reason="lunch"),
            ),
        )
        for number, agent in enumerate(agents)
    ]


def _agents(tenant: str, first: int, many: int, skills: tuple[str, ...], *, slots: int = 1) -> list[AgentPlan]:
    return [
        AgentPlan(id=f"agent-{number}", tenant=tenant, skills=skills, slots=slots, misses=0.03)
        for number in range(first, first + many)
    ]


def _voice(
    name: str,
    per_hour: tuple[float, ...],
    *,
    to: str | None,
    did: str,
    capacity: int,
    tenant: str = DEFAULT_TENANT,
    patience: timedelta = timedelta(seconds=100),
    callback: float = 0.02,
) -> QueuePlan:
    return QueuePlan(
        name=name,
        tenant=tenant,
        per_hour=per_hour,
        talk=Length(timedelta(seconds=78)),
        wrapup=Length(timedelta(seconds=18)),
        ring=Length(timedelta(seconds=4)),
        patience=patience,
        max_wait=timedelta(minutes=4),
        capacity=capacity,
        turns_away_unstaffed=True,
        menu=Menu(length=Length(timedelta(seconds=9)), self_served=0.05, given_up=0.02),
        exits=Exits(key=0.02, callback=callback),
        holds=Holds(share=0.2, length=Length(timedelta(seconds=20))),
        transfers=(Transfer(to=to, share=0.06), Transfer(to=None, share=0.01)),
        did=did,
    )


def _digital(
    name: str, channel: Channel, per_hour: tuple[float, ...], *, talk: timedelta, tenant: str = DEFAULT_TENANT
) -> QueuePlan:
    chat = channel == "chat"
    return QueuePlan(
        name=name,
        tenant=tenant,
        channel=channel,
        per_hour=per_hour,
        talk=Length(talk),
        wrapup=Length(timedelta(seconds=12)),
        ring=Length(timedelta(seconds=5)),
        # Nobody hangs up on an e-mail, and a mailbox is never full.
        patience=timedelta(minutes=3) if chat else None,
        capacity=20 if chat else None,
    )


def _curve(busy_hour: float, shares: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(busy_hour * share for share in shares)
