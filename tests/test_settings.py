"""Settings come from a mapping; a typo is an error."""

from datetime import timedelta
from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.settings import EMBEDDED, Settings, settings_from


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


def test_options_win_over_variables() -> None:
    assert settings_from({"CONTACT_STREAM_HTTP_PORT": "1"}, http_port=2, broker=None).http_port == 2


def test_every_mistake_is_named_with_what_may_have_been_meant() -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from({"CONTACT_STREAM_BROEKR": "x", "CONTACT_STREAM_PARTITIONS": "many"})

    assert "CONTACT_STREAM_BROEKR is no setting; did you mean CONTACT_STREAM_BROKER?" in str(caught.value)
    assert "CONTACT_STREAM_PARTITIONS" in str(caught.value)
