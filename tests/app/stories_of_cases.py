"""What may happen to a case, drawn at random: also what no help desk should do, such as merging what is solved."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from stream.families.cases import events as e
from stream.families.cases import payloads

__all__ = ["THANKED", "a_story"]

_MILLISECOND = timedelta(milliseconds=1)
_OPENED_BY: tuple[Literal["customer", "agent", "system"], ...] = ("customer", "customer", "agent", "system")


def a_story(chance: random.Random, number: int, start: datetime) -> list[e.CaseEvent]:
    """Return what happens to a case in the weeks after *start*: up to ten events, some of one instant."""
    at = start + chance.randrange(25 * 86_400_000) * _MILLISECOND
    opened = payloads.OpenedData(
        queue=chance.choice("ab"), channel=chance.choice(["email", "messaging"]), opened_by=chance.choice(_OPENED_BY)
    )
    told = [_told(e.CaseOpened, opened, at, f"{number}", 0)]
    solved = False
    for count in range(1, chance.randint(2, 10)):
        # Two queues of one instant are not told apart: a help desk does not name both.
        if chance.random() < 0.8 or isinstance(told[-1], e.CaseAssigned):
            at += chance.choice([1, 60_000, 3_600_000, chance.randrange(3 * 86_400_000)]) * _MILLISECOND
        kind, data = _happens(chance, count, answers=not solved)
        solved = (solved or kind in {e.CaseResolved, e.CaseClosed}) and kind is not e.CaseReopened
        told.append(_told(kind, data, at, f"{number}", count))
    return told


def _happens(
    chance: random.Random, count: int, *, answers: bool
) -> tuple[Callable[..., e.CaseEvent], payloads.CaseData]:
    what = chance.choices(
        ["received", "sent", "assigned", "resolved", "reopened", "closed", "merged", "deleted"],
        [6, 5, 2, 3, 2, 1, 0.4, 0.2],
    )[0]
    message = f"m{count}"
    match what:
        case "sent":
            # Whoever answers a solved case is told of by `THANKED`.
            public = answers and chance.random() < 0.9
            by_bot, automatic = chance.random() < 0.2, chance.random() < 0.1
            author: Literal["agent", "bot"] = "bot" if by_bot else "agent"
            return e.MessageSent, payloads.SentData(message=message, public=public, automatic=automatic, author=author)
        case "assigned":
            return e.CaseAssigned, payloads.AssignedData(queue=chance.choice("ab"))
        case "merged":
            return e.CaseMerged, payloads.MergedData(into="another")
        case "deleted":
            return e.CaseDeleted, payloads.DeletedData(reason=chance.choice(["spam", "deleted"]))
        case "resolved" | "reopened" | "closed":
            return _OF_NOBODY[what], _NOBODY
        case _:
            return e.MessageReceived, payloads.ReceivedData(message=message, automatic=chance.random() < 0.2)


_NOBODY = payloads.CaseData()
_OF_NOBODY: dict[str, Callable[..., e.CaseEvent]] = {
    "resolved": e.CaseResolved,
    "reopened": e.CaseReopened,
    "closed": e.CaseClosed,
}


def _told(
    kind: Callable[..., e.CaseEvent], data: payloads.CaseData, at: datetime, case: str, count: int
) -> e.CaseEvent:
    return kind(id=f"{case}-{count}", source="/test", time=at, subject=case, specversion="1.0", data=data)


_NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)

THANKED: list[e.CaseEvent] = [
    _told(kind, data, _NINE + timedelta(hours=hour), "thanked", hour)
    for hour, (kind, data) in enumerate(
        [
            (e.CaseOpened, payloads.OpenedData(queue="a")),
            (e.MessageSent, payloads.SentData(message="m1")),
            (e.CaseResolved, _NOBODY),
            (e.MessageReceived, payloads.ReceivedData(message="m3")),
            (e.MessageSent, payloads.SentData(message="m4")),
            (e.CaseReopened, _NOBODY),
            (e.MessageSent, payloads.SentData(message="m6")),
        ]
    )
]
"""The customer thanks, an agent says that they are welcome, and then it was not solved after all."""
