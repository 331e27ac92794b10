"""The committed dashboards: valid, laid out without overlaps, in five languages, and every metric has its place."""

import json
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.customer_formulas import JOURNEYS, MEMBER_RATIOS, PERCENTILES, QUEUE_RATIOS
from scripts.dashboards.case_queries import RATIOS
from scripts.dashboards.files import encoded
from scripts.dashboards.frame import TAG
from scripts.dashboards.layout import COLUMNS, FULL_HD_ROWS, Row, laid_out
from scripts.dashboards.panels import UNITS, Look, Value, lines
from scripts.dashboards.queries import Scope, quantity
from stream.app.catalogue import CATALOGUE, SECTIONS
from stream.families.cases.figures import COUNTED as COUNTED_CASES
from stream.families.contacts.figures import COUNTED, FIGURES, SUMMED
from stream.languages.words import LANGUAGES, Language, words
from tests.grafana.shown import Shown, dashboards, names_in, panels_of, queries_of

plugins.register_default_plugins()

BOARDS = [(language, name) for language in LANGUAGES for name in dashboards(language)]
QUERIES = [query for name, board in dashboards().items() for query in queries_of(name, board)]

each_board = pytest.mark.parametrize(("language", "name"), BOARDS)

NOT_SHOWN: Mapping[str, str] = {
    "contact_corrections_total": "what the windows have taken back already; for arithmetic over counters",
    **{
        figure.metric.name: "written in windows that somebody chose; counters tell it"
        for figure in FIGURES
        if figure.metric and figure.windowed and not set(figure.written_in or ()) & {"30m", "today"}
    },
    "contact_window_blocked": "counters tell it; the alert on blocking reads it",
    "contact_mean_abandon_seconds": "shown by its counters",
    **{one.name: "shown by window" for one in SECTIONS["surveys"] if one.name.endswith("_total")},
    **{f"contact_{field}_total": "shown by window" for field in COUNTED},
    **{f"contact_{field}_seconds_total": "shown by window" for field in SUMMED},
    **dict.fromkeys(RATIOS, "right on one worker; of several the sums of its parts are divided"),
    **{f"contact_case_{field}_total": "shown by window" for field in COUNTED_CASES},
    "contact_case_corrections_total": "what the windows have taken back already; for arithmetic over counters",
    **dict.fromkeys(
        {**QUEUE_RATIOS, **PERCENTILES, **MEMBER_RATIOS, **JOURNEYS},
        "right on one worker; of several the sums of its parts are divided",
    ),
    **{one.name: "shown by window" for one in SECTIONS["customer_totals"]},
}
"""Metrics that no panel need show, and why."""

ASKED_FOR = (
    *("open_cases", "request_volume", "volume_by_channel", "service_level"),
    *("asa", "blocking", "abandonment", "aht", "frt", "resolution_time", "resolution_rate", "backlog"),
    *("repeat_contacts", "activity", "churn", "retention", "referral", "clv", "cart_abandonment"),
)
"""Figures of contacts, cases, surveys and customers."""

COMPUTED = (" / ", " - ", " + ", " * ", "rate(", "or (", "time", "quantile")
"""What makes another quantity of a metric."""


def board_of(language: Language, name: str) -> dict[str, Any]:
    return dashboards(language)[name]


def area(panel: Mapping[str, Any]) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    return {
        (x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])
    }


@each_board
def test_a_dashboard_is_what_the_schema_of_the_sdk_says(language: Language, name: str) -> None:
    board = board_of(language, name)

    # An unknown field or type would be lost on the way through the SDK's own classes.
    assert json.loads(encoded(Dashboard.from_json(board))) == board


