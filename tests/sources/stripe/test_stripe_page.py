"""What the page says can be done: its file of webhooks is read as it stands there."""

import json
from pathlib import Path

from stream.sources.stripe.source import SOURCE
from tests.sources.shops.pages import page_of, webhooks_on
from tests.sources.stripe.account_at_stripe import NOVEMBER


def test_its_file_of_webhooks_is_one(tmp_path: Path) -> None:
    assert webhooks_on("stripe", tmp_path) == {"stripe": SOURCE.name}


def test_it_names_every_event_to_choose() -> None:
    kinds = {json.loads(one.body)["type"] for one in NOVEMBER}

    assert not [kind for kind in kinds if f"`{kind}`" not in page_of("stripe")]
