"""The figures beside those of a database that has every event and counts them by one question."""

import random
import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest

from stream.core.cloudevents import Event
from stream.families.surveys.events import SurveyChanged, SurveyInvited
from stream.families.surveys.payloads import SurveyAnswerData
from tests.families.surveys.told import FIRST, counted, figure, on, rated, survey_event

DAYS = 200
END = on(DAYS, "23:00")
SCALES = {"csat": "1-5", "ces": "1-10", "nps": "0-10"}

QUESTION = """
WITH last AS (
    SELECT subject, kind, score,
           min(at) OVER (PARTITION BY subject) AS first_at,
           row_number() OVER (PARTITION BY subject ORDER BY at DESC, changed DESC, score DESC) AS place
    FROM answers
),
invited AS (SELECT subject, kind, min(at) AS at FROM invitations GROUP BY subject),
told AS (
    SELECT last.kind, last.score, last.first_at AS at, invited.subject IS NOT NULL AS known
    FROM last LEFT JOIN invited USING (subject) WHERE place = 1
),
part AS (
    SELECT * FROM told WHERE date(at) BETWEEN date(:end, :oldest) AND date(:end, :newest)
),
asked AS (
    SELECT kind, count(*) AS number FROM invited WHERE date(at) BETWEEN date(:end, :oldest) AND date(:end, :newest)
    GROUP BY kind
)
SELECT
    (SELECT avg(score >= 4) FROM part WHERE kind = 'csat'),
    (SELECT avg(score) FROM part WHERE kind = 'csat'),
    (SELECT 100.0 * avg((score >= 9) - (score <= 6)) FROM part WHERE kind = 'nps'),
    (SELECT 1.0 * sum(score) / ((SELECT number FROM asked WHERE kind = 'ces') + sum(NOT known)) FROM part
        WHERE kind = 'ces'),
    (SELECT 1.0 * coalesce(sum(known), 0) / (SELECT number FROM asked WHERE kind = 'csat') FROM part
        WHERE kind = 'csat'),
    (SELECT count(*) FROM part)
"""

SPANS = {
    "today": (0, 0),
    "7d": (7, 0),
    "30d": (30, 0),
    "90d": (90, 0),
    "today before": (1, 1),
    "7d before": (15, 8),
    "30d before": (61, 31),
    "90d before": (181, 91),
}
"""First and last day of each window, so many days ago."""


def history(seed: int) -> Iterator[Event]:
    """Yield half a year of surveys: some answered, changed, told twice, or never sent as far as we know."""
    chance = random.Random(seed)
    for n in range(1200):
        kind = chance.choice([*SCALES])
        at = FIRST + timedelta(minutes=chance.randrange(DAYS * 1440 - 100))
        if chance.random() < 0.9:
            yield survey_event("invited", f"s{n}", at, kind=kind)
        while chance.random() < 0.6:
            at += timedelta(minutes=chance.choice([1, 60, 1440, 10_000]))
            score = chance.randint(0 if kind == "nps" else 1, 5 if kind == "csat" else 10)
            yield survey_event(chance.choice(["answered", "changed"]), f"s{n}", at, kind=kind, score=score)


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_a_database(seed: int) -> None:
    events = [event for event in history(seed) if event.time <= END]
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE invitations (subject, kind, at)")
    database.execute("CREATE TABLE answers (subject, kind, at, changed, score)")
    for event in events:
        at, kind = event.time.strftime("%Y-%m-%d %H:%M:%S"), event.data.kind
        if isinstance(event, SurveyInvited):
            database.execute("INSERT INTO invitations VALUES (?, ?, ?)", (event.subject, kind, at))
        else:
            data: SurveyAnswerData = event.data
            told = (event.subject, kind, at, isinstance(event, SurveyChanged), data.score)
            database.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", told)
    random.Random(seed).shuffle(events)
    # In any order, but the newest first: so no survey is forgotten before all of its events are there.
    sales = rated(sorted(events, key=lambda event: event.time, reverse=True)[:1] + events, END)

    for window, (oldest, newest) in SPANS.items():
        asked = {"end": END.strftime("%Y-%m-%d"), "oldest": f"-{oldest} days", "newest": f"-{newest} days"}
        csat, mean, nps, ces, response, answers = database.execute(QUESTION, asked).fetchone()
        found = {
            name: figure(sales, name, window).value for name in ("csat", "csat_mean", "nps", "ces", "csat_response")
        }
        assert [*found.values()] == pytest.approx([csat, mean, nps, ces, response], nan_ok=True), window
        assert counted(sales, window).answered == answers
