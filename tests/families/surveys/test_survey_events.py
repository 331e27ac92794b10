"""What is against the contract is refused by its field and never quoted; what is personal goes nowhere."""

import json
from typing import Any

import pytest
from msgspec import msgpack

from stream.app.policy_file import policies_of
from stream.board.view import panels_of
from stream.core.cloudevents import encode, key_of
from stream.core.collector import PageDetail, metric_families
from stream.core.family import Board
from stream.core.policies import Policies, Rule
from stream.errors import InvalidEvent, SettingsError
from stream.families.registry import DECODER
from stream.families.surveys.family import FAMILY
from stream.families.surveys.rules import RULES
from stream.http.exposition import TextFormat, written
from tests.families.surveys.told import on, snapshots_of, survey_event, surveys_fold_of

SECRET = "jane.doe@example.org"
WORDS = "Call me at +386 1 234 5678"


def record(kind: str, /, **data: Any) -> bytes:
    """Return a structured event with some data."""
    envelope = {
        "specversion": "1.0",
        "type": kind,
        "id": "1",
        "source": "/surveys",
        "time": "2026-11-01T10:00:00Z",
        "subject": "s1",
        "data": data,
    }
    return json.dumps(envelope).encode()


ANSWER = {"kind": "csat", "queue": "sales", "score": 5}
CATEGORY = {"name": "tone", "score": 3, "max": 4}


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("survey.answered", {**ANSWER, "score": 9}, "the score is outside its scale"),
        ("survey.answered", {**ANSWER, "score": 0}, "the score is outside its scale"),
        ("survey.answered", {**ANSWER, "score": 77}, "score"),
        ("survey.answered", {**ANSWER, "score": 4.5}, "score"),
        ("survey.answered", {**ANSWER, "scale": "1-3"}, "scale"),
        ("survey.answered", {**ANSWER, "kind": "nps", "scale": "1-5"}, "NPS is asked on the scale 0-10"),
        ("survey.answered", {"kind": "csat", "queue": "sales"}, "the field data.score is missing"),
        ("survey.answered", {**ANSWER, "kind": SECRET}, "data.kind"),
        ("survey.answered", {**ANSWER, "comment": 7}, "data.comment"),
        ("survey.invited", {"kind": "csat", "customer": 7}, "data.customer"),
        ("survey.invited", {"kind": "csat", "customer": ""}, "data.customer"),
        ("survey.invited", {"kind": "csat", "channel": SECRET}, "data.channel"),
        ("quality.reviewed", {"categories": []}, "data.categories"),
        ("quality.reviewed", {"categories": [{**CATEGORY, "score": 5}]}, "the score is outside min and max"),
        ("quality.reviewed", {"categories": [{**CATEGORY, "min": 4}]}, "max must be greater than min"),
        ("quality.reviewed", {"categories": [{**CATEGORY, "weight": 101}]}, "weight"),
    ],
)
def test_what_is_against_the_contract_is_refused_by_its_field(kind: str, data: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEvent, match=message) as refused:
        DECODER.decode(record(kind, **data))

    assert refused.value.reason in {"invalid_field", "missing_field"}
    assert SECRET not in str(refused.value)


def test_an_error_never_quotes_an_answer() -> None:
    with pytest.raises(InvalidEvent) as refused:
        DECODER.decode(record("survey.answered", **ANSWER, comment=WORDS, agent=SECRET, channel=WORDS))

    assert not {SECRET, WORDS} & {*str(refused.value).split("'")}
    assert WORDS not in str(refused.value)


@pytest.mark.parametrize(
    ("comment", "counts"),
    [(WORDS, 1), (True, 1), ("", 0), ("  \n", 0), (False, 0)],
    ids=["words", "yes", "", " ", "no"],
)
def test_words_are_counted_whether_they_are_told_or_only_that_there_are_some(comment: Any, counts: int) -> None:
    fold = surveys_fold_of([survey_event("answered", "s1", on(1), score=5, comment=comment)])
    [sales] = snapshots_of(fold, on(1))

    assert sales.windows["7d"].comments == counts


