"""What the page says can be done: its files are read as they stand there."""

import json
from datetime import timedelta
from pathlib import Path

from stream.sources.liveagent.poller import PollOptions
from stream.sources.liveagent.source import Options
from tests.sources.desk_boards import counted_cases, told_by
from tests.sources.desk_pages import page_of, served_by
from tests.sources.liveagent.office import BEGIN, DEPARTMENTS, KEY, TEMPLATES, TICKETS, request, webhook_in

PAGE = page_of("liveagent")


def test_its_file_of_webhooks_gives_the_figures_of_the_day(tmp_path: Path) -> None:
    files = {"liveagent.key": KEY, "departments.json": json.dumps(DEPARTMENTS)}
    requests = [*map(request, TICKETS)]
    evening = BEGIN + timedelta(hours=9)

    events = told_by(served_by(PAGE, "liveagent", tmp_path, files), requests)

    assert {event.tenantid for event in events} == {"acme"}
    expected = counted_cases(told_by(webhook_in(tmp_path, tenant="acme"), requests), evening)
    assert counted_cases(events, evening) == expected


def test_it_names_every_template_and_every_option() -> None:
    assert not [path.name for path in TEMPLATES.glob("*.json") if f"`{path.name}`" not in PAGE]
    assert not [name for name in Options.__struct_fields__ if name not in PAGE]
    asked = {name.replace("_", "-") for name in PollOptions.__struct_fields__} - {"address", "token-file", "since"}
    assert not [name for name in asked if f"--{name}" not in PAGE]
