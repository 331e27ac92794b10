"""What the doctor says of a page of figures: nothing is overlooked, and what is well asks for nothing."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from stream.doctor.finding import Finding, in_short
from stream.doctor.pages import FiguresPage, read_page
from stream.doctor.way_in_checks import look_at_gateway, look_at_source
from stream.doctor.worker_checks import clock_of, look_at_worker

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ago(seconds: float) -> float:
    return NOON.timestamp() - seconds


WORKER = f"""
contact_ready 1
contact_consumer_lag_records{{topic="contacts",partition="0"}} 3
contact_newest_event_timestamp_seconds {ago(2)}
contact_source_last_event_timestamp_seconds{{source="/pbx"}} {ago(2)}
contact_source_least_latency_seconds{{source="/pbx"}} 0.2
contact_events_invalid_total{{reason="not_json"}} 0
"""

GATEWAY = """
contact_gateway_set_aside_total{reason="not_json"} 0
contact_gateway_spool_limit_bytes 1e9
contact_gateway_spool_events 0
"""

SOURCE = f"""
contact_source_connected{{source="asterisk-ami",system="pbx:5038"}} 1
contact_source_newest_event_timestamp_seconds{{source="asterisk-ami"}} {ago(4)}
contact_source_inputs_total{{source="asterisk-ami",outcome="ignored",kind="Newchannel"}} 17
contact_source_events_total{{source="asterisk-ami"}} 12
"""


def worker(text: str) -> list[Finding]:
    return [*look_at_worker(read_page(text, None), NOON, timedelta(seconds=30))]


def gateway(text: str) -> list[Finding]:
    return [*look_at_gateway(read_page(text, None), NOON)]


def source(text: str) -> list[Finding]:
    return [*look_at_source(read_page(text, None), NOON)]


@pytest.mark.parametrize(("looked", "page"), [(worker, WORKER), (gateway, GATEWAY), (source, SOURCE)])
def test_what_is_well_asks_for_nothing(looked: Callable[[str], Sequence[Finding]], page: str) -> None:
    found = looked(page)

    assert found
    assert {(finding.verdict, finding.advice) for finding in found} == {("good", "")}


def without(page: str, name: str) -> str:
    return "\n".join(line for line in page.splitlines() if not line.startswith(name))


def cases() -> Iterator[tuple[Callable[[str], Sequence[Finding]], str, str, str, str]]:
    yield worker, "contact_build 1", "bad", "worker", "the page is not that of a worker"
    yield worker, WORKER.replace("contact_ready 1", "contact_ready 0"), "look", "worker", "it is not ready"
    silent = WORKER + f"contact_broker_silent_timestamp_seconds {ago(60)}\n"
    yield worker, silent, "bad", "worker", "no broker answers this worker"
    behind = WORKER.replace("} 3\n", "} 5000\n")
    yield worker, behind, "look", "backlog", "5000 records wait"
    not_durable = WORKER + f'contact_uncommitted_timestamp_seconds{{topic="a",partition="1"}} {ago(300)}\n'
    yield worker, not_durable, "bad", "checkpoints", "not durable since 5 min"
    yield worker, without(WORKER, "contact_newest"), "look", "newest event", "no event has arrived"
    stale = WORKER.replace(
        f"contact_newest_event_timestamp_seconds {ago(2)}", f"contact_newest_event_timestamp_seconds {ago(90)}"
    )
    yield worker, stale, "look", "newest event", "90 s old"
    quiet = WORKER.replace(f'{{source="/pbx"}} {ago(2)}', f'{{source="/pbx"}} {ago(7_300)}')
    yield worker, quiet, "look", "source /pbx", "its newest event is 2 h old"
    ahead = WORKER.replace('{source="/pbx"} 0.2', '{source="/pbx"} -8.0')
    yield worker, ahead, "bad", "source /pbx", "its clock is at least 8 s ahead"
    aside = WORKER.replace('{reason="not_json"} 0', '{reason="not_json"} 4')
    yield worker, aside, "look", "dead letters", "4 events were set aside: not_json"
    yield gateway, "contact_build 1", "bad", "gateway", "the page is not that of a gateway"
    yield gateway, without(GATEWAY, "contact_gateway_spool"), "look", "spool", "the gateway has none"
    waiting = f"contact_gateway_spool_events 12\ncontact_gateway_spool_oldest_timestamp_seconds {ago(120)}\n"
    kept = without(GATEWAY, "contact_gateway_spool_events") + "\n" + waiting
    yield gateway, kept, "bad", "spool", "12 accepted events wait for the broker since 2 min"
    yield gateway, GATEWAY + "contact_gateway_spool_broken 1\n", "bad", "spool", "the disk refuses"
    yield gateway, GATEWAY + "contact_gateway_spool_aside_events 2\n", "look", "spool", "2 events are kept aside"
    refused = 'contact_gateway_events_refused_total{source="crm",reason="not_json"} 3\n'
    yield gateway, GATEWAY + refused, "look", "gateway", "3 events of crm were refused: not_json"
    unknown = 'contact_source_inputs_total{source="zendesk",outcome="unknown",kind="news"} 2\n'
    yield gateway, GATEWAY + unknown, "look", "source zendesk", "2 inputs are not known: news"
    yield source, SOURCE.replace('5038"} 1', '5038"} 0'), "bad", "source asterisk-ami", "it does not hear pbx:5038"
    yield source, without(SOURCE, "contact_source_events"), "bad", "source", "the page is not that of a source"
    yield source, WORKER, "bad", "source", "the page is not that of a source"
    failed = 'contact_source_position_failures_total{source="asterisk-ami"} 3\n'
    yield source, SOURCE + failed, "bad", "source asterisk-ami", "its position was not kept 3 times"


@pytest.mark.parametrize(("looked", "page", "verdict", "about", "said"), [*cases()])
def test_what_is_not_well_is_said_with_what_to_do(
    looked: Callable[[str], Sequence[Finding]], page: str, verdict: str, about: str, said: str
) -> None:
    found = [finding for finding in looked(page) if finding.verdict != "good"]

    assert [(finding.verdict, finding.about) for finding in found] == [(verdict, about)]
    assert said in found[0].said
    assert found[0].advice


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-60, "its clock is 60 s behind ours"), (-2, None), (0, None), (2, None), (7200, "2 h ahead of")],
)
def test_a_clock_that_differs_is_told(seconds: float, said: str | None) -> None:
    found = [*clock_of("worker", FiguresPage({}, NOON + timedelta(seconds=seconds)), NOON)]

    assert [finding.verdict for finding in found] == ([] if said is None else ["bad"])
    assert all(said in finding.said for finding in found if said)


def test_who_tells_no_time_has_no_wrong_clock() -> None:
    assert [*clock_of("worker", FiguresPage({}, None), NOON)] == []


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ({"seconds": 0}, "0 s"),
        ({"seconds": 119}, "119 s"),
        ({"minutes": 2}, "2 min"),
        ({"hours": 2}, "2 h"),
        ({"days": 3}, "3 days"),
    ],
)
def test_a_length_is_said_as_people_do(length: dict[str, float], said: str) -> None:
    assert in_short(timedelta(**length)) == said
