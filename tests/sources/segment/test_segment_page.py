"""What the page says can be done: its file of webhooks is read as it stands there."""

import json
from pathlib import Path

from stream.sources.segment.source import SOURCE
from tests.sources.segment.workspace import DAY
from tests.sources.shops.pages import page_of, webhooks_on


def test_its_file_of_webhooks_is_one(tmp_path: Path) -> None:
    assert webhooks_on("segment", tmp_path) == {"segment": SOURCE.name}


def test_it_names_every_call_that_is_told() -> None:
    names = {json.loads(one.body).get("event", "identify") for one in DAY}

    assert not [name for name in names if f"`{name}`" not in page_of("segment")]
