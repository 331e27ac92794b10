"""`contact-stream survey-link`, and what stands on the page of web surveys."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream.cli.surveys import survey_link
from stream.core.cloudevents import encode
from stream.errors import ContactStreamError, InvalidEvent, SourceError
from stream.families.registry import DECODER
from stream.gateway.survey_file import surveys_of
from stream.gateway.webhook_file import webhooks_of
from stream.sdk.survey_links import link_in
from tests.gateway.surveys.asked import KEY
from tests.house.tree import ROOT

PAGE = "https://feedback.example.org/surveys/acme"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "survey.key"
    path.write_text(f"{KEY}\n{'o' * 32}\n")
    return path


def run(key_file: Path, *options: str, stdin: str = "") -> Result:
    always = ("--key-file", str(key_file), "--page", PAGE, "--tenant", "acme", "--kind", "csat")
    return CliRunner().invoke(survey_link, [*always, *options], input=stdin)


def test_one_link_is_its_address(key_file: Path) -> None:
    said = run(key_file, "--survey", "4711", "--queue", "sales", "--language", "sl")

    address, _, query = said.output.strip().partition("?")
    terms = link_in(address.removeprefix(f"{PAGE}/"), [KEY])
    assert terms is not None
    assert (terms.survey, terms.tenant, terms.queue, query) == ("4711", "acme", "sales", "language=sl")


@pytest.mark.parametrize("form", ["html", "text", "json"])
def test_messages_name_times_in_the_zone_of_the_policy(key_file: Path, tmp_path: Path, form: str) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text('[[queue]]\ntenant = "acme"\ntime_zone = "Asia/Tokyo"\n')

    told = run(key_file, "--survey", "1", "--as", form, "--policies", str(policies)).output

    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d JST", told)
    assert "UTC" not in told


@pytest.mark.parametrize(
    "table",
    [
        "survey,queue,language\n1,,sl\n2,support,\n",
        '{"survey":"1","language":"sl"}\n\n{"survey":"2","queue":"support"}\n',
    ],
)
def test_many_links_are_read_from_a_table_or_from_json_lines(key_file: Path, table: str) -> None:
    said = run(key_file, "--queue", "sales", "--as", "json", stdin=table)

    lines = [json.loads(line) for line in said.output.splitlines()]
    queues = [terms.queue for line in lines if (terms := link_in(re.split("[/?]", line["url"])[5], [KEY]))]
    assert queues == ["sales", "support"]
    assert [line["subject"] for line in lines] == ["Kako smo se odrezali?", "How did we do?"]
    assert [*lines[0]["scores"]["csat"]] == ["1", "2", "3", "4", "5"]
    assert lines[0]["scores"]["csat"]["4"] in lines[0]["text"]
    # Whose language is not known gets a message in English, and so the page behind it; a link alone asks the browser.
    assert [line["url"].partition("?")[2] for line in lines] == ["language=sl", ""]
    assert "language=en&csat=4" in lines[1]["text"]


def test_invitations_are_events(key_file: Path) -> None:
    said = run(key_file, "--survey", "4711", "--kind", "nps", "--customer", "c9", "--as", "events")

    events = [DECODER.decode(line.encode()) for line in said.output.splitlines()]
    assert [(one.type if hasattr(one, "type") else type(one).__name__, one.subject) for one in events] == [
        ("SurveyInvited", "4711/csat"),
        ("SurveyInvited", "4711/nps"),
    ]
    assert [encode(one).decode() for one in events] == said.output.splitlines()


@pytest.mark.parametrize("form", ["html", "text"])
def test_a_message_has_every_score(key_file: Path, form: str) -> None:
    said = run(key_file, "--survey", "4711", "--scale", "smileys", "--as", form)

    assert re.findall(r"csat=(\d)", said.output) == ["1", "2", "3"]
    assert run(key_file, "--as", form).exit_code == 2


@pytest.mark.parametrize(
    ("stdin", "complaint"),
    [
        ('survey\n1\n""\n', "line 3"),
        ("survey,queu\n1,sales\n", "line 2: .*queu"),
        ("survey\n1,extra\n", "line 2"),
        ('{"survey":"1"}\n{"survey":7}\n', "line 2"),
        ('{"survey":"1"}\n[]\n', "line 2: not a JSON object"),
        ("queue\nsales\n", "line 2: .*survey"),
    ],
)
def test_a_line_that_is_wrong_is_named(key_file: Path, stdin: str, complaint: str) -> None:
    failure = run(key_file, stdin=stdin).exception
    assert isinstance(failure, SourceError)
    assert re.search(complaint, str(failure))


def test_a_key_that_could_be_guessed_is_refused(key_file: Path) -> None:
    key_file.write_text("secret")
    failure = run(key_file, "--survey", "1").exception
    assert isinstance(failure, InvalidEvent)
    assert isinstance(failure, ContactStreamError)
    assert "secret" not in str(failure)


def test_what_stands_on_its_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/sources/web-survey.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "webhooks.toml").write_text(table)
    (tmp_path / "survey.key").write_text(KEY)
    monkeypatch.chdir(tmp_path)

    (survey,) = surveys_of(tmp_path / "webhooks.toml").values()
    assert webhooks_of(tmp_path / "webhooks.toml") == {}
    made: dict[str, object] = {}
    exec("\n".join(line.removeprefix("   ") for line in program.splitlines()), made)
    terms = link_in(made["link"].token, survey.keys.all())  # type: ignore[attr-defined]  # a SurveyLink
    assert terms is not None
    assert terms.tenant in survey.options.tenants
