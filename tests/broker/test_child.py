"""Ports for brokers: free, and not taken by chance before they are bound."""

import socket

import pytest

from stream.broker import child
from stream.broker.child import HOST, free_port
from stream.errors import BrokerError


def test_a_free_port_is_none_that_an_outgoing_connection_gets() -> None:
    with socket.create_server((HOST, 0)) as server, socket.create_connection(server.getsockname()) as outgoing:
        given = outgoing.getsockname()[1]

    assert free_port() < 32_768 <= given


def test_a_port_that_is_taken_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, free_port())) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(child, "_PORTS", range(taken, taken + 1))

        with pytest.raises(BrokerError, match=f"No port of {HOST} from {taken} to {taken} is free"):
            free_port()
