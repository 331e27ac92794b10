"""Since when brokers leave requests unanswered: aiokafka tries for ever, and tells nobody.

It looks at every request of the consumer's client: fetches, heartbeats and commits. Whoever asks nothing
cannot be left without an answer, so a worker that has enough to do is not taken for one that is cut off.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

__all__ = ["BrokerSilence"]

HELD_BACK = (JoinGroupRequest, SyncGroupRequest)
"""A broker answers these when the other members are there, which takes its time."""


@dataclass(slots=True)
class _Unanswered:
    """The first request since the last answer, of one broker or of all; times are seconds."""

    since: float | None = None
    answered_at: float = -math.inf

    def asked(self, at: float) -> None:
        if self.since is None:
            self.since = at

    def failed(self, asked: float, at: float) -> None:
        # An answer that came after it was asked says more than its failure does.
        self.asked(asked if asked >= self.answered_at else at)

    def answered(self, at: float) -> None:
        self.since, self.answered_at = None, at

    def forget(self, asked: float) -> None:
        # Nobody waits for that answer any more, and it may have been on its way.
        if self.since == asked:
            self.since = None

    def seconds(self, at: float) -> float:
        return 0.0 if self.since is None else at - self.since


def _note(whom: Iterable[_Unanswered], what: Callable[..., None], *times: float) -> None:
    for one in whom:
        what(one, *times)


class BrokerSilence:
    """By broker, the first request since its last answer; *clock* is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_node: defaultdict[int, _Unanswered] = defaultdict(_Unanswered)
        self._all = _Unanswered()

    def watch(self, client: Any) -> None:
        """Look at each request of an aiokafka client from now on."""
        client.send = self._noting(client.send)
        client._metadata_update = self._noting_metadata(client._metadata_update)  # noqa: SLF001  # it has no public face

    def _noting(self, send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def noting(node: int, request: Any, **options: Any) -> Any:
            asked = self._clock()
            note = partial(_note, (self._by_node[node], self._all))
            is_held_back = isinstance(request, HELD_BACK)
            if not is_held_back:
                note(_Unanswered.asked, asked)
            try:
                answer = await send(node, request, **options)
            except asyncio.CancelledError:
                note(_Unanswered.forget, asked)
                raise
            except Exception:
                at = self._clock()
                note(_Unanswered.failed, at if is_held_back else asked, at)
                raise
            note(_Unanswered.answered, self._clock())
            return answer

        return noting

    def _noting_metadata(self, update: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
        async def noting(*told: Any) -> bool:
            # aiokafka asks for it past `send`, of any broker. In a rebalance it may be all that is asked.
            is_told = await update(*told)
            if is_told:
                self._all.answered(self._clock())
            return is_told

        return noting

    def silence(self) -> float:
        """Return for how many seconds no broker at all has answered; 0.0 while nothing is asked."""
        return self._all.seconds(self._clock())

    def silence_of(self, node: int) -> float:
        """Return the same for one broker."""
        return self._by_node[node].seconds(self._clock())
