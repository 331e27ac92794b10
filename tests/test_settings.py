"""Settings come from a mapping; a typo is an error."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import fields

from stream.app.service import left_out, shown_by
from stream.errors import SettingsError
from stream.runtime.kafka.advertised_address import plain_url
from stream.settings import EMBEDDED, Settings, broker_of, settings_from


def test_without_variables_everything_has_a_default() -> None:
    assert settings_from({"HOME": "/root"}) == Settings()
    assert Settings().broker == EMBEDDED
    assert Settings().http_host == "127.0.0.1"


def test_variables_are_read_by_their_types() -> None:
    settings = settings_from(
        {
            "CONTACT_STREAM_BROKER": "kafka:9092",
            "CONTACT_STREAM_PARTITIONS": "24",
            "CONTACT_STREAM_CHECKPOINT_INTERVAL": "PT0.5S",
            "CONTACT_STREAM_POLICIES": "/etc/policies.toml",
        }
    )

    assert (settings.broker, settings.partitions) == ("kafka:9092", 24)
    assert (settings.checkpoint_interval, settings.policies) == (timedelta(seconds=0.5), Path("/etc/policies.toml"))


@pytest.mark.parametrize("name", ["BROKER", "HTTP_HOST", "HTTP_ADVERTISED", "GATEWAY_HOST", "GATEWAY_PUBLIC_URL"])
@pytest.mark.parametrize("text", ["user:marked@host:9092", "https://user:marked@host", "kafka://user:marked@host:9092"])
def test_an_address_with_a_login_in_it_is_refused_and_not_quoted(name: str, text: str) -> None:
    def begun() -> None:
        settings = settings_from({f"CONTACT_STREAM_{name}": text})
        broker_of(settings)
        plain_url(settings.http_advertised)

    with pytest.raises(SettingsError, match=f"CONTACT_STREAM_{name}") as refused:
        begun()

    assert "marked" not in str(refused.value)


@pytest.mark.parametrize("broker", ["kafka:9092", "kafka://one:9092,two:9092", "[::1]:9092", "embedded:127.0.0.1:9092"])
def test_addresses_of_brokers_are_taken_as_before(broker: str) -> None:
    address, _ = broker_of(settings_from({"CONTACT_STREAM_BROKER": broker}))

    assert address is not None
    assert broker.endswith(address)


def test_options_win_over_variables() -> None:
    assert settings_from({"CONTACT_STREAM_HTTP_PORT": "1"}, http_port=2, broker=None).http_port == 2


@pytest.mark.parametrize("name", [field.name for field in fields(Settings) if field.type is timedelta])
@pytest.mark.parametrize("length", ["PT0S", "-PT5S"])
def test_a_duration_is_more_than_zero(name: str, length: str) -> None:
    variable = f"CONTACT_STREAM_{name.upper()}"

    with pytest.raises(SettingsError, match=f"^{variable}: must be more than zero"):
        settings_from({variable: length})


def test_a_level_of_the_log_is_one_of_four_in_any_case() -> None:
    assert settings_from({"CONTACT_STREAM_LOG_LEVEL": "warning"}).log_level == "WARNING"
    with pytest.raises(SettingsError) as caught:
        settings_from({"CONTACT_STREAM_LOG_LEVEL": "LOUD"})

    assert str(caught.value) == "CONTACT_STREAM_LOG_LEVEL: must be one of DEBUG, INFO, WARNING, ERROR"


@pytest.mark.parametrize("broker", ["", "  "])
def test_a_broker_is_not_empty(broker: str) -> None:
    with pytest.raises(SettingsError, match=r"^CONTACT_STREAM_BROKER: "):
        settings_from({"CONTACT_STREAM_BROKER": broker})
    with pytest.raises(SettingsError, match=r"^CONTACT_STREAM_BROKER: "):
        settings_from({}, broker=broker)


def test_windows_are_named_with_commas_between_in_any_order() -> None:
    assert settings_from({"CONTACT_STREAM_WINDOWS": "today, 5m,30m,5m"}).windows == ("5m", "30m", "today")
    assert settings_from({}).windows is None


@pytest.mark.parametrize("windows", ["", " ", "5m,", "5m,,today", "2h", "30", "TODAY", "5m today"])
def test_a_window_that_is_none_is_refused_with_those_there_are(windows: str) -> None:
    with pytest.raises(
        SettingsError, match=r"^CONTACT_STREAM_WINDOWS: '.*must be some of 5m, 15m, 30m, 1h, 24h, today"
    ):
        settings_from({"CONTACT_STREAM_WINDOWS": windows})


def test_a_window_that_no_figure_has_is_refused() -> None:
    told = "no figure has the window 24h; there are 5m, 15m, 30m, 1h, today, 7d, 30d, 90d"
    with pytest.raises(SettingsError, match=told):
        shown_by(settings_from({"CONTACT_STREAM_WINDOWS": "5m,24h"}))


def test_windows_that_alerts_read_and_nobody_writes_are_found() -> None:
    assert left_out(None) == ()
    of_customers = ("90d", "month", "quarter")
    assert left_out(("5m", "15m", "30m", "1h", "today", "7d", "30d", *of_customers)) == ()
    assert left_out(("5m", "30m", "today", "7d", "30d", *of_customers)) == ("15m", "1h")
    assert left_out(("5m", "15m", "30m", "1h", "today")) == ("7d", "30d", *of_customers)


def test_histograms_have_three_degrees_of_detail() -> None:
    assert [settings_from({"CONTACT_STREAM_HISTOGRAMS": one}).histograms for one in ("full", "None")] == [
        "full",
        "none",
    ]
    with pytest.raises(SettingsError, match=r"^CONTACT_STREAM_HISTOGRAMS: must be one of coarse, full, none$"):
        settings_from({"CONTACT_STREAM_HISTOGRAMS": "fine"})


def test_mistakes_of_values_are_named_all_at_once() -> None:
    names = ("BROKER", "CHECKPOINT_INTERVAL", "LOG_LEVEL", "PARTITIONS")
    values = ("", "PT0S", "LOUD", "0")

    with pytest.raises(SettingsError) as caught:
        settings_from({f"CONTACT_STREAM_{name}": value for name, value in zip(names, values, strict=True)})

    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [f"CONTACT_STREAM_{n}" for n in names]


def test_every_mistake_is_named_with_what_may_have_been_meant() -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from({"CONTACT_STREAM_BROEKR": "x", "CONTACT_STREAM_PARTITIONS": "many"})

    assert "CONTACT_STREAM_BROEKR is no setting; did you mean CONTACT_STREAM_BROKER?" in str(caught.value)
    assert "CONTACT_STREAM_PARTITIONS" in str(caught.value)
