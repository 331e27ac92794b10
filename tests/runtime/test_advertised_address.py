import pytest

from stream.app.service import _listen
from stream.errors import SettingsError
from stream.runtime.kafka.advertised_address import advertised_address
from stream.settings import Settings


@pytest.mark.parametrize(
    ("listening", "advertised", "reached"),
    [
        ("http://127.0.0.1:9108", "", "http://127.0.0.1:9108"),
        ("http://10.1.2.3:9108", "", "http://10.1.2.3:9108"),
        ("http://0.0.0.0:9108", "", "http://127.0.0.1:9108"),  # on the way to a broker on this machine
        ("http://0.0.0.0:9108", "worker-1", "http://worker-1:9108"),
        ("http://0.0.0.0:9108", "worker-1:81", "http://worker-1:81"),
        ("http://[::]:9108", "[2001:db8::7]", "http://[2001:db8::7]:9108"),
    ],
)
def test_a_worker_is_reached_where_it_is_told_to_be_or_listens(listening: str, advertised: str, reached: str) -> None:
    assert advertised_address(listening, advertised, "127.0.0.1:9092,elsewhere:9092") == reached


@pytest.mark.parametrize("wrong", ["http://worker-1", "worker-1/board", "me@worker-1", "worker-1?x", "worker-1:99999"])
def test_what_is_neither_host_nor_port_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="CONTACT_STREAM_HTTP_ADVERTISED"):
        advertised_address("http://127.0.0.1:9108", wrong, "127.0.0.1:9092")


def test_a_broker_whose_name_nobody_knows_leaves_the_name_of_this_machine() -> None:
    reached = advertised_address("http://0.0.0.0:9108", "", "no-such-host.invalid:9092")

    assert reached.endswith(":9108")
    assert "0.0.0.0" not in reached


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        (Settings(http_advertised="worker-1:81"), ("worker-1",)),
        (
            Settings(http_host="10.0.0.7", allowed_hosts="board.internal", http_advertised="w1"),
            ("board.internal", "w1"),
        ),
        (Settings(http_host="10.0.0.7", http_advertised="w1"), ()),  # every name is answered to, as before
        (Settings(allowed_hosts="board.internal"), ("board.internal",)),
    ],
)
def test_peers_get_in_by_the_name_that_is_advertised(settings: Settings, allowed: tuple[str, ...]) -> None:
    assert _listen(settings).allowed_hosts == allowed
