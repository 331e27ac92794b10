"""What all dashboards share: words, variables, links between them, and one data source for every query."""

from collections import ChainMap
from collections.abc import Iterable, Mapping

from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import prometheus as queries
from msgspec import Struct
from msgspec.structs import replace

from scripts.dashboards.layout import Row, laid_out
from scripts.dashboards.panels import AMBER, GREEN, GREY, RED, Look
from scripts.dashboards.queries import EVERY, QUEUE, STATE, Scope
from stream.core.windows import DEFAULT_WINDOW
from stream.languages.words import Language, panel_words, words

__all__ = ["CONTACTS", "SURVEYS", "TAG", "Choices", "Page", "framed", "page_of", "uid_of"]

TAG = "contact-stream"

SOURCE = "${datasource}"
FIXED_SOURCE = "prometheus"
"""The uid in `grafana/provisioning/datasources/prometheus.yaml`, for screens without variables."""

REFRESH = "5s"

TOGETHER = "()"
"""Matches what has no plan, or no group: the figures of all customers together, which plans are not to be added to."""

_COLOURS = {"state_no_sample": GREY, "state_ok": GREEN, "state_at_risk": AMBER, "state_breached": RED}


class Choices(Struct, frozen=True, kw_only=True):
    """What a reader of a dashboard may choose: the queues and windows of one family."""

    queues: str
    """A gauge that every queue has."""
    windows: str
    """A figure that every queue has in every window."""
    window: str
    """The window that is chosen as long as nobody chose another."""
    variable: str = "window"
    """
    The variable that holds it.

    Links between dashboards take variables along: who has other windows needs a name of their own for it.
    """
    members: str = ""
    """A gauge that every plan and group of customers has; empty: these cannot be chosen."""
    period: str = ""
    """Another variable, which holds the window of churn; empty: there is none."""


CONTACTS = Choices(queues="contact_open_cases", windows="contact_window_answered", window=DEFAULT_WINDOW)
SURVEYS = Choices(
    queues="contact_survey_minimum_answers", windows="contact_survey_window_comments", window="30d", variable="days"
)


class Page(Struct, frozen=True, kw_only=True):
    """In which words and over which series a dashboard speaks."""

    language: Language
    words: Mapping[str, str]
    scope: Scope

    def of_family(self, name: str) -> "Page":
        """Return the page that first knows the words of a family's own panel."""
        own = panel_words(f"stream.families.{name}", self.language)
        return replace(self, words=ChainMap(dict(own), dict(self.words)))

    @property
    def state(self) -> Look:
        """How the numbers of `Scope.state` are shown."""
        return Look(unit="none", words={STATE[key]: (self.words[key], _COLOURS[key]) for key in STATE})

    @property
    def truth(self) -> Look:
        """How 1 and 0 are shown where they mean yes and no."""
        return Look(unit="none", words={(1, 1): (self.words["yes"], GREY), (0, 0): (self.words["no"], GREY)})

    def against(self, *limits: float) -> Look:
        """Return how a value is shown of which the less is the better: fine, at risk and broken, in words."""
        risk, broken = limits
        small = 1e-9  # ranges include both of their ends
        ranges = {"ok": (-1e9, risk - small), "at_risk": (risk, broken - small), "breached": (broken, 1e9)}
        told_in = {key: (self.words[f"state_{key}"], _COLOURS[f"state_{key}"]) for key in ranges}
        return Look(unit="none", words={ranges[key]: told_in[key] for key in ranges})


def page_of(language: Language, *, variables: bool = True) -> Page:
    """Return the page of a language; one without *variables* is for shared screens."""
    sections = words(language)
    found = ChainMap(*(dict(sections[name]) for name in ("dashboards", "figures", "board")))
    return Page(language=language, words=found, scope=Scope(variables=variables))


def uid_of(name: str, language: Language) -> str:
    """Return the fixed address of a dashboard: `contact-wallboard`, `contact-wallboard-sl`."""
    return f"contact-{name}" if language == "en" else f"contact-{name}-{language}"


