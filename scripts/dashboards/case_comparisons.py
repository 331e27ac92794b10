"""What the dashboard of cases compares: today with the same weekday of last week, and contacts with cases."""

from collections.abc import Callable, Iterator

from grafana_foundation_sdk.builders import stat, timeseries

from scripts.dashboards import case_queries as ask
from scripts.dashboards.frame import Page
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Value, lines, numbers, plain, told
from scripts.dashboards.queries import Scope
from stream.core.windows import TODAY

__all__ = ["all_requests", "beside_last_week", "open_of_both"]

NEUTRAL = "#2b3b55"

OF_CONTACTS, OF_CASES = "contact_open_cases", "contact_cases_waiting"
OFFERED, OPENED = "contact_window_offered", "contact_case_window_opened"
RESOLVED, BACKLOG = "contact_case_window_resolved", "contact_cases_open"
LEVEL = "contact_case_first_response_level_ratio"


def beside_last_week(page: Page) -> Iterator[Row]:
    """Yield the rows that show today as it grows, and the same hours of the same weekday a week ago."""
    word = page.words
    yield Row(1, title=word["today_and_week_ago"])
    figures: dict[str, tuple[str, Callable[[Scope], str]]] = {
        "opened": (OPENED, lambda scope: scope.parts(OPENED, window=TODAY)),
        "resolved": (RESOLVED, lambda scope: scope.parts(RESOLVED, window=TODAY)),
        "first_response_level": (LEVEL, lambda scope: ask.ratio(scope, LEVEL, window=TODAY)),
        "backlog": (BACKLOG, lambda scope: scope.parts(BACKLOG)),
    }
    yield Row(8, [_beside(page, key, name, figure) for key, (name, figure) in figures.items()])


def _beside(page: Page, key: str, name: str, figure: Callable[[Scope], str]) -> timeseries.Panel:
    word = page.words
    values = [
        Value(name=word["window_today"], expr=figure(page.scope), look=plain(name)),
        Value(name=word["week_ago"], expr=figure(page.scope.last_week), look=plain(name)),
    ]
    return lines(f"{word[key]}: {word['today_and_week_ago']}", told(name), values)


def open_of_both(scope: Scope, by: tuple[str, ...] = (), **equals: str) -> str:
    """Return how many customers wait for an answer now, of contacts and cases."""
    contacts, own = scope.total(OF_CONTACTS, by, **equals), scope.parts(OF_CASES, by, **equals)
    return ask.of_both(contacts, own, by)


def all_requests(page: Page) -> Iterator[Row]:
    """Yield the rows of contacts and cases: together, voice and digital, and by channel."""
    scope, word = page.scope, page.words
    yield Row(1, title=word["together"])
    yield Row(5, (_open(page), _volume(page)))
    waiting = Value(name="{{channel}}", expr=open_of_both(scope, ("channel",)), look=plain(OF_CASES))
    came = Value(name="{{channel}}", expr=_came(scope, ("channel",)), look=plain(OPENED))
    by_channel = f"{word['open_cases']}: {word['channel']}"
    yield Row(
        8,
        (
            lines(by_channel, told(OF_CONTACTS, OF_CASES), [waiting], stacked=True),
            lines(word["volume_by_channel"], told(OFFERED, OPENED), [came], stacked=True),
        ),
    )


def _open(page: Page) -> stat.Panel:
    scope = page.scope
    parts = {
        "open_cases": open_of_both(scope),
        "voice": open_of_both(scope, channel="voice"),
        "digital": open_of_both(scope, channel="!voice"),
        "contacts": scope.total(OF_CONTACTS),
        "cases": scope.parts(OF_CASES),
    }
    return _apart(page, "open_cases", parts, told(OF_CONTACTS, OF_CASES))


def _volume(page: Page) -> stat.Panel:
    scope = page.scope
    parts = {
        "request_volume": _came(scope),
        "voice": _came(scope, channel="voice"),
        "digital": _came(scope, channel="!voice"),
        "contacts": scope.total(OFFERED, window=TODAY),
        "cases": scope.parts(OPENED, window=TODAY),
    }
    return _apart(page, "request_volume", parts, told(OFFERED, OPENED) + "\n\nToday, each queue by its own day.")


def _came(scope: Scope, by: tuple[str, ...] = (), **equals: str) -> str:
    """Return what came in today."""
    contacts = scope.total(OFFERED, by, window=TODAY, **equals)
    return ask.of_both(contacts, scope.parts(OPENED, by, window=TODAY, **equals), by)


def _apart(page: Page, key: str, parts: dict[str, str], about: str) -> stat.Panel:
    look = plain(OPENED, colour=NEUTRAL)
    values = [Value(name=page.words[part], expr=expr, look=look) for part, expr in parts.items()]
    return numbers(page.words[key], about, values)
