"""What the page says can be done: its files are read as they stand there."""

import json
import re
from datetime import timedelta
from pathlib import Path

from stream.sources.help_scout.source import SOURCE, Options
from tests.sources.desk_boards import counted_cases, told_by
from tests.sources.desk_pages import page_of, served_by
from tests.sources.help_scout.inbox import BEGIN, CONVERSATIONS, MAILBOXES, SECRET, request, webhook_in

PAGE = page_of("help-scout")


def test_its_file_of_webhooks_gives_the_figures_of_the_day(tmp_path: Path) -> None:
    files = {"help-scout.secret": SECRET, "mailboxes.json": json.dumps(MAILBOXES)}
    requests = [request(*told) for told in CONVERSATIONS]
    evening = BEGIN + timedelta(hours=9)

    events = told_by(served_by(PAGE, "help-scout", tmp_path, files), requests)

    assert {event.tenantid for event in events} == {"acme"}
    expected = counted_cases(told_by(webhook_in(tmp_path, tenant="acme"), requests), evening)
    assert counted_cases(events, evening) == expected


def test_it_names_every_kind_that_is_used_and_every_option_and_so_does_connect() -> None:
    kinds = {kind for kind, _ in CONVERSATIONS}

    assert {*re.findall(r"(?:convo|satisfaction)\.[a-z.]+", SOURCE.setup.steps)} == kinds
    assert not [kind for kind in kinds if f"`{kind}`" not in PAGE and f'"{kind}"' not in PAGE]
    assert not [name for name in Options.__struct_fields__ if name not in PAGE]