def framed(
    page: Page,
    name: str,
    rows: Iterable[Row],
    *,
    about: str,
    choices: Choices | None = CONTACTS,
    alerts: str = "",
    since: str = "now-3h",
) -> dashboard.Dashboard:
    """
    Return a whole dashboard; the title is the word called *name*.

    A reader chooses queues and a *window*, or of surveys windows of *days*. Times are marked at which *alerts* fired.
    """
    built = (
        dashboards.Dashboard(page.words[f"title_{name.replace('-', '_')}"])
        .uid(uid_of(name, page.language))
        .description(about)
        .tags([TAG, page.language])
        .readonly()
        .refresh(REFRESH)
        .time(since, "now")
        .timezone(common.TimeZoneBrowser)
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
    )
    if page.scope.variables:
        built.link(_links(page))
        for variable in _variables(page, choices):
            built.with_variable(variable)
    if alerts:
        built.annotation(_marks(page, alerts))
    whole = built.build()
    whole.panels = laid_out(rows)
    _from_one_source(whole, SOURCE if page.scope.variables else FIXED_SOURCE)
    return whole


def _from_one_source(whole: dashboard.Dashboard, uid: str) -> None:
    source = common.DataSourceRef(type_val="prometheus", uid=uid)
    for panel in whole.panels or []:
        if isinstance(panel, dashboard.Panel):
            panel.datasource = source
            for target in panel.targets or []:
                assert isinstance(target, queries.Dataquery)
                target.datasource = source


def _marks(page: Page, concerns: str) -> dashboards.AnnotationQuery:
    marks = dashboards.AnnotationQuery().name(page.words["alerts"]).enable(True).icon_color(RED)
    marks.datasource(common.DataSourceRef(type_val="prometheus", uid=SOURCE)).expr(page.scope.firing(concerns))
    # Grafana joins what is no further apart than this to one mark, and asks for a hundred points: 8 hours of them.
    marks.step("5m")
    return marks.title_format("{{alertname}}").tag_keys(
        "severity,queue,channel,plan,group,topic,partition,source,instance"
    )


def _links(page: Page) -> dashboards.DashboardLink:
    link = dashboards.DashboardLink(page.words["boards"]).type(dashboard.DashboardLinkType.DASHBOARDS)
    return link.tags([TAG, page.language]).include_vars(True).keep_time(True)


def _variables(page: Page, choices: Choices | None) -> list[Builder[dashboard.VariableModel]]:
    """Each offers what those before it leave over, whatever there is."""
    source = dashboards.DatasourceVariable("datasource").label("Data source").type("prometheus")
    source.current(dashboard.VariableOption(text="Prometheus", value=FIXED_SOURCE))
    found: list[Builder[dashboard.VariableModel]] = [source]
    for name, (label, series) in _asked(page, choices).items():
        found.append(_query_variable(page, name, label, f"label_values({series}, {name})"))
    if choices is None:
        return found
    if choices.period:
        found.append(_window(page, "period", choices.period, "contact_customer_window_lost", "30d"))
    return [*found, _window(page, "window", choices.variable, choices.windows, choices.window)]


def _asked(page: Page, choices: Choices | None) -> dict[str, tuple[str, str]]:
    """Return by name how a variable is called, and the series whose labels it offers."""
    asked = {"job": ("job", "contact_ready"), "instance": ("instance", 'contact_ready{job=~"$job"}')}
    if choices is not None:
        where = 'job=~"$job", instance=~"$instance"'
        for label in QUEUE:
            asked[label] = (page.words[label], f"{choices.queues}{{{where}}}")
            where += f', {label}=~"${label}"'
        if choices.members:
            # Of tenants also those who have customers, and no queue to which these come.
            asked["tenant"] = (page.words["tenant"], f'{choices.members}{{job=~"$job", instance=~"$instance"}}')
            for label in ("plan", "group"):
                one = f'{choices.members}{{job=~"$job", instance=~"$instance", tenant=~"$tenant"}}'
                asked[label] = (page.words[label], one)
    return asked


def _query_variable(page: Page, name: str, label: str, query: str) -> dashboards.QueryVariable:
    return (
        dashboards.QueryVariable(name)
        .label(label)
        .datasource(common.DataSourceRef(type_val="prometheus", uid=SOURCE))
        .query({"query": query, "refId": name})
        .definition(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.NATURAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(TOGETHER if name in {"plan", "group"} else EVERY)
        .current(dashboard.VariableOption(text=[page.words["all"]], value=["$__all"]))
    )


def _window(page: Page, word: str, variable: str, series: str, first: str) -> dashboards.QueryVariable:
    """Offer the windows in which workers write some *series*, one at a time; *first* is chosen until another one is."""
    query = f'label_values({series}{{job=~"$job", instance=~"$instance"}}, window)'
    return (
        dashboards.QueryVariable(variable)
        .label(page.words[word])
        .datasource(common.DataSourceRef(type_val="prometheus", uid=SOURCE))
        .query({"query": query, "refId": variable})
        .definition(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.NATURAL_ASC)
        .current(dashboard.VariableOption(text=first, value=first))
    )
