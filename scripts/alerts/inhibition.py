"""What silences what, as `grafana/alertmanager/alertmanager.yml` says it, in PromQL: Grafana knows no inhibition.

Prometheus evaluates the rules also for those who have no Alertmanager, so its `ALERTS` tell what fires.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from scripts.alerts.alert import Alert
from scripts.alerts.expressions import indented
from scripts.alerts.prometheus import labels

__all__ = ["ALERTMANAGER", "unless_inhibited"]

ALERTMANAGER = Path(__file__).parents[2] / "grafana" / "alertmanager" / "alertmanager.yml"
MATCHER = re.compile(r'(\w+) *(=~|!=|=) *"(.*)"')


def unless_inhibited(alert: Alert) -> str:
    """Return the expression of an alert that has no answer while what inhibits the alert fires."""
    clauses = [
        f"unless on ({', '.join(rule.get('equal', []))}) ALERTS{{{_selector(rule['source_matchers'])}}}"
        for rule in _rules()
        if _concerns(alert, rule["target_matchers"])
    ]
    return "\n".join(["(", indented(alert.expr), ")", *clauses]) if clauses else alert.expr


@cache
def _rules() -> Sequence[Mapping[str, Any]]:
    rules: Sequence[Mapping[str, Any]] = yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]
    return rules


def _selector(matchers: Sequence[str]) -> str:
    return ", ".join(['alertstate="firing"', *("".join(_parts(one)[:2]) + f'"{_parts(one)[2]}"' for one in matchers)])


def _concerns(alert: Alert, matchers: Sequence[str]) -> bool:
    known = {"alertname": alert.name, **labels(alert)}
    return all(_matches(known[name], sign, value) for name, sign, value in map(_parts, matchers))


def _matches(text: str, sign: str, value: str) -> bool:
    return bool(re.fullmatch(value, text)) if sign == "=~" else (text == value) == (sign == "=")


def _parts(matcher: str) -> tuple[str, str, str]:
    found = MATCHER.fullmatch(matcher)
    assert found, f"alertmanager.yml: {matcher} is no matcher that is known here"
    name, sign, value = found.groups()
    return name, sign, value
