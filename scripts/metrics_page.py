"""Writes `docs/metrics.md` from the catalogue: `python -m scripts.metrics_page > docs/metrics.md`."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from stream.app.catalogue import SECTIONS
from stream.core.figure import Figure
from stream.core.metric import Kind, Metric
from stream.families.contacts import figures as contacts
from stream.families.registry import FAMILIES

__all__ = ["written"]

_INTRODUCTION = """\
# Metrics

<!-- Generated from stream/families/ by `python -m scripts.metrics_page > docs/metrics.md`; do not edit. -->

What a worker shows on `/metrics`, as Prometheus text or OpenMetrics, whichever the scraper asks for.

- **No sample is not 0.** Where nothing was decided there is no service level, where nobody waits no longest
  wait: the series is missing, and no alert fires for an idle queue.
- **Labels** are `tenant`, `queue`, `channel`, `window`, and short lists: never a contact, a customer or an agent.
- **Windows** are `5m`, `15m`, `30m`, `1h` (the running minute and that many whole minutes before it) and `today`
  (since the queue's own day began). A queue lives in one worker, so its ratios are exact as they stand.
- **Every series costs memory.** So a figure is written in the windows that our dashboards and alerts read, which the
  tables name; a busy queue makes 90 series, {at_most} if everything happens to it that can, and 7 more for its
  agents. `CONTACT_STREAM_WINDOWS` chooses others: then every figure is written in each of them.
  `CONTACT_STREAM_HISTOGRAMS` chooses the buckets (`coarse`, `full`, `none`: only count and sum). `contact_page_series`
  says what a page costs.
- **Adding up queues:** never average ratios. Divide sums of the additive parts:
  `sum(contact_window_abandoned) / sum(contact_window_decided)`.
- **Counters** never go down. What a later event corrects stays counted, and `contact_corrections_total` says how much.
  What is inferred from other reports waits for its own: a counter shows it when an event of the queue is ten seconds
  later, a window at once. So do ghosts (`contact_expired_total`). Counters follow from the events alone, never from the
  clock.
- What most queues never have (reasons, transfers, callbacks, …) appears with the first one. `increase()` does not see
  that first step from nothing to one: of each queue, it misses the first such contact ever. What every queue counts
  (offered, answered, abandoned and their parts) begins with 0, and misses none.
"""

_FORMULAS = """\
## The service-level formulas

With *a* answered, *aT* answered within the threshold T, *b* abandoned, *bT* abandoned within T, *bS* abandoned within
the short-abandon limit S, *o* left by another exit, *kT* left for a callback within T. The edges are inclusive: a wait
of exactly T is within it. Default: C with T = 20 s and S = 5 s.

**An unknown wait is not 0.** Where nobody told when a wait began (the feed began later, or lost an event) and the call
system did not tell its length, no formula can say whether the contact was met. So *a* is without
`answered_wait_unknown`; *b* in C to H is without `abandoned_wait_unknown` (in B every abandon hurts, however long it
waited); *o* in H is without `callback_requested_wait_unknown`. Such contacts are in no mean wait and no bucket either;
they are answered, abandoned and handled like others.

| letter | service level | who |
|---|---|---|
| A | aT ÷ a | ICMI no. 2; Wazo; Asterisk `ServicelevelPerf` |
| B | aT ÷ (a + b) | ICMI no. 3; Genesys with all abandons |
| C | aT ÷ (a + b - bS) | Genesys without short abandons; Talkdesk; Twilio; RingCentral |
| D | aT ÷ (a + b - bT) | ICMI no. 4; Bright Pattern |
| E | (aT + bT) ÷ (a + b) | ICMI no. 1; Asterisk `ServicelevelPerf2` |
| F | (aT + bS) ÷ (a + b) | ICMI no. 5 |
| G | aT ÷ (a + b - bS + o) | Genesys with flow-outs; VCC with breakouts |
| H | (aT + bT + kT) ÷ (a + b + o) | Amazon Connect, service level X |
"""

_SECTIONS = (
    ("Now", "now"),
    ("Agents", "agents"),
    ("Satisfaction and quality", "surveys"),
    ("What a queue promises", "policy"),
    ("Windows", "windows"),
    ("Counters and histograms", "totals"),
    ("The feed itself", "feed"),
    ("The page itself", "page"),
)

_PROCESS = """\
Beside these, `process_*` and `python_*` of the client library tell memory, CPU, open files and garbage collection.
"""


_FIGURES = {one.metric.name: one for family in FAMILIES for one in family.figures if one.metric is not None}


def written() -> str:
    """Return the page."""
    tables = [f"## {title}\n\n{_table(SECTIONS[section])}" for title, section in _SECTIONS]
    introduction = _INTRODUCTION.replace("{at_most}", str(sum(map(_series, contacts.FIGURES))))
    return "\n".join([introduction, _FORMULAS, *tables, _PROCESS])


def _table(metrics: Sequence[Metric]) -> str:
    head = "| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(_cells(one))} |\n" for one in metrics)


def _series(figure: Figure[Any]) -> int:
    """Return how many series a figure makes of a queue at most, where nobody chose windows or buckets."""
    if figure.buckets is not None:
        return len(figure.coarse) + len(("+Inf", "sum", "count"))
    return (len(figure.written_in or ()) if figure.windowed else 1) * (len(figure.by) or 1)


def _cells(one: Metric) -> Iterator[str]:
    yield f"`{one.name}`"
    yield str(one.kind)
    yield one.unit
    yield ", ".join(f"`{label}`" for label in one.labels)
    formula = f" *{one.formula}*" if one.formula else ""
    yield f"{one.meaning}{formula}{_detail(_FIGURES[one.name]) if one.name in _FIGURES else ''}"


def _detail(figure: Figure[Any]) -> str:
    """Return in which windows, or with which buckets, a figure is written."""
    assert figure.metric is not None
    if figure.windowed:
        return (
            f" Windows: {', '.join(figure.written_in)}." if figure.written_in else " Only in windows that are chosen."
        )
    if figure.metric.kind is Kind.HISTOGRAM:
        coarse, full = (", ".join(map(str, bounds)) for bounds in (figure.coarse, figure.metric.buckets))
        return f" Buckets: {coarse}; all of them: {full}."
    return ""


if __name__ == "__main__":
    sys.stdout.write(written())
