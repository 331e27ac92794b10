"""Small centres for tests: drawn at random, and made by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from stream.core.cloudevents import Channel, Event
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
    Shift,
    Transfer,
    Trunk,
)
from stream.simulator.engine import simulate

__all__ = ["START", "centres", "played", "seeds", "single_queue"]

START = datetime(2024, 3, 4, 9, 30, tzinfo=UTC)

seeds = st.integers(0, 2**32)
shares = st.sampled_from([0.0, 0.1, 0.5])
seconds = st.integers(0, 300).map(lambda s: timedelta(seconds=s))
lengths = st.builds(Length, seconds, st.sampled_from(["constant", "exponential", "lognormal"]))


def played(centre: Centre, *, seed: int = 1, hours: float = 1.0) -> Iterator[Event]:
    return simulate(centre, start=START, end=START + timedelta(hours=hours), seed=seed)


def single_queue(*agents: AgentPlan, **plan: object) -> Centre:
    """One voice queue named `queue`, a contact a minute, calls of one minute; *plan* says what is otherwise."""
    usual = {"name": "queue", "per_hour": (60.0,), "talk": Length(timedelta(minutes=1))}
    queue = QueuePlan(**(usual | plan))  # type: ignore[arg-type]  # a dict of any fields
    return Centre(name="test", queues=(queue,), agents=agents or (AgentPlan(id="ann", skills=("queue",)),))


@st.composite
def queue_plans(draw: st.DrawFn, name: str, channel: Channel, others: list[str]) -> QueuePlan:
    return QueuePlan(
        name=name,
        channel=channel,
        per_hour=draw(st.sampled_from([(40.0,), (150.0,), tuple(float(20 * (h % 7)) for h in range(24))])),
        talk=draw(lengths),
        wrapup=draw(lengths),
        ring=draw(st.sampled_from([Length(timedelta(0)), Length(timedelta(seconds=6))])),
        patience=draw(st.none() | st.just(timedelta(seconds=45))),
        max_wait=draw(st.none() | st.just(timedelta(seconds=90))),
        capacity=draw(st.none() | st.integers(0, 3)),
        hours=draw(st.none() | st.just(DailyHours(opens=timedelta(hours=9), closes=timedelta(hours=10)))),
        turns_away_unstaffed=draw(st.booleans()),
        menu=draw(st.none() | st.just(Menu(length=Length(timedelta(seconds=10)), self_served=0.1, given_up=0.1))),
        exits=Exits(key=draw(shares), callback=draw(shares)),
        holds=Holds(share=draw(shares), length=draw(lengths)),
        transfers=(Transfer(to=draw(st.sampled_from([None, *others])), share=draw(shares)),),
    )


@st.composite
def agent_plans(draw: st.DrawFn, number: int, names: list[str]) -> AgentPlan:
    shift = Shift(starts=timedelta(minutes=draw(st.integers(500, 620))), lasts=timedelta(minutes=40))
    return AgentPlan(
        id=f"agent-{number}",
        skills=tuple(draw(st.lists(st.sampled_from(names), min_size=1, unique=True))),
        shift=draw(st.none() | st.just(shift)),
        breaks=(Break(after=timedelta(minutes=draw(st.integers(0, 50))), lasts=timedelta(minutes=10)),),
        slots=draw(st.integers(1, 3)),
        misses=draw(shares),
    )


@st.composite
def centres(draw: st.DrawFn) -> Centre:
    """One to three queues and up to five agents, in every mixture of what a plan may say."""
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    channels: list[Channel] = ["voice", "chat", "email"]
    return Centre(
        name="drawn",
        queues=tuple(draw(queue_plans(name, draw(st.sampled_from(channels)), names)) for name in names),
        agents=tuple(draw(agent_plans(number, names)) for number in range(draw(st.integers(0, 5)))),
        trunks=draw(st.sampled_from([(), (Trunk(lines=3),)])),
    )
