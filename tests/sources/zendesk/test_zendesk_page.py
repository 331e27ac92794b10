"""What the page says can be done: its files are read as they stand there."""

import json
import re
import shlex
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner

from stream.cli import group
from stream.errors import SettingsError
from stream.sources.zendesk.export import ExportOptions
from stream.sources.zendesk.source import Options
from tests.sources.desk_boards import counted_cases, told_by
from tests.sources.desk_pages import page_of, served_by
from tests.sources.zendesk.account import BEGIN, GROUPS, SECRET, TICKETS, signed, webhook_in

PAGE = page_of("zendesk")


def test_its_file_of_webhooks_gives_the_figures_of_the_day(tmp_path: Path) -> None:
    files = {"zendesk.secret": SECRET, "groups.json": json.dumps(GROUPS)}
    requests = [*map(signed, TICKETS)]
    evening = BEGIN + timedelta(hours=9)

    events = told_by(served_by(PAGE, "zendesk", tmp_path, files), requests)

    assert {event.tenantid for event in events} == {"acme"}
    expected = counted_cases(told_by(webhook_in(tmp_path, tenant="acme"), requests), evening)
    assert counted_cases(events, evening) == expected


def test_it_names_every_kind_that_is_used_and_every_option() -> None:
    kinds = {json.loads(body)["type"].removeprefix("zen:event-type:") for body in TICKETS}

    assert not [kind for kind in kinds if f"`{kind}`" not in PAGE]
    assert not [name for name in Options.__struct_fields__ if name not in PAGE]


def test_its_command_for_history_is_one() -> None:
    (command,) = re.findall(r"^contact-stream (source zendesk-export (?:.*\\\n)*.*)$", PAGE, re.MULTILINE)

    answer = CliRunner().invoke(group, [*shlex.split(command), "--help"])

    assert answer.exit_code == 0, answer.output
    for name in ExportOptions.__struct_fields__:
        assert name.replace("_", "-") in answer.output.lower() or name.upper() in answer.output


def test_a_channel_that_is_none_is_refused_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    told = ["https://acme.zendesk.com", "mia", str(tmp_path / "token"), "2026-01-01", "--other-channel", "pigeon"]

    answer = CliRunner().invoke(group, ["source", "zendesk-export", *told, "--dry-run"])

    assert isinstance(answer.exception, SettingsError)
    assert "other_channel" in str(answer.exception)
