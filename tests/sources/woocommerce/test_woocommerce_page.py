"""What the page says can be done: its file of webhooks is read as it stands there."""

from pathlib import Path

from stream.sources.woocommerce.source import SOURCE
from tests.sources.shops.pages import webhooks_on


def test_its_file_of_webhooks_is_one(tmp_path: Path) -> None:
    assert webhooks_on("woocommerce", tmp_path) == {"shop": SOURCE.name}
