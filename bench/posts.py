"""A sender of HTTP requests that costs little: bodies made before, and of an answer only its status and its end."""

import asyncio
import statistics
from collections import Counter
from collections.abc import Sequence
from time import perf_counter, process_time

from msgspec import Struct

__all__ = ["Posted", "post"]


class Posted(Struct, frozen=True):
    """What became of the requests of one run."""

    seconds: float
    statuses: dict[int, int]
    cpu: float
    """What the sender itself took."""
    p50_ms: float
    p99_ms: float
    longest_ms: float

    @property
    def rate(self) -> float:
        """Requests a second that were taken."""
        return self.statuses.get(202, 0) / self.seconds


class _Connection(asyncio.Protocol):
    """One request at a time; the next follows the answer, or, with a pace, its own time."""

    def __init__(self, requests: Sequence[bytes], first: int, times: "_Times") -> None:
        self._requests = requests
        self._next = first
        self._times = times
        self._answer = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._due = self._times.first_due(self._next)
        asyncio.get_running_loop().call_later(max(0.0, self._due - perf_counter()), self._send)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        # Each answer of both servers is one JSON object, the end of which no header has.
        if not self._answer.endswith(b"}"):
            return
        now, answer, self._answer = perf_counter(), self._answer, b""
        self._times.answered(int(answer[9:12]), now - self._due)
        self._due = self._times.next_due(self._due, now)
        if self._due >= self._times.until:
            self._transport.close()
        elif self._due <= now:
            self._send()
        else:
            asyncio.get_running_loop().call_later(self._due - now, self._send)

    def connection_lost(self, exc: Exception | None) -> None:
        self._times.closed(exc)

    def _send(self) -> None:
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += self._times.connections


class _Times:
    """When requests are due, and how long each took from then on: who waits for a late answer is not forgotten."""

    def __init__(self, connections: int, seconds: float, per_second: float | None) -> None:
        self.began = perf_counter()
        self.until = self.began + seconds
        self.statuses: Counter[int] = Counter()
        self.taken: list[float] = []
        self.ended = asyncio.Event()
        self.failures: list[Exception] = []
        self.connections = self._open = connections
        self._pause = connections / per_second if per_second else None
        self._per_second = per_second

    def first_due(self, number: int) -> float:
        return self.began + (number / self._per_second if self._per_second else 0.0)

    def next_due(self, due: float, now: float) -> float:
        return now if self._pause is None else due + self._pause

    def answered(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.taken.append(seconds)

    def closed(self, failure: Exception | None) -> None:
        if failure is not None:
            self.failures.append(failure)
        self._open -= 1
        if not self._open:
            self.ended.set()


def post(
    host: str,
    port: int,
    bodies: Sequence[bytes],
    kind: str,
    *,
    connections: int,
    seconds: float,
    per_second: float | None,
) -> Posted:
    """Post *bodies* in turn over so many *connections*, as fast as they are answered or *per_second*; blocks."""
    head = f"POST /v1/events HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {kind}\r\nContent-Length: "
    requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
    return asyncio.run(_post(host, port, requests, connections, seconds, per_second))


async def _post(
    host: str, port: int, requests: Sequence[bytes], connections: int, seconds: float, per_second: float | None
) -> Posted:
    loop, before = asyncio.get_running_loop(), process_time()
    times = _Times(connections, seconds, per_second)
    for number in range(connections):
        await loop.create_connection(lambda first=number: _Connection(requests, first, times), host, port)  # type: ignore[misc]
    await asyncio.wait_for(times.ended.wait(), seconds + 60)
    if times.failures:
        raise times.failures[0]
    centiles = statistics.quantiles(times.taken, n=100)
    return Posted(
        perf_counter() - times.began,
        dict(times.statuses),
        process_time() - before,
        1000 * centiles[49],
        1000 * centiles[98],
        1000 * max(times.taken),
    )
