"""Child processes that are brokers: they die with us, listen on free ports of loopback, and speak Kafka."""

import ctypes
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from random import SystemRandom

from stream.errors import BrokerError

__all__ = ["HOST", "dies_with_parent", "free_port", "speaks_kafka"]

HOST = "127.0.0.1"
"""A broker without authentication never leaves the machine."""

_PR_SET_PDEATHSIG = 1

_PORTS = range(20_000, 32_768)
"""Below those that systems give to outgoing connections. One of these could take a port before its broker binds it, or
while that is away; a client that looks for the broker could even connect to itself."""


def free_port() -> int:
    """Return a port of loopback that nobody has bound now, and no outgoing connection gets."""
    # By the system's chance: processes with the same seed must not try the same ports.
    for port in SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise BrokerError(f"No port of {HOST} from {_PORTS.start} to {_PORTS.stop - 1} is free")


def dies_with_parent() -> Callable[[], None] | None:
    """Return what a child runs before exec, so that the kernel kills it with us; None where no such call exists."""
    if sys.platform != "linux":
        return None
    # Loaded before the fork: between fork and exec nothing may allocate or import.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we died before the call: it would never come
            os._exit(1)

    return ask_kernel


def speaks_kafka(port: int) -> bool:
    """Tell whether an ApiVersions request is answered; a bare connection would only prove a listening socket."""
    # API key 18 in version 0, correlation id 1, no client id: the one request that every version of a broker
    # answers.
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection((HOST, port), timeout=0.5) as connection:
            connection.settimeout(0.5)
            connection.sendall(struct.pack(">i", len(request)) + request)
            # The length and the correlation id are enough: nobody else answers in that form.
            return len(connection.recv(8)) == 8
    except OSError:
        return False
