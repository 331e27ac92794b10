"""The service level by each of the eight formulas, from the additive parts of a window: what any formula would say."""

from collections.abc import Mapping

from scripts.dashboards.queries import QUEUE, Scope

__all__ = ["by_formula"]

_UNTIMED = ("answered_wait_unknown", "abandoned_wait_unknown")
_ANSWERED = "answered - answered_wait_unknown"
_TIMED = f"answered + abandoned - {' - '.join(_UNTIMED)}"

FORMULAS: Mapping[str, tuple[str, str]] = {
    "A": ("answered_in_target", _ANSWERED),
    "B": ("answered_in_target", f"{_ANSWERED} + abandoned"),
    "C": ("answered_in_target", f"{_TIMED} - abandoned_short"),
    "D": ("answered_in_target", f"{_TIMED} - abandoned_in_target"),
    "E": ("answered_in_target + abandoned_in_target", _TIMED),
    "F": ("answered_in_target + abandoned_short", _TIMED),
    "G": ("answered_in_target", f"decided - {' - '.join(_UNTIMED)} - abandoned_short"),
    "H": (
        "answered_in_target + abandoned_in_target + callback_requested_in_target",
        f"decided - {' - '.join(_UNTIMED)} - callback_requested_wait_unknown",
    ),
}
"""What was met and what was decided, as `stream.families.contacts.service_level` has it; a test compares the two."""

SELDOM = frozenset({*_UNTIMED, "callback_requested_in_target", "callback_requested_wait_unknown"})
"""Parts that have no sample where a queue never had one."""


def by_formula(scope: Scope) -> dict[str, str]:
    """Return a query for each letter; each row tells the letter of the queue's own formula, too."""
    by = (*QUEUE, "formula")
    own = f"{scope.each('contact_queue_policy_info', by)}"
    return {
        letter: f"{own} * on ({', '.join(QUEUE)}) group_left () (({_sum(scope, met)}) / (({_sum(scope, decided)}) > 0))"
        for letter, (met, decided) in FORMULAS.items()
    }


def _sum(scope: Scope, parts: str) -> str:
    return " ".join(part if part in "+-" else _part(scope, part) for part in parts.split())


def _part(scope: Scope, name: str) -> str:
    found = scope.each(f"contact_window_{name}")
    return f"({found} or {scope.each('contact_window_decided')} * 0)" if name in SELDOM else found
