"""Since when brokers leave requests unanswered: aiokafka tries for ever, and tells nobody.

It looks at every request of the consumer's client: fetches, heartbeats and commits. Whoever asks nothing
cannot be left without an answer, so a worker that has enough to do is not taken for one that is cut off.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

__all__ = ["BrokerSilence"]

HELD_BACK = (JoinGroupRequest, SyncGroupRequest)
"""A broker answers these when the other members are there, which takes its time."""


@dataclass(slots=True)
class _Unanswered:
    """What one broker, or any of them, was asked and has not answered; times are seconds."""

    pending: dict[object, float] = field(default_factory=dict)
    """When each request was asked that still waits."""
    failed_since: float | None = None
    """Since when those fail that no answer has come after."""
    answered_at: float = -math.inf

    def asked(self, request: object, at: float) -> None:
        self.pending[request] = at

    def answered(self, request: object, at: float) -> None:
        self.pending.pop(request, None)
        self.failed_since, self.answered_at = None, at

    def failed(self, request: object, at: float) -> None:
        asked = self.pending.pop(request, at)
        if self.failed_since is None:
            # An answer that came after it was asked says more than its failure does.
            self.failed_since = asked if asked >= self.answered_at else at

    def given_up(self, request: object, _: float) -> None:
        # Nobody waits for that answer any more, and it may have been on its way; others may still wait.
        self.pending.pop(request, None)

    def seconds(self, at: float) -> float:
        since = [max(asked, self.answered_at) for asked in self.pending.values()]
        if self.failed_since is not None:
            since.append(self.failed_since)
        return at - min(since, default=at)


class BrokerSilence:
    """By broker, for how long it has left requests unanswered; *clock* is monotonic, in seconds."""

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
            this = object()  # the same request may be sent twice
            if not isinstance(request, HELD_BACK):
                self._note(_Unanswered.asked, node, this)
            try:
                answer = await send(node, request, **options)
            except asyncio.CancelledError:
                self._note(_Unanswered.given_up, node, this)
                raise
            except Exception:
                self._note(_Unanswered.failed, node, this)
                raise
            self._note(_Unanswered.answered, node, this)
            return answer

        return noting

    def _note(self, what: Callable[[_Unanswered, object, float], None], node: int, request: object) -> None:
        at = self._clock()
        what(self._by_node[node], request, at)
        what(self._all, request, at)

    def _noting_metadata(self, update: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
        async def noting(*told: Any) -> bool:
            # aiokafka asks for it past `send`, of any broker. In a rebalance it may be all that is asked.
            is_told = await update(*told)
            if is_told:
                self._all.answered(None, self._clock())
            return is_told

        return noting

    def silence(self) -> float:
        """Return for how many seconds no broker at all has answered; 0.0 while nothing is asked."""
        return self._all.seconds(self._clock())

    def silence_of(self, node: int) -> float:
        """Return the same for one broker."""
        return self._by_node[node].seconds(self._clock())
