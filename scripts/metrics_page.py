"""Writes `docs/metrics.md` from the catalogue: `python -m scripts.metrics_page > docs/metrics.md`."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stream.app.catalogue import SECTIONS
from stream.core.figure import Figure
from stream.core.metric import Kind, Metric
from stream.families.cases import figures as cases
from stream.families.contacts import figures as contacts
from stream.families.customers import figures as customers
from stream.families.registry import FAMILIES
from stream.families.surveys import figures as surveys

__all__ = ["written"]

_INTRODUCTION = """\
# Metrics

<!-- Generated from stream/families/ by `python -m scripts.metrics_page > docs/metrics.md`; do not edit. -->

What a worker shows on `/metrics`, as Prometheus text or OpenMetrics, whichever the scraper asks for.

- **No sample is not 0.** Where nothing was decided there is no service level, where nobody waits no longest
  wait: the series is missing, and no alert fires for an idle queue.
- **Labels** are `tenant`, `queue`, `channel`, `window`, and short lists: never a contact, a case, a customer or an
  agent.
- **Windows of contacts** are `5m`, `15m`, `30m`, `1h` (the running minute and that many whole minutes before it) and
  `today` (since the queue's own day began). A queue of contacts lives in one worker, so its ratios are exact as they
  stand.
- **Windows of cases and surveys** are `today`, `7d`, `30d` and `90d`: the running day of the queue and that many whole
  days before it. The surveys of a queue are on one worker; its cases are on many: see [how to add them
  up](#cases-on-several-workers).
- **Windows of customers** are these, and `month` and `quarter`, which are running: of a queue by its own days, else by
  those of the tenant. They are on many workers: see [how to add them up](#customers-on-several-workers).
- **Every series costs memory.** So a figure is written in the windows that our dashboards and alerts read, which the
  tables name; a busy queue of contacts makes 90 series, {at_most} if everything happens to it that can, and 7 more for
  its agents. A queue of cases makes 119 while nothing but open cases is known of it, 162 when it is busy (150 if it is
  always served, and has no business time), {of_cases} if everything happens to it that can: on each worker that has
  some of its cases. `CONTACT_STREAM_WINDOWS` chooses others: then every figure is written in each of them that its
  family has. `CONTACT_STREAM_HISTOGRAMS` chooses the buckets (`coarse`, `full`, `none`: only count and sum).
  `contact_page_series` says what a page costs.
- **Adding up queues:** never average ratios. Divide sums of the additive parts:
  `sum(contact_window_abandoned) / sum(contact_window_decided)`.
- **Counters** never go down, but for those of cases and customers on a worker that gives a partition away. What a
  later event corrects stays counted, and `contact_corrections_total` says how much, of cases
  `contact_case_corrections_total`, of customers by queue `contact_customer_corrections_total`. Of contacts, what is
  inferred from other reports waits for its own: a counter shows it when an event of the queue is ten seconds later, a
  window at once. So do ghosts (`contact_expired_total`). Counters follow from the events alone,
  never from the clock.
- What most queues never have (reasons, transfers, callbacks, …) appears with the first one. `increase()` does not see
  that first step from nothing to one: of each queue, it misses the first such contact ever. What every queue counts
  (offered, answered, abandoned and their parts) begins with 0, and misses none. Counters of cases all appear with the
  first one.
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

_OF_CASES = Path(__file__).with_name("metrics_of_cases.md")
"""What there is to say of cases beside their tables."""

_OF_CUSTOMERS = Path(__file__).with_name("metrics_of_customers.md")
"""The same of customers."""

_SURVEYS = """\
## How surveys and reviews are counted

- **An answer** counts when it was first given, with the score that was given last: `survey.changed` corrects the
  figures of that day. An invitation counts when it was sent. So a response rate may be above 1 in a window.
- **CSAT** is the share of scores in the positive set of the policy; by default 4 and 5 of 1-5, 6 and 7 of 1-7, 7 to 10
  of 1-10 and 0-10, thumbs up, yes, and the happy smiley. The mean is told in one scale, whatever scale was used.
- **CES** is by default the sum of the ratings, on 1-10, over all who were asked: whoever was invited, and whoever
  answered without a known invitation. With `ces_per = "answered"` it is the mean of the answers. Where the highest
  score is the worst, an event says `higher_is_better: false`, and the score is turned over.
- **NPS** is asked on 0-10: 9 and 10 promote, 0 to 6 detract.
- **IQS** is the mean of reviews; of each the weighted mean of (score - min) ÷ (max - min) of its categories, without
  those that did not apply. Less than half of a critical category makes the review 0.
- **Margins of error**: with 95 % confidence the figure of all customers is between `lower` and `upper`. Wilson's
  interval for shares, the normal one for means: of a few answers that all say the same it is too narrow.
- **Too few answers**: a figure is on this page however few it is made of, and not judged on a board below
  `survey_minimum_answers`. Alerts should demand `contact_survey_window_answers >= contact_survey_minimum_answers`.
- **Asked too often** are invitations of customers who had been asked as often as the policy allows by then, by whatever
  queue: `contact_customer_window_asked_too_often`, with the figures of customers.
- A queue and channel in which everything happens makes {of_queue} series, with surveys of satisfaction alone {of_csat};
  an item or group of customers makes {of_group}. Single agents are on a board where the policy says so, and never here.
"""

_SECTIONS = (
    ("Now", "now"),
    ("Agents", "agents"),
    ("Satisfaction and quality", "surveys"),
    ("What a queue promises", "policy"),
    ("Windows", "windows"),
    ("Counters and histograms", "totals"),
    ("Cases now", "cases"),
    ("What a queue of cases promises", "case_policy"),
    ("Windows of cases", "case_windows"),
    ("Counters and histograms of cases", "case_totals"),
    ("Customers by queue", "customer_queues"),
    ("Customers now", "customers"),
    ("Customers over months", "customer_periods"),
    ("Carts", "carts"),
    ("Contacts around a purchase", "customer_journeys"),
    ("What is promised of customers", "customer_policy"),
    ("Counters of customers", "customer_totals"),
    ("The feed itself", "feed"),
    ("The HTTP gateway, on its own page", "gateway"),
    ("A source, on its own page; a webhook on that of the gateway", "sources"),
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
    introduction = introduction.replace("{of_cases}", str(sum(map(_series, cases.FIGURES))))
    return "\n".join([introduction, _FORMULAS, _OF_CASES.read_text(), _surveys(), _customers(), *tables, _PROCESS])


def _surveys() -> str:
    """Return what is to be known of surveys, with how many series they make."""
    told = [(one, one.metric) for one in surveys.FIGURES if one.metric is not None]
    of_group = [one for one, metric in told if "group" in metric.labels]
    of_queue = [(one, metric) for one, metric in told if "group" not in metric.labels]
    of_csat = [pair for pair in of_queue if not re.match("contact_(ces|nps|iqs)|.*reviews", pair[1].name)]
    numbers = {
        "{of_queue}": sum(_series(one) for one, _ in of_queue),
        "{of_csat}": sum(_series(one) // (len(one.by) if "kind" in metric.labels else 1) for one, metric in of_csat),
        "{of_group}": sum(map(_series, of_group)),
    }
    page = _SURVEYS
    for blank, number in numbers.items():
        page = page.replace(blank, str(number))
    return page


def _customers() -> str:
    """Return what is to be known of customers, with how many series they make."""
    told = [(_series(one), one.metric.labels) for one in customers.FIGURES if one.metric is not None]
    of_queue = sum(many for many, labels in told if "queue" in labels)
    of_members = sum(many for many, labels in told if "queue" not in labels)
    page = _OF_CUSTOMERS.read_text()
    return page.replace("{of_queue}", str(of_queue)).replace("{of_members}", str(of_members))


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
