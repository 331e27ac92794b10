"""What the page says can be done: its files are read as they stand there."""

import json
from datetime import timedelta
from pathlib import Path

from stream.sources.chatwoot.source import Options
from tests.sources.chatwoot.account import BEGIN, CONVERSATIONS, INBOXES, SECRET, request, webhook_in
from tests.sources.desk_boards import counted_cases, told_by
from tests.sources.desk_pages import page_of, served_by

PAGE = page_of("chatwoot")


def test_its_file_of_webhooks_gives_the_figures_of_the_day(tmp_path: Path) -> None:
    files = {"chatwoot.secret": SECRET, "inboxes.json": json.dumps(INBOXES)}
    requests = [*map(request, CONVERSATIONS)]
    evening = BEGIN + timedelta(hours=9)

    events = told_by(served_by(PAGE, "chatwoot", tmp_path, files), requests)

    assert {event.tenantid for event in events} == {"acme"}
    expected = counted_cases(told_by(webhook_in(tmp_path, tenant="acme"), requests), evening)
    assert counted_cases(events, evening) == expected


def test_it_names_every_kind_that_is_used_and_every_option() -> None:
    kinds = {json.loads(body)["event"] for body in CONVERSATIONS}

    assert not [kind for kind in kinds if f"`{kind}`" not in PAGE]
    assert not [name for name in Options.__struct_fields__ if name not in PAGE]