def test_neither_customer_nor_words_are_in_a_row_a_board_or_a_page() -> None:
    events = [
        survey_event("invited", "s1", on(1), customer=SECRET, agent="eva"),
        survey_event("answered", "s1", on(1, "13:00"), score=1, comment=WORDS, agent="eva"),
    ]
    fold = surveys_fold_of(events)
    board = Board(at=on(2), snapshots={"surveys": tuple(snapshots_of(fold, on(2)))})
    rows = [
        FAMILY.tables[name].encode_key(key) + FAMILY.tables[name].encode_row(row)
        for name, table in fold.tables.items()
        for key, row in table.items()
    ]
    page = written(metric_families(board, (FAMILY,), PageDetail(windows=FAMILY.windows)), TextFormat.TEXT)
    panels = msgpack.encode(panels_of(board, (FAMILY,), "7d", detailed=True))

    assert fold.surveys
    for text in (*rows, page, panels):
        assert not any(word.encode() in text for word in (SECRET, "jane", "example", WORDS, "386"))
    assert b"eva" not in page + panels


def test_agents_are_on_a_board_where_the_policy_says_so_and_never_on_a_page_of_metrics() -> None:
    policies = Policies(rules=(Rule(changes={"survey_by_agent": True}),))
    fold = surveys_fold_of([survey_event("answered", "s1", on(1), score=5, agent="eva")], policies)
    board = Board(at=on(2), snapshots={"surveys": tuple(snapshots_of(fold, on(2)))})

    page = written(metric_families(board, (FAMILY,), PageDetail(windows=FAMILY.windows)), TextFormat.TEXT)
    agents = {row["agent"]: row["csat"] for row in panels_of(board, (FAMILY,), "7d")["surveys"].rows}

    assert agents == {"": 1, "eva": 1}
    assert b"eva" not in page


def test_events_are_keyed_by_the_tenant_so_that_a_survey_stays_together_when_its_case_moves() -> None:
    assert key_of(survey_event("invited", "s1", on(1))) == b"acme"
    assert key_of(survey_event("answered", "s1", on(1), score=5, queue="support")) == b"acme"


def test_events_survive_the_way_over_the_wire() -> None:
    for event in (
        survey_event("invited", "s1", on(1), customer="c", group="vip"),
        survey_event("changed", "s1", on(1), score=3, scale="smileys", higher_is_better=False),
        survey_event("reviewed", "r1", on(1), categories=[CATEGORY]),
    ):
        assert DECODER.decode(encode(event)) == event


POLICY = """
[defaults]
csat_positive = { "1-5" = [3, 4, 5] }
csat_target = 0.9
csat_scale = "1-10"
ces_scale = "1-7"
ces_per = "answered"
ces_target = 5.5
nps_target = -10
iqs_target = 0.9
quality_pass_mark = 0.7
survey_minimum_answers = 30
survey_groups = 5
survey_by_agent = true
time_zone = "Europe/Ljubljana"
day_starts = "06:00"
opening_hours = "Mon-Fri 08:00-16:00"
public_holidays = "SI"
special_days = { "2026-12-24" = "closed" }
quiet_hours = "22:00-06:00"
team = "desk"
"""


def test_the_policy_file_rules_every_field() -> None:
    policy, plain = policies_of(POLICY, "p").of(RULES, "acme", "sales", "chat"), RULES.policy()

    assert all(getattr(policy, name) != getattr(plain, name) for name in plain.__struct_fields__)
    assert policy.csat_positive["1-5"] == (3, 4, 5)
    assert policy.csat_positive["thumbs"] == (1,)


@pytest.mark.parametrize(
    "line",
    [
        'csat_positive = { "1-5" = [6] }',
        'csat_positive = { "1-3" = [1] }',
        'csat_positive = { "1-5" = [] }',
        "csat_positive = [4, 5]",
        'csat_scale = "1-3"',
        'ces_per = "invited"',
        "nps_target = 101",
        "nps_target = true",
        "survey_groups = 0",
        'survey_by_agent = "yes"',
    ],
)
def test_a_mistake_in_the_policy_file_is_named(line: str) -> None:
    with pytest.raises(SettingsError, match=f"{line.split(' ', 1)[0]} must be"):
        policies_of(f"[defaults]\n{line}", "p")
