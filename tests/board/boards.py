"""Boards made by hand: what tests and screenshots look at."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from stream.board.view import panels_of
from stream.core.cloudevents import Channel
from stream.core.collector import PageDetail, metric_families
from stream.core.counted import Counted
from stream.core.family import Board, windows_of
from stream.core.samples import MetricFamily
from stream.core.windows import ALL, LIVE_WINDOWS, WINDOWS
from stream.families.agents.snapshot import AgentsSnapshot
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.contacts.rules import Formula, Policy
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally, bucket_of_handle, bucket_of_wait
from stream.families.registry import FAMILIES
from stream.settings import Settings
from stream.status.freshness import Limits

__all__ = [
    "EVERYTHING",
    "LIMITS",
    "NOON",
    "SHOWN",
    "a_board",
    "a_queue",
    "a_tally",
    "agents",
    "families_of",
    "queues_of",
    "rows_of",
    "showing",
    "wall",
]

EVERYTHING = PageDetail(windows=windows_of(FAMILIES), histograms="full")
"""All that a page of metrics can tell."""

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SHOWN = LIVE_WINDOWS
LIMITS = Limits(silent=Settings().stale_after)
"""Those of a deployment that changes nothing."""


def a_tally(
    *,
    in_target: int = 0,
    too_late: int = 0,
    abandoned: int = 0,
    short: int = 0,
    wait_seconds: int = 10,
    blocked: int = 0,
) -> Tally:
    """A window in which all answered waited alike, and every contact was handled in 4:05."""
    answered = in_target + too_late
    tally = Tally(
        offered=answered + abandoned,
        answered=answered,
        answered_in_target=in_target,
        abandoned=abandoned,
        abandoned_in_target=short,
        abandoned_short=short,
        handled=answered,
        blocked_full=blocked,
        answer_wait_ms=answered * wait_seconds * 1000,
        abandon_wait_ms=abandoned * 31_000,
        talk_ms=answered * 200_000,
        hold_ms=answered * 15_000,
        wrapup_ms=answered * 30_000,
    )
    tally.waits[bucket_of_wait(wait_seconds * 1000)] = answered
    tally.handles[bucket_of_handle(245_000)] = answered
    return tally


def a_queue(
    name: str = "support",
    *,
    tenant: str = "acme",
    channel: Channel = "voice",
    tally: Tally | None = None,
    waited: float | None = None,
    waiting: int | None = None,
    past: int = 0,
    at: datetime = NOON,
    formula: Formula = Formula.SHORT_ABANDONS_EXCLUDED,
    target: float = 0.8,
    taken_back: Tally | None = None,
    callbacks: int = 0,
) -> QueueSnapshot:
    """A queue whose windows all show the same; *waited*: seconds of the longest wait."""
    tally = tally or Tally()
    longest = None if waited is None else timedelta(seconds=waited)
    return QueueSnapshot(
        tenant=tenant,
        queue=name,
        channel=channel,
        policy=Policy(formula=formula, target=target),
        waiting=(0 if waited is None else 1) if waiting is None else waiting,
        longest_wait=longest,
        oldest_enqueued_at=None if longest is None else at - longest,
        waiting_past_threshold=past,
        talking=2,
        wrapping_up=1,
        callbacks_waiting=callbacks,
        counted=Counted(
            windows=dict.fromkeys((*SHOWN, ALL), tally.pack()),
            running={unit: Tally().pack() for unit in dict.fromkeys(WINDOWS[name].unit for name in SHOWN)},
            taken_back=taken_back.pack() if taken_back else b"",
        ),
    )


def showing(queue: QueueSnapshot, windows: Mapping[str, Tally]) -> QueueSnapshot:
    """The same queue, with other counts in some windows (`ALL`: in all there ever was)."""
    packed = {name: tally.pack() for name, tally in windows.items()}
    return replace(queue, counted=replace(queue.counted, windows={**queue.counted.windows, **packed}))


def agents(queue: str | None, tenant: str = "acme", **states: int) -> AgentsSnapshot:
    """Agents by state; states not named are 0."""
    known = dict.fromkeys(("available", "reserved", "on_contact", "acw", "not_ready", "error", "offline"), 0)
    return AgentsSnapshot(tenant=tenant, queue=queue, states={**known, **states})


def a_board(
    *queues: QueueSnapshot,
    staff: tuple[AgentsSnapshot, ...] = (),
    cases: tuple[CasesSnapshot, ...] = (),
    at: datetime = NOON,
) -> Board:
    """A board of these queues."""
    return Board(at=at, snapshots={"contacts": queues, "agents": staff, "cases": cases})


def queues_of(board: Board) -> tuple[QueueSnapshot, ...]:
    """The queues of a board."""
    return board.snapshots["contacts"]


def rows_of(board: Board, window: str = "30m") -> list[Any]:
    """What a list shows of the queues of a board, with all details: the worst first; figures are attributes."""
    panel = panels_of(board, FAMILIES, window, detailed=True)["contacts"]
    return [SimpleNamespace(**row) for row in panel.rows]


def families_of(board: Board, detail: PageDetail = EVERYTHING) -> Iterator[MetricFamily]:
    """Every metric family of a board that has a sample; what a worker writes by default is FEW_SERIES."""
    return metric_families(board, FAMILIES, detail)


def wall(at: datetime = NOON) -> Board:
    """Eight queues in every state: what a wall should look good with."""
    return a_board(*_in_trouble(at), *_at_ease(at), staff=_staff(), at=at)


def _in_trouble(at: datetime) -> tuple[QueueSnapshot, ...]:
    support = a_tally(in_target=31, too_late=14, abandoned=9, short=1, wait_seconds=47, blocked=2)
    billing = a_tally(in_target=33, too_late=6, abandoned=1, wait_seconds=18)
    vip = a_tally(in_target=11, too_late=4, abandoned=1, wait_seconds=24)
    sales = a_tally(in_target=41, too_late=6, abandoned=3, wait_seconds=12)
    return (
        a_queue("sales", tally=sales, waited=8, at=at),
        a_queue("support", tally=support, waited=161, waiting=7, past=5, at=at),
        a_queue("billing", tally=billing, waited=33, waiting=2, past=1, at=at),
        a_queue("vip", tally=vip, waited=52, waiting=2, past=2, target=0.9, callbacks=3, at=at),
    )


def _at_ease(at: datetime) -> tuple[QueueSnapshot, ...]:
    chat = a_tally(in_target=62, too_late=4, abandoned=2, wait_seconds=9)
    claims = a_tally(in_target=7, too_late=1, wait_seconds=900)
    return (
        a_queue("returns", tally=a_tally(in_target=18, too_late=1, wait_seconds=7), at=at),
        a_queue("support", channel="chat", tally=chat, waited=4, at=at),
        a_queue("claims-and-complaints", channel="email", tally=claims, waited=5_460, waiting=12, callbacks=1, at=at),
        a_queue("night line", at=at),
    )


def _staff() -> tuple[AgentsSnapshot, ...]:
    return (
        agents("sales", available=3, on_contact=5, acw=1, not_ready=1),
        agents("support", on_contact=11, acw=2, reserved=1, not_ready=3),
        agents("billing", available=1, on_contact=4),
        agents("returns", available=2, on_contact=1),
        agents("vip", on_contact=3, acw=1),
        agents(None, available=6, reserved=1, on_contact=24, acw=4, not_ready=4, offline=9),
    )
