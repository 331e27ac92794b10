"""What the page says can be done: its files are read as they stand there."""

from datetime import timedelta
from pathlib import Path

from stream.sources.zammad.source import Options
from tests.sources.desk_boards import counted_cases, told_by
from tests.sources.desk_pages import page_of, served_by
from tests.sources.zammad.service_desk import BEGIN, SECRET, TICKETS, request, webhook_in

PAGE = page_of("zammad")


def test_its_file_of_webhooks_gives_the_figures_of_the_day(tmp_path: Path) -> None:
    requests = [*map(request, TICKETS)]
    evening = BEGIN + timedelta(hours=9)

    events = told_by(served_by(PAGE, "zammad", tmp_path, {"zammad.secret": SECRET}), requests)

    assert {event.tenantid for event in events} == {"acme"}
    expected = counted_cases(told_by(webhook_in(tmp_path, tenant="acme"), requests), evening)
    assert counted_cases(events, evening) == expected


def test_it_names_every_option() -> None:
    assert not [name for name in Options.__struct_fields__ if name not in PAGE]