@each_board
def test_panels_do_not_overlap_and_leave_no_hole(language: Language, name: str) -> None:
    panels = board_of(language, name)["panels"]
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)

    assert not [(one["title"], two["title"]) for one, two in combinations(panels, 2) if area(one) & area(two)]
    assert sum(len(area(panel)) for panel in panels) == bottom * COLUMNS
    assert all(x < COLUMNS for panel in panels for x, _ in area(panel))
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("name", ["wallboard", "wallboard-shared", "queues"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_of_1920_by_1080_shows_it_without_scrolling(language: Language, name: str) -> None:
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board_of(language, name)["panels"])

    assert bottom <= FULL_HD_ROWS
    # A row is 30 pixels, the gap between two is 8; what stands above the panels takes at most 160.
    assert bottom * 38 - 8 + 160 <= 1080


@each_board
def test_no_data_is_grey_and_never_good(language: Language, name: str) -> None:
    for panel in panels_of(board_of(language, name)):
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["noValue"]
        if panel["type"] == "stat":
            first, *_ = defaults["thresholds"]["steps"]
            (nothing,) = (one for one in defaults["mappings"] if one["type"] == "special")
            assert nothing["options"]["match"] == "null+nan"
            # Only that line is red which says whether the others can be trusted.
            alarms = panel["title"] == words(language)["dashboards"]["feed"]
            assert first["color"] == nothing["options"]["result"]["color"] == ("semi-dark-red" if alarms else "#5a5f66")
            assert nothing["options"]["result"]["text"] == defaults["noValue"]


@each_board
def test_what_is_coloured_says_so_in_words_or_numbers(language: Language, name: str) -> None:
    for panel in panels_of(board_of(language, name)):
        for override in panel["fieldConfig"]["overrides"]:
            properties = {one["id"]: one["value"] for one in override["properties"]}
            mappings = [one for one in properties.get("mappings", []) if one["type"] == "range"]
            assert all(one["options"]["result"]["text"].strip() for one in mappings)


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_differ_in_words_only(language: Language) -> None:
    def asked(name: str, of: Language) -> list[tuple[str, str, str]]:
        return [(query.letter, query.expr, query.unit) for query in queries_of(name, board_of(of, name))]

    assert dashboards(language).keys() == dashboards("en").keys()
    for name in dashboards("en"):
        assert asked(name, language) == asked(name, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language: Language) -> None:
    here, english = words(language), words("en")

    assert here["dashboards"].keys() == english["dashboards"].keys()
    assert all(text.strip() for text in here["dashboards"].values())


@pytest.mark.parametrize("figure", ASKED_FOR)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_figure_that_was_asked_for_is_there_by_its_name(language: Language, figure: str) -> None:
    name = words(language)["figures"][figure]

    assert any(f'"{name}"' in json.dumps(board, ensure_ascii=False) for board in dashboards(language).values())


def test_addresses_are_fixed_and_of_one_dashboard_each() -> None:
    addresses = [board_of(language, name)["uid"] for language, name in BOARDS]

    assert len(set(addresses)) == len(addresses)
    assert {name: board_of("en", name)["uid"] for name in dashboards()} == {
        name: f"contact-{name}" for name in dashboards()
    }


@each_board
def test_dashboards_of_a_language_lead_to_each_other(language: Language, name: str) -> None:
    board = board_of(language, name)

    assert board["tags"] == [TAG, language]
    if name != "wallboard-shared":
        (link,) = board["links"]
        assert (link["tags"], link["includeVars"]) == ([TAG, language], True)


def test_the_shared_wallboard_needs_no_variables() -> None:
    board = board_of("en", "wallboard-shared")

    assert "list" not in board["templating"]
    assert "$" not in json.dumps([panel["targets"] for panel in panels_of(board)])
    assert {panel["datasource"]["uid"] for panel in panels_of(board)} == {"prometheus"}


def test_every_metric_of_the_catalogue_has_its_place() -> None:
    shown = {quantity(name).name for query in QUERIES for name in names_in(query.expr)}

    assert {one.name for one in CATALOGUE} - shown <= NOT_SHOWN.keys()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.dashboard}-{query.panel}-{query.letter}")
def test_a_metric_that_is_shown_plainly_has_the_unit_of_the_catalogue(query: Shown) -> None:
    names = names_in(query.expr)
    # Words have no unit, and the colour of a heatmap counts contacts.
    if query.in_words or query.kind == "heatmap" or len(names) != 1 or any(sign in query.expr for sign in COMPUTED):
        return
    (name,) = names
    one = quantity(name)
    # Checkpoints and pages take milliseconds, for which clocks are too coarse.
    unit = "" if name.endswith("_count") else one.unit
    expected = "s" if "duration" in one.name else UNITS.get(unit, "short")
    assert query.unit == expected or (query.unit == "short" and one.unit in {"bool", "info"})


def test_a_row_that_does_not_fill_the_grid_is_refused() -> None:
    panel = lines("a", "b", [Value(name="c", expr="up", look=Look(unit="short"))])

    with pytest.raises(ValueError, match="does not fill 24 columns"):
        laid_out([Row(8, (panel,), (12,))])


def test_a_query_for_a_metric_that_the_catalogue_lacks_is_refused() -> None:
    with pytest.raises(KeyError, match="contact_moods"):
        Scope().series("contact_moods_total")
