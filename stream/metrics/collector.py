"""From a board to metric families, at the scrape: keeps no figure of its own.

The only place where lengths become float seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain, repeat

from msgspec.structs import astuple

from stream.domain.snapshot import Board, Figures, QueueSnapshot, figures_of
from stream.domain.tally import Tally
from stream.metrics.catalogue import COUNTED, REASONED, SUMMED, metric
from stream.metrics.family import Block, Buckets, Family, Section, Series, single

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

Columns = Mapping[str, Sequence[int]]


def board_sections(board: Board) -> dict[str, Section]:
    """Return the sections of a board by name; each is computed when it is called."""
    queues = board.queues
    series = cache(partial(_queue_series, queues))
    ever = cache(partial(_ever, queues))
    return {
        "now": lambda: _now(queues, series()),
        "agents": lambda: _agents(board),
        "policy": lambda: _policies(queues, series()),
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


def _policies(queues: Sequence[QueueSnapshot], series: Series) -> Iterator[Family]:
    policies = [queue.policy for queue in queues]
    thresholds = [policy.threshold.total_seconds() for policy in policies]
    limits = [policy.short_abandon.total_seconds() for policy in policies]
    yield from _family("contact_service_level_target_ratio", Block(series, [policy.target for policy in policies]))
    yield from _family("contact_service_level_threshold_seconds", Block(series, thresholds))
    yield from _family("contact_short_abandon_limit_seconds", Block(series, limits))
    judged = [((queue.tenant, queue.queue, queue.channel, queue.policy.formula.value), 1) for queue in queues]
    yield from single(metric("contact_queue_policy_info"), judged)


def _windows(queues: Sequence[QueueSnapshot], by_queue: Series, ever: Sequence[Tally]) -> Iterator[Family]:
    named = [(queue, name, tally) for queue in queues for name, tally in queue.windows.items()]
    if not named:
        return
    series = _window_series(queues, by_queue)
    yield from _figures(series, [figures_of(tally, queue.policy) for queue, _, tally in named])
    columns = _columns([tally for _, _, tally in named])
    part = partial(_part, series, columns, _columns(ever), [len(queue.windows) for queue in queues])
    decided = [tally.decided for _, _, tally in named]
    yield from _family("contact_window_decided", Block(series, decided))
    for field in COUNTED:
        block = Block(series, columns[field]) if field in _ALWAYS else part(field)
        yield from _family(f"contact_window_{field}", block)
    for prefix, reasons in _REASONS.items():
        yield from _family(f"contact_window_{prefix}", *(part(field, reason) for field, reason in reasons.items()))
    for field in SUMMED:
        yield from _family(f"contact_window_{field}_seconds", Block(series, _seconds(columns[f"{field}_ms"])))


def _window_series(queues: Sequence[QueueSnapshot], by_queue: Series) -> Series:
    """Label sets of every window of every queue; the label text of a queue is rendered once for all its windows."""
    rows = list(zip(queues, by_queue.values, by_queue.texts, strict=True))
    return Series(
        [(*values, name) for queue, values, _ in rows for name in queue.windows],
        [f'{text},window="{name}"' for queue, _, text in rows for name in queue.windows],
    )


def _figures(series: Series, figures: Sequence[Figures]) -> Iterator[Family]:
    columns = dict(zip(Figures.__struct_fields__, zip(*map(astuple, figures), strict=True), strict=True))
    for name, field in _FIGURES.items():
        yield from _family(name, Block(series, columns[field]))


def _columns(tallies: Sequence[Tally]) -> Columns:
    """Return the fields of many tallies (at least one) as columns: transposed by C, not by a loop for each figure."""
    return dict(zip(Tally.__struct_fields__, zip(*map(astuple, tallies), strict=True), strict=True))


def _ever(queues: Sequence[QueueSnapshot]) -> list[Tally]:
    """Return what was ever counted, corrections not subtracted: the one thing about a queue that never goes down."""
    return [queue.total + queue.taken_back for queue in queues]


def _part(
    series: Series, columns: Columns, ever: Columns, windows: Sequence[int], field: str, reason: str | None = None
) -> Block:
    """Return the samples of *field* in the windows of those queues (each has so many *windows*) that ever had one."""
    samples: Sequence[int | None] = columns[field]
    if not any(ever[field]):
        samples = ()
    elif not all(ever[field]):
        seen = chain.from_iterable(map(repeat, ever[field], windows))
        samples = [count if once else None for count, once in zip(samples, seen, strict=True)]
    return Block(series, samples, reason)


def _seconds(column: Sequence[int]) -> list[float]:
    return [milliseconds / 1000 for milliseconds in column]


def _totals(queues: Sequence[QueueSnapshot], series: Series, ever: Sequence[Tally]) -> Iterator[Family]:
    if not queues:
        return
    columns = _columns(ever)
    for field in COUNTED:
        yield from _family(f"contact_{field}_total", Block(series, columns[field]))
    for prefix, reasons in _REASONS.items():
        blocks = [Block(series, columns[field], reason) for field, reason in reasons.items()]
        yield from _family(f"contact_{prefix}_total", *blocks)
    for field in SUMMED:
        if field != "answer_wait":
            yield from _family(f"contact_{field}_seconds_total", Block(series, _seconds(columns[f"{field}_ms"])))
    yield from _corrections(series, queues)
    yield from _histograms(series, ever)


def _corrections(series: Series, queues: Sequence[QueueSnapshot]) -> Iterator[Family]:
    columns = _columns([queue.taken_back for queue in queues])
    blocks = [Block(series, [count or None for count in columns[field]], field) for field in _CORRECTED]
    yield from _family("contact_corrections_total", *blocks)


def _histograms(series: Series, ever: Sequence[Tally]) -> Iterator[Family]:
    waited = Buckets(series, [tally.waits for tally in ever], [tally.answer_wait_ms / 1000 for tally in ever])
    handled = Buckets(series, [tally.handles for tally in ever], [tally.handle_ms / 1000 for tally in ever])
    yield from _family("contact_wait_seconds", waited)
    yield from _family("contact_handle_seconds", handled)
