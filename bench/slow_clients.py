"""What an honest sender has of a gateway while thousands of slow clients hold on to it, and what memory that takes."""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from subprocess import DEVNULL, Popen
from time import perf_counter
from typing import Final, NamedTuple

from bench.gateway import peak_megabytes, until_listening
from bench.judged import Judged
from bench.report import at_least, at_most, fact
from stream.broker.child import HOST, free_port

__all__ = ["measure"]

SECONDS: Final = 20.0
SETTLING_SECONDS: Final = 4.0
"""The attackers are all there by then."""

PAUSE_SECONDS: Final = 0.2
"""Of an attacker that was cut off: at once again, it measures how fast the machine makes connections."""

PATIENCE_SECONDS: Final = 10.0
LEAST_ANSWERED: Final = 0.9
MOST_MEGABYTES: Final = 200.0

_HOOK: Final = b"POST /v1/webhooks/hook-0 HTTP/1.1\r\nHost: x\r\n"
_HONEST: Final = (
    # Asked for by anybody: a batch with nothing in it is answered for.
    (
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/cloudevents-batch+json\r\nContent-Length: 2\r\n\r\n[]"
    ),
    # Not signed: what is asked here is how soon it is told so.
    _HOOK
    + b"Connection: close\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
    + b"[]".ljust(60_000),
)


class Attack(NamedTuple):
    """What each of its clients sends at once, and then each second, while it waits; whether it reads."""

    name: str
    clients: int
    first: bytes
    more: bytes
    reads: bool = True
    webhooks: int = 1


ATTACKS: Final = (
    Attack("heads without an end", 3000, _HOOK + b"X: ", b"x"),
    Attack("idle connections after an answer", 3000, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    Attack("bodies, a byte at a time", 3000, _HOOK + b"Content-Length: 7900000\r\n\r\n", b"x"),
    Attack(
        "that ask 20 times for `/metrics` of 10,000 webhooks and read nothing",
        300,
        20 * b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\r\n",
        reads=False,
        webhooks=10_000,
    ),
)


def measure() -> list[Judged]:
    """Return the figures of each attack."""
    return [figure for attack in ATTACKS for figure in _measured(attack)]


def _measured(attack: Attack) -> Iterator[Judged]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        gateway = Popen(_command(Path(folder), attack, port), stdout=DEVNULL, stderr=DEVNULL)
        attackers = get_context("spawn").Process(target=_attack, args=(port, attack))
        try:
            until_listening(port)
            before = peak_megabytes(gateway.pid)
            quiet, _ = asyncio.run(_honest(port, 2.0))
            attackers.start()
            asyncio.run(asyncio.sleep(SETTLING_SECONDS))
            times, answered = asyncio.run(_honest(port, SECONDS))
            peak = peak_megabytes(gateway.pid)
        finally:
            if attackers.is_alive():
                attackers.kill()
            gateway.kill()
            gateway.wait()
    what = f"{attack.clients:,} {attack.name}"
    yield at_least(f"{what}: an honest sender is answered, of all", answered / len(times), LEAST_ANSWERED, "{:.3f}")
    tails = " → ".join(f"{statistics.quantiles(some, n=100)[98] * 1000:,.0f}" for some in (quiet, times))
    yield fact("… p99 before → meanwhile, ms", tails)
    yield at_most("… most memory, MB", peak, MOST_MEGABYTES, note=f" ({before:,.0f} before)")


def _command(folder: Path, attack: Attack, port: int) -> list[str]:
    (folder / "token").write_text("token\n", encoding="utf-8")
    tables = (
        f'[webhooks.hook-{number}]\nsource = "twilio"\ntoken_file = "token"\n' for number in range(attack.webhooks)
    )
    (folder / "webhooks.toml").write_text("".join(tables), encoding="utf-8")
    command = [sys.executable, "-m", "stream", "gateway", "--dry-run", "--port", str(port)]
    return [*command, "--webhooks", str(folder / "webhooks.toml")]


async def _honest(port: int, seconds: float) -> tuple[list[float], int]:
    """Post in turns, each on a new connection; return how long answers took, and how many were as they should be."""
    times: list[float] = []
    answered = 0
    until = perf_counter() + seconds
    while perf_counter() < until:
        for request, status in zip(_HONEST, (b"202", b"401"), strict=True):
            began = perf_counter()
            answered += await _status(port, request) == status
            times.append(perf_counter() - began)
        await asyncio.sleep(0.02)
    return times, answered


async def _status(port: int, request: bytes) -> bytes:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(request)
            line = await reader.readline()
            writer.close()
            return line[9:12]
    return b""


def _attack(port: int, attack: Attack) -> None:
    async def all_clients() -> None:
        await asyncio.gather(*(_for_ever(lambda: _client(port, attack)) for _ in range(attack.clients)))

    asyncio.run(all_clients())


async def _for_ever(attempt: Callable[[], Awaitable[None]]) -> None:
    while True:
        with suppress(OSError):
            await attempt()
        await asyncio.sleep(PAUSE_SECONDS)


async def _client(port: int, attack: Attack) -> None:
    reader, writer = await asyncio.open_connection(HOST, port, limit=1000)
    if not attack.reads:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # every socket's transport has it
    writer.write(attack.first)
    try:
        while not writer.is_closing():
            writer.write(attack.more)
            if attack.reads:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        if not await reader.read(1000):
                            return
            else:
                await asyncio.sleep(1)
    finally:
        writer.close()
