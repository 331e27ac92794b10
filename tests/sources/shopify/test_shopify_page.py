"""What the page says can be done: its file of webhooks is read as it stands there."""

from pathlib import Path

from stream.sources.shopify.source import SOURCE
from tests.sources.shops.pages import page_of, webhooks_on


def test_its_file_of_webhooks_is_one(tmp_path: Path) -> None:
    assert webhooks_on("shopify", tmp_path) == {"shopify": SOURCE.name}


def test_it_names_every_topic_to_subscribe_to() -> None:
    page = page_of("shopify")

    topics = ("carts/create", "carts/update", "checkouts/create", "checkouts/update", "orders/create", "orders/updated")
    assert not [topic for topic in (*topics, "orders/cancelled", "customers/redact") if f"`{topic}`" not in page]
