"""What the page says can be done: its files are read as they stand there."""

import json
import re
from datetime import timedelta
from pathlib import Path

from stream.sources.help_desk import DeskSettings
from stream.sources.intercom.conversations import INTERCOM_CHANNELS, conversation_topics
from stream.sources.intercom.source import SOURCE, Options
from tests.sources.desk_boards import counted_cases, told_by
from tests.sources.desk_pages import page_of, served_by
from tests.sources.intercom.messenger import BEGIN, NOTIFICATIONS, SECRET, TEAMS, signed, webhook_in

PAGE = page_of("intercom")


def test_its_file_of_webhooks_gives_the_figures_of_the_day(tmp_path: Path) -> None:
    files = {"intercom.secret": SECRET, "teams.json": json.dumps(TEAMS)}
    requests = [*map(signed, NOTIFICATIONS)]
    evening = BEGIN + timedelta(hours=9)

    events = told_by(served_by(PAGE, "intercom", tmp_path, files), requests)

    assert {event.tenantid for event in events} == {"acme"}
    expected = counted_cases(told_by(webhook_in(tmp_path, tenant="acme"), requests), evening)
    assert counted_cases(events, evening) == expected


def test_it_names_every_topic_that_is_used_and_every_option_and_so_does_connect() -> None:
    settings = DeskSettings.of(Options(secret_file=Path("secret")), INTERCOM_CHANNELS, str)
    topics = conversation_topics(settings).keys()

    assert {json.loads(body)["topic"] for body in NOTIFICATIONS} - {"ping"} <= topics
    assert not [topic for topic in topics if f"`{topic}`" not in PAGE]
    assert {*re.findall(r"conversation\.[a-z.]+", SOURCE.setup.steps)} == topics
    assert not [name for name in Options.__struct_fields__ if name not in PAGE]
