"""The simulator against queueing theory: figures measured from its events, beside what Erlang's formulas say.

A figure agrees if the formula lies within the 99.9 % confidence interval of the run (method of batch means: Law,
Simulation Modeling and Analysis). The interval comes from the run alone, so a wrong formula is found out.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import fmean, stdev

from msgspec import Struct
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.families.contacts.events import ContactAbandoned, ContactAnswered, ContactBlocked
from stream.simulator.callers import MILLISECOND
from stream.simulator.centre import AgentPlan, Centre, Length, QueuePlan, Reports, Trunk
from stream.simulator.engine import simulate
from tests.simulator.erlang import erlang_a, erlang_b, erlang_c

__all__ = ["ENDLESS", "IMPATIENT", "NO_ROOM", "Finding", "Station", "check", "compare", "expected"]

BATCHES = 30
STUDENT_T = 3.659
"""Two-sided 99.9 % quantile of Student's t with BATCHES - 1 degrees of freedom."""
# The usual one, of a service level of 80/20.
THRESHOLD = timedelta(seconds=20)
START = datetime(2024, 1, 1, tzinfo=UTC)


class Station(Struct, frozen=True, kw_only=True):
    """One queue with constant arrivals and exponential service."""

    arrivals_per_hour: float
    service: timedelta
    agents: int
    patience: timedelta | None = None
    lines: int | None = None
    """With as many lines as agents nobody ever waits: Erlang's loss system."""


# 7.5, 10.5 and 8 erlangs for ten agents. More than ten erlangs are only borne where customers give up.
ENDLESS = Station(arrivals_per_hour=150.0, service=timedelta(minutes=3), agents=10)
IMPATIENT = Station(arrivals_per_hour=210.0, service=timedelta(minutes=3), agents=10, patience=timedelta(minutes=2))
NO_ROOM = Station(arrivals_per_hour=160.0, service=timedelta(minutes=3), agents=10, lines=10)


class Finding(Struct, frozen=True, kw_only=True):
    """One figure of the run beside theory. Ratios, and seconds where the name says so."""

    model: str
    figure: str
    measured: float
    error: float
    """Half the width of the confidence interval."""
    expected: float

    @property
    def agrees(self) -> bool:
        """Whether theory lies within the statistical error of the run."""
        return abs(self.measured - self.expected) <= self.error


def check(*, seed: int = 1, contacts: int = 100_000) -> list[Finding]:
    """Run a queue of each kind, about *contacts* contacts long, and return each figure beside its theory."""
    stations = (ENDLESS, IMPATIENT, NO_ROOM)
    return [finding for station in stations for finding in compare(station, station, seed=seed, contacts=contacts)]


def compare(played: Station, theory: Station, *, seed: int, contacts: int) -> list[Finding]:
    """Return the measured figures of *played* beside those of *theory*; two that differ show that this can fail."""
    model, figures = expected(theory)
    # Waits of neighbours depend on each other, so their spread would make the interval too narrow; means of
    # long batches are nearly independent.
    batches = _batches(_outcomes(_play(played, seed)), contacts // BATCHES)
    measured = {name: [_figure(name, batch) for batch in batches] for name in figures}
    return [
        Finding(
            model=model,
            figure=name,
            measured=fmean(values),
            error=STUDENT_T * stdev(values) / BATCHES**0.5,
            expected=figures[name],
        )
        for name, values in measured.items()
    ]


def expected(station: Station) -> tuple[str, dict[str, float]]:
    """Return the name of the model that a station follows, and its figures."""
    rate, service, agents = station.arrivals_per_hour, station.service, station.agents
    if station.lines is not None:
        return "Erlang B", {"blocked": erlang_b(rate * (service / timedelta(hours=1)), agents)}
    if station.patience is None:
        c = erlang_c(rate, service, agents)
        return "Erlang C", {
            "had to wait": c.wait_probability,
            "ASA (seconds)": c.asa.total_seconds(),
            "service level (20 s)": c.service_level(THRESHOLD),
        }
    a = erlang_a(rate, service, agents, station.patience)
    return "Erlang A", {
        "had to wait": a.wait_probability,
        "abandoned": a.abandonment_probability,
        "ASA (seconds)": a.asa.total_seconds(),
    }


class _Outcome(Struct, frozen=True):
    """How one contact fared; `wait_ms` is None when it was blocked."""

    answered: bool
    wait_ms: int | None


def _play(station: Station, seed: int) -> Iterator[Event]:
    """Play the station for ever."""
    # What the formulas assume, and nothing else: constant rates, exponential talk and patience, no ring, no
    # wrap-up.
    queue = QueuePlan(
        name="queue",
        per_hour=(station.arrivals_per_hour,),
        talk=Length(station.service, "exponential"),
        patience=station.patience,
    )
    centre = Centre(
        name="check",
        queues=(queue,),
        agents=tuple(AgentPlan(id=f"agent-{n}", skills=("queue",)) for n in range(station.agents)),
        reports=Reports(arrivals=False, agents=False, wrapup_started=False),
    )
    if station.lines is not None:
        centre = replace(centre, trunks=(Trunk(lines=station.lines),))
    # Without an end: as many contacts are taken of it as the batches need.
    return simulate(centre, start=START, end=datetime.max.replace(tzinfo=UTC), seed=seed)


def _outcomes(events: Iterable[Event]) -> Iterator[_Outcome]:
    for event in events:
        match event:
            case ContactAnswered():
                yield _Outcome(answered=True, wait_ms=event.data.wait_ms)
            case ContactAbandoned():
                yield _Outcome(answered=False, wait_ms=event.data.wait_ms)
            case ContactBlocked():
                yield _Outcome(answered=False, wait_ms=None)
            case _:
                pass


def _batches(outcomes: Iterator[_Outcome], size: int) -> list[list[_Outcome]]:
    """Cut a run into batches; the first is thrown away, because the queue begins empty."""
    return [list(islice(outcomes, size)) for _ in range(BATCHES + 1)][1:]


def _figure(name: str, batch: Sequence[_Outcome]) -> float:
    answered = [outcome.wait_ms or 0 for outcome in batch if outcome.answered]
    match name:
        case "blocked":
            return sum(outcome.wait_ms is None for outcome in batch) / len(batch)
        case "abandoned":
            # Whoever was not answered has given up: this station blocks nobody.
            return 1 - len(answered) / len(batch)
        case "had to wait":
            return sum(outcome.wait_ms != 0 for outcome in batch) / len(batch)
        case "ASA (seconds)":
            return fmean(answered) / 1000
        case _:
            return sum(wait <= THRESHOLD / MILLISECOND for wait in answered) / len(batch)
