"""The wallboard: six tiles against their targets, what changed in a week, and the worst queues. No scrolling."""

from collections.abc import Callable, Iterator

from grafana_foundation_sdk.builders import stat
from grafana_foundation_sdk.models import dashboard
from msgspec import Struct

from scripts.dashboards.banner import banner
from scripts.dashboards.case_comparisons import open_of_both
from scripts.dashboards.frame import Page, framed
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Look, Value, numbers, plain, told
from scripts.dashboards.queries import Scope, weighted

__all__ = ["shared_wallboard", "wallboard"]

ABOUT = (
    "For a wall: what waits now and how the promises are kept, each against its target, with the worst queues below."
)
WORST = 8
"""So many queues fit on one line of a wall."""

NEUTRAL = "#2b3b55"
DELTA = "#3b3f46"
"""Backgrounds of what is neither good nor bad."""


class Tile(Struct, frozen=True, kw_only=True):
    """One big number, how it stands against its target, and its change in a week."""

    key: str
    about: str
    figure: Callable[[Scope], str]
    look: Look
    more: tuple[tuple[str, Callable[[Scope], str]], ...] = ()
    """Further numbers of the same unit, by the words of their names."""
    against: tuple[Callable[[Scope], str], float, float] | None = None
    """What is judged, from where on it is at risk, and from where on broken."""


def wallboard(page: Page) -> dashboard.Dashboard:
    """Return the wallboard, for those who choose what they see."""
    return framed(page, "wallboard", _rows(page), about=ABOUT)


def shared_wallboard(page: Page) -> dashboard.Dashboard:
    """Return the wallboard of everything: shared screens know no variables, *page* must have none."""
    return framed(page, "wallboard-shared", _rows(page), about=ABOUT)


def _rows(page: Page) -> Iterator[Row]:
    tiles = [*_now(), *_kept(), *_agents()]
    yield banner(page, 3)
    for three in (tiles[:3], tiles[3:]):
        yield Row(5, [_big(page, tile) for tile in three])
        yield Row(3, [_since_last_week(page, tile) for tile in three])
    yield Row(5, (_worst(page),))


def _now() -> Iterator[Tile]:
    yield Tile(
        key="open_cases",
        about=told("contact_open_cases", "contact_cases_waiting"),
        figure=open_of_both,
        look=plain("contact_open_cases", colour=NEUTRAL),
        more=(
            ("voice", lambda scope: open_of_both(scope, channel="voice")),
            ("digital", lambda scope: open_of_both(scope, channel="!voice")),
        ),
    )
    wait, threshold = "contact_longest_wait_seconds", "contact_service_level_threshold_seconds"
    limit = "contact_longest_wait_limit_seconds"

    def too_long(scope: Scope) -> str:
        longest = scope.each(wait)
        return f"max (({longest} > bool {scope.each(threshold)}) + ({longest} > bool {scope.each(limit)}))"

    yield Tile(
        key="longest_wait",
        about=told(wait, threshold, limit) + "\n\nAt risk beyond the threshold, broken beyond the limit.",
        figure=lambda scope: f"max ({scope.each(wait)})",
        look=plain(wait, colour=NEUTRAL),
        against=(too_long, 1, 2),
    )
    yield Tile(
        key="waiting_past_threshold",
        about=told("contact_waiting_past_threshold"),
        figure=lambda scope: scope.total("contact_waiting_past_threshold"),
        look=plain("contact_waiting_past_threshold", colour=NEUTRAL),
        against=(lambda scope: scope.total("contact_waiting_past_threshold"), 1, 5),
    )


def _kept() -> Iterator[Tile]:
    level, target = "contact_service_level_ratio", "contact_service_level_target_ratio"
    decided = "contact_window_decided"

    def shortfall(scope: Scope) -> str:
        return weighted(f"{scope.each(target)} - {scope.each(level)}", scope.each(decided))

    yield Tile(
        key="service_level",
        about=told(level, target) + "\n\nOver several queues: weighted by their decided contacts. At risk is what is "
        "less than five points above its target.",
        figure=lambda scope: weighted(scope.each(level), scope.each(decided)),
        look=plain(level, colour=NEUTRAL),
        against=(shortfall, -0.05, 1e-6),
    )

    def abandonment(scope: Scope) -> str:
        return f"{scope.total('contact_window_abandoned')} / ({scope.total(decided)} > 0)"

    given_up, limit = "contact_abandonment_excluding_short_ratio", "contact_abandonment_limit_ratio"
    yield Tile(
        key="abandonment",
        about=told("contact_abandonment_ratio", given_up, limit) + "\n\nJudged without the short ones, by the limits.",
        figure=abandonment,
        look=plain("contact_abandonment_ratio", colour=NEUTRAL),
        against=(
            lambda scope: weighted(f"{scope.each(given_up)} - {scope.each(limit)}", scope.each(decided)),
            -0.05,
            1e-6,
        ),
    )


def _agents() -> Iterator[Tile]:
    def alone(scope: Scope) -> str:
        waiting = scope.total("contact_open_cases", ("tenant", "queue"), channel="voice")
        free = scope.parts("contact_agents", ("tenant", "queue"), state="available")
        return f"sum (({waiting} > bool 0) * on (tenant, queue) ({free} == bool 0))"

    yield Tile(
        key="available",
        about=told("contact_tenant_agents") + "\n\nBroken when callers wait in a queue that nobody is available for.",
        figure=lambda scope: f"sum ({scope.parts('contact_tenant_agents', ('tenant',), state='available')})",
        look=plain("contact_tenant_agents", colour=NEUTRAL),
        against=(alone, 0.5, 1),
    )


def _big(page: Page, tile: Tile) -> stat.Panel:
    word = page.words
    values = [Value(name=word[tile.key], expr=tile.figure(page.scope), look=tile.look)]
    values += [Value(name=word[key], expr=expr(page.scope), look=tile.look) for key, expr in tile.more]
    if tile.against is not None:
        judged, *limits = tile.against
        values.append(Value(name=word["target_state"], expr=judged(page.scope), look=page.against(*limits)))
    return numbers(word[tile.key], tile.about, values)


def _since_last_week(page: Page, tile: Tile) -> stat.Panel:
    scope = page.scope
    change = f"({tile.figure(scope)}) - ({tile.figure(scope.last_week)})"
    unit, decimals = tile.look.unit, tile.look.decimals
    if unit == "dthms":  # which is "… ago" when it is less than nothing
        unit, decimals = "s", 0
    look = Look(unit=unit, decimals=decimals, colour=DELTA)
    title = f"{page.words[tile.key]}: {page.words['since_last_week']}"
    value = Value(name=page.words["since_last_week"], expr=change, look=look)
    return numbers(title, tile.about + "\n\nNow minus the same time a week ago.", [value])


def _worst(page: Page) -> stat.Panel:
    look = page.state
    value = Value(name="{{queue}} · {{channel}}", expr=f"sort_desc (topk ({WORST}, {page.scope.state()}))", look=look)
    about = told("contact_service_level_ratio", "contact_waiting_past_threshold")
    return numbers(page.words["worst_queues"], about + "\n\nBy their own targets, as on the live board.", [value])
