"""Every event of every family has a maker in the SDK, and what it makes is valid."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from inspect import getmembers, isfunction
from typing import get_type_hints

import pytest

from stream.core.cloudevents import Event, tag_of
from stream.errors import InvalidEvent
from stream.families.registry import DECODER, FAMILIES
from stream.sdk.callbacks import CallbackEvents
from stream.sdk.cases import CaseEvents
from stream.sdk.customers import CustomerEvents
from stream.sdk.factory import EventFactory
from stream.sdk.producer import checked
from stream.sdk.surveys import ReviewCategory, SurveyEvents

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FACTORY = EventFactory("/crm", tenant="acme", clock=lambda: NOON)
CALLBACKS, CASES, SURVEYS = CallbackEvents(FACTORY), CaseEvents(FACTORY), SurveyEvents(FACTORY)

MADE = [
    FACTORY.ivr_ended("c", "queued", queue="sales", did="1000"),
    FACTORY.offered_to_agent("c", "sales", offer="o-1", agent="eve"),
    FACTORY.offer_ended("c", "sales", "missed", offer="o-1", ring=timedelta(seconds=20), agent="eve"),
    FACTORY.wrapup_started("c", "sales", agent="eve"),
    CALLBACKS.requested("b", "sales", origin="c", due_at=NOON, customer="c-1"),
    CALLBACKS.attempted("b", "sales", attempt=2),
    CALLBACKS.connected("b", "sales", attempt=2, agent="eve"),
    CALLBACKS.failed("b", "sales", attempt=3),
    CASES.opened("k", "claims", priority="high", opened_by="agent", split_from="j", topic="delivery", customer="c-1"),
    CASES.assigned("k", "claims", agent="eve"),
    CASES.status_changed("k", "pending", priority="urgent"),
    CASES.resolved("k", queue="claims", channel="email", topic="delivery"),
    CASES.reopened("k", customer="c-1"),
    CASES.closed("k"),
    CASES.merged("k", into="j"),
    CASES.deleted("k", "spam"),
    CASES.message_received("k", message="m-1", automatic=True),
    CASES.message_sent("k", message="m-2", author="bot", public=False, automatic=True, agent="eve"),
    SURVEYS.invited("s", "csat", queue="sales", customer="c-1"),
    SURVEYS.answered("s", "csat", 4, queue="sales", channel="voice", comment="Good.", customer="c-1"),
    SURVEYS.changed("s", "ces", 2, scale="1-5", higher_is_better=False),
    SURVEYS.reviewed("r", [ReviewCategory(name="tone", score=3, max=5)], queue="sales", agent="eve", group="new"),
]


def kinds_made() -> Iterator[type[Event]]:
    """The kinds of event that the methods of the makers say they return."""
    for maker in (EventFactory, CallbackEvents, CaseEvents, SurveyEvents, CustomerEvents):
        for name, method in getmembers(maker, isfunction):
            kind = get_type_hints(method).get("return")
            if not name.startswith("_") and isinstance(kind, type) and issubclass(kind, Event):
                yield kind


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_event_of_a_family_has_one_maker(family: object) -> None:
    kinds = [*kinds_made()]
    missing = {tag_of(kind): kinds.count(kind) for kind in family.events if kinds.count(kind) != 1}  # type: ignore[attr-defined]  # of any family

    assert missing == {}


@pytest.mark.parametrize("event", MADE, ids=tag_of)
def test_what_a_maker_makes_is_valid_and_carries_its_envelope(event: Event) -> None:
    assert DECODER.decode(checked(event)) == event
    assert (event.source, event.tenantid, event.time, event.specversion) == ("/crm", "acme", NOON, "1.0")


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: CALLBACKS.failed("b", "sales", agnet="eve"), "agnet"),  # type: ignore[call-arg]
        (lambda: CASES.closed("k", agnet="eve"), "agnet"),  # type: ignore[call-arg]
        (lambda: SURVEYS.invited("s", "csat", agnet="eve"), "agnet"),  # type: ignore[call-arg]
        (lambda: SURVEYS.answered("s", "csat", 4, agnet="eve"), "agnet"),  # type: ignore[call-arg]
        (lambda: SURVEYS.answered("s", "csat", 6), "data.score"),
        (lambda: SURVEYS.answered("s", "cast", 6), "data.score"),  # type: ignore[arg-type]
        (lambda: SURVEYS.changed("s", "nps", "9"), "data.score"),  # type: ignore[arg-type]
        (lambda: FACTORY.offer_ended("c", "q", "missed", ring=8), "ring"),  # type: ignore[arg-type]
    ],
)  # what a caller without a type checker may write
def test_a_wrong_argument_is_named_at_once(make: Callable[[], Event], field: str) -> None:
    with pytest.raises(InvalidEvent) as refused:
        make()

    assert refused.value.field == field
