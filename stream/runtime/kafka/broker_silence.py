"""Since when brokers leave requests unanswered: aiokafka tries for ever, and tells nobody.

It looks at every request of the consumer's client: fetches, heartbeats and commits. Whoever asks nothing
cannot be left without an answer, so a worker that has enough to do is not taken for one that is cut off.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

__all__ = ["BrokerSilence"]

HELD_BACK = (JoinGroupRequest, SyncGroupRequest)
"""A broker answers these when the other members are there, which takes its time."""


class BrokerSilence:
    """By broker, the first request since its last answer; *clock* is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}
        self._all_since: float | None = None

    def watch(self, client: Any) -> None:
        """Look at each request of an aiokafka client from now on."""
        send = client.send

        async def noting(node: int, request: Any, **options: Any) -> Any:
            asked = self._clock()
            if not isinstance(request, HELD_BACK):
                self._waits(node, asked)
            try:
                answer = await send(node, request, **options)
            except asyncio.CancelledError:
                self._forget(node, asked)
                raise
            except Exception:
                self._waits(node, asked)
                raise
            self._since.pop(node, None)
            self._all_since = None
            return answer

        client.send = noting

    def _waits(self, node: int, asked: float) -> None:
        self._since.setdefault(node, asked)
        if self._all_since is None:
            self._all_since = asked

    def _forget(self, node: int, asked: float) -> None:
        """Nobody waits for that answer any more, and it may have been on its way."""
        if self._since.get(node) == asked:
            del self._since[node]
        if self._all_since == asked:
            self._all_since = None

    def silence(self) -> float:
        """Return for how many seconds no broker at all has answered; 0.0 while nothing is asked."""
        since = self._all_since
        return 0.0 if since is None else self._clock() - since

    def silence_of(self, node: int) -> float:
        """Return the same for one broker."""
        since = self._since.get(node)
        return 0.0 if since is None else self._clock() - since
