"""From a board to metric families, at the scrape: keeps no figure of its own.

The only place where lengths become float seconds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain, repeat
from operator import attrgetter

from stream.core.policies import Formula, Policy
from stream.core.samples import Block, Buckets, Family, Section, Series, escaped, single
from stream.families.catalogue import COUNTED, REASONED, SUMMED, metric
from stream.families.contacts.snapshot import Board, Figures, QueueSnapshot, figures_of
from stream.families.contacts.tally import Tally

__all__ = ["board_sections", "families_of"]

_QUEUE = ("tenant", "queue", "channel")
_WINDOW = (*_QUEUE, "window")

_ALWAYS = frozenset(
    ("offered", "answered", "answered_in_target", "abandoned", "abandoned_in_target", "abandoned_short", "handled")
)
"""Parts that every window shows. The rest has a sample only where the queue ever had one: most never do."""

_REASONS: Mapping[str, Mapping[str, str]] = {
    prefix: {
        field: field.removeprefix(f"{prefix}_") for field in Tally.__struct_fields__ if field.startswith(f"{prefix}_")
    }
    for prefix in REASONED
}
"""Fields of `Tally` by reason, as field → reason."""

_CORRECTED = (*COUNTED, *_REASONS["dequeued"], *_REASONS["blocked"])

_FIGURES: Mapping[str, str] = {
    "contact_service_level_ratio": "service_level",
    "contact_asa_seconds": "asa_seconds",
    "contact_abandonment_ratio": "abandonment_ratio",
    "contact_abandonment_excluding_short_ratio": "abandonment_excluding_short_ratio",
    "contact_mean_abandon_seconds": "mean_abandon_seconds",
    "contact_blocking_ratio": "blocking_ratio",
    "contact_aht_seconds": "aht_seconds",
}

_PROMISED: Mapping[str, Callable[[Policy], float]] = {
    "contact_service_level_target_ratio": lambda policy: policy.target,
    "contact_service_level_threshold_seconds": lambda policy: policy.threshold.total_seconds(),
    "contact_short_abandon_limit_seconds": lambda policy: policy.short_abandon.total_seconds(),
    "contact_minimum_volume": lambda policy: policy.minimum_volume,
    "contact_longest_wait_limit_seconds": lambda policy: policy.longest_wait_limit.total_seconds(),
    "contact_abandonment_limit_ratio": lambda policy: policy.abandonment_limit,
    "contact_blocking_limit_ratio": lambda policy: policy.blocking_limit,
}

Column = Callable[[str], list[int]]
"""Returns a field of many tallies."""


def board_sections(board: Board) -> dict[str, Section]:
    """Return the sections of a board by name; each is computed when it is called."""
    queues = board.queues
    series = cache(partial(_queue_series, queues))
    ever = cache(partial(_ever, queues))
    return {
        "now": lambda: _now(queues, series()),
        "agents": lambda: _agents(board),
        "policy": lambda: _policies(board, series()),
        "windows": lambda: _windows(queues, series(), ever()),
        "totals": lambda: _totals(queues, series(), ever()),
    }


def families_of(board: Board) -> Iterator[Family]:
    """Yield every family of a board that has a sample."""
    for section in board_sections(board).values():
        yield from section()


def _queue_series(queues: Sequence[QueueSnapshot]) -> Series:
    return Series.of(_QUEUE, [(queue.tenant, queue.queue, queue.channel) for queue in queues])


def _family(name: str, *blocks: Block | Buckets) -> Iterator[Family]:
    family = Family(metric(name), blocks)
    if not family.is_empty:
        yield family


def _now(queues: Sequence[QueueSnapshot], series: Series) -> Iterator[Family]:
    waits = [None if queue.longest_wait is None else queue.longest_wait.total_seconds() for queue in queues]
    yield from _family("contact_open_cases", Block(series, [queue.waiting for queue in queues]))
    yield from _family("contact_longest_wait_seconds", Block(series, waits))
    past = [queue.waiting_past_threshold for queue in queues]
    yield from _family("contact_waiting_past_threshold", Block(series, past))
    yield from _family("contact_talking", Block(series, [queue.talking for queue in queues]))
    yield from _family("contact_wrapping_up", Block(series, [queue.wrapping_up for queue in queues]))
    yield from _family("contact_callbacks_waiting", Block(series, [queue.callbacks_waiting for queue in queues]))


def _agents(board: Board) -> Iterator[Family]:
    by_queue = (
        ((agents.tenant, agents.queue, state), count)
        for agents in board.agents
        if agents.queue is not None
        for state, count in agents.states.items()
    )
    by_tenant = (
        ((agents.tenant, state), count)
        for agents in board.agents
        if agents.queue is None
        for state, count in agents.states.items()
    )
    yield from single(metric("contact_agents"), by_queue)
    yield from single(metric("contact_tenant_agents"), by_tenant)


def _policies(board: Board, series: Series) -> Iterator[Family]:
    policies = [queue.policy for queue in board.queues]
    for name, value in _PROMISED.items():
        yield from _family(name, Block(series, [value(policy) for policy in policies]))
    yield from _family("contact_queue_open", Block(series, [int(policy.is_open(board.at)) for policy in policies]))
    quiet = [None if (now := policy.is_quiet(board.at)) is None else int(now) for policy in policies]
    yield from _family("contact_queue_quiet", Block(series, quiet))
    judged = Series(
        [(*values, one.formula.value, one.team) for values, one in zip(series.values, policies, strict=True)],
        [f"{text},{_judge(one.formula, one.team)}" for text, one in zip(series.texts, policies, strict=True)],
    )
    yield from _family("contact_queue_policy_info", Block(judged, [1] * len(policies)))


@cache
def _judge(formula: Formula, team: str) -> str:
    return f'formula="{formula.value}",team="{escaped(team)}"'


def _windows(queues: Sequence[QueueSnapshot], by_queue: Series, ever: Sequence[Tally]) -> Iterator[Family]:
    named = [(queue, name, tally) for queue in queues for name, tally in queue.windows.items()]
    if not named:
        return
    series = _window_series(queues, by_queue)
    yield from _figures(series, [figures_of(tally, queue.policy) for queue, _, tally in named])
    column = partial(_column, [tally for _, _, tally in named])
    part = partial(_part, series, column, partial(_column, ever), [len(queue.windows) for queue in queues])
    decided = [tally.decided for _, _, tally in named]
    yield from _family("contact_window_decided", Block(series, decided))
    for field in COUNTED:
        block = Block(series, column(field)) if field in _ALWAYS else part(field)
        yield from _family(f"contact_window_{field}", block)
    for prefix, reasons in _REASONS.items():
        yield from _family(f"contact_window_{prefix}", *(part(field, reason) for field, reason in reasons.items()))
    for field in SUMMED:
        yield from _family(f"contact_window_{field}_seconds", Block(series, _seconds(column(f"{field}_ms"))))


def _window_series(queues: Sequence[QueueSnapshot], by_queue: Series) -> Series:
    """Label sets of every window of every queue; the label text of a queue is rendered once for all its windows."""
    rows = list(zip(queues, by_queue.values, by_queue.texts, strict=True))
    return Series(
        [(*values, name) for queue, values, _ in rows for name in queue.windows],
        [f'{text},window="{name}"' for queue, _, text in rows for name in queue.windows],
    )


def _figures(series: Series, figures: Sequence[Figures]) -> Iterator[Family]:
    for name, field in _FIGURES.items():
        yield from _family(name, Block(series, [*map(attrgetter(field), figures)]))


def _column(tallies: Sequence[Tally], field: str) -> list[int]:
    """Return a field of many tallies: one by one, since all of them at once would hold up the events."""
    return [*map(attrgetter(field), tallies)]


def _ever(queues: Sequence[QueueSnapshot]) -> list[Tally]:
    """Return what was ever shown, corrections not subtracted: the one thing about a queue that never goes down."""
    shown = (queue.total if queue.inferred is None else queue.total - queue.inferred for queue in queues)
    return [tally + queue.taken_back for tally, queue in zip(shown, queues, strict=True)]


def _part(
    series: Series, column: Column, ever: Column, windows: Sequence[int], field: str, reason: str | None = None
) -> Block:
    """Return the samples of *field* in the windows of those queues (each has so many *windows*) that ever had one."""
    once = ever(field)
    if not any(once):
        return Block(series, (), reason)
    samples: Sequence[int | None] = column(field)
    if not all(once):
        seen = chain.from_iterable(map(repeat, once, windows))
        samples = [count if shown else None for count, shown in zip(samples, seen, strict=True)]
    return Block(series, samples, reason)


def _seconds(column: Sequence[int]) -> list[float]:
    return [milliseconds / 1000 for milliseconds in column]


def _totals(queues: Sequence[QueueSnapshot], series: Series, ever: Sequence[Tally]) -> Iterator[Family]:
    if not queues:
        return
    column = partial(_column, ever)
    for field in COUNTED:
        yield from _family(f"contact_{field}_total", Block(series, column(field)))
    for prefix, reasons in _REASONS.items():
        blocks = [Block(series, column(field), reason) for field, reason in reasons.items()]
        yield from _family(f"contact_{prefix}_total", *blocks)
    for field in SUMMED:
        if field != "answer_wait":
            yield from _family(f"contact_{field}_seconds_total", Block(series, _seconds(column(f"{field}_ms"))))
    yield from _corrections(series, queues)
    yield from _histograms(series, ever)


def _corrections(series: Series, queues: Sequence[QueueSnapshot]) -> Iterator[Family]:
    column = partial(_column, [queue.taken_back for queue in queues])
    blocks = [Block(series, [count or None for count in column(field)], field) for field in _CORRECTED]
    yield from _family("contact_corrections_total", *blocks)


def _histograms(series: Series, ever: Sequence[Tally]) -> Iterator[Family]:
    waited = Buckets(series, [tally.waits for tally in ever], [tally.answer_wait_ms / 1000 for tally in ever])
    handled = Buckets(series, [tally.handles for tally in ever], [tally.handle_ms / 1000 for tally in ever])
    yield from _family("contact_wait_seconds", waited)
    yield from _family("contact_handle_seconds", handled)
