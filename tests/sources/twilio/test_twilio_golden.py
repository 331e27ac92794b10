"""A quarter of an hour of a workspace: the board has the figures that were computed by hand, however it is told."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.families.contacts.snapshot import QueueSnapshot
from tests.samples import sample
from tests.sources.twilio.workspace import BEGIN, Story, form, signed, stream, told_by, webhook

DAY = """
1      worker.activity.update  ana        WorkerPreviousActivityName=Offline
2      worker.activity.update  bojan      WorkerPreviousActivityName=Offline
3      worker.activity.update  cilka      WorkerPreviousActivityName=Offline

10     task.created            ann
10.02  task-queue.entered      ann        TaskQueueName=sales
10.1   reservation.created     ann ana
25.1   reservation.timeout     ann ana
25.3   reservation.created     ann bojan
29.82  reservation.accepted    ann bojan
105    reservation.wrapup      ann bojan
105    task.wrapup             ann
120    reservation.completed   ann bojan
120    task.completed          ann

130    task-queue.entered      bob        TaskQueueName=sales
143.5  task.canceled           bob        TaskCanceledReason=hangup

150    task-queue.entered      cyd        TaskQueueName=sales
153    task.canceled           cyd        TaskCanceledReason=hangup

160    task-queue.entered      dan        TaskQueueName=sales
170    task.canceled           dan        TaskCanceledReason=Callback_requested

200    task-queue.entered      eve        TaskQueueName=sales
230    task-queue.timeout      eve
230    task-queue.entered      eve        TaskQueueName=support
231    reservation.created     eve ana
236    reservation.rejected    eve ana
237    reservation.created     eve bojan
240    reservation.accepted    eve bojan
300    reservation.wrapup      eve bojan
300    task.wrapup             eve
320    reservation.completed   eve bojan
320    task.completed          eve

400    task-queue.entered      fay        TaskQueueName=sales
401    reservation.created     fay ana
405    reservation.accepted    fay ana
465    task.transfer-initiated fay        TransferMode=COLD
465.2  reservation.wrapup      fay ana
466    task-queue.entered      fay        TaskQueueName=sales TaskTransferSid=TT1
467    reservation.created     fay bojan
476    reservation.accepted    fay bojan
476    task.transfer-completed fay        TransferMode=COLD
480    reservation.completed   fay ana
506    reservation.wrapup      fay bojan
506    task.wrapup             fay
516    reservation.completed   fay bojan
516    task.completed          fay

600    task.created            gus        TaskAttributes={"direction":"outbound"}
600    task-queue.entered      gus        TaskQueueName=sales
601    reservation.created     gus ana
602    reservation.accepted    gus ana
642    reservation.wrapup      gus ana
642    task.wrapup             gus
652    reservation.completed   gus ana
652    task.completed          gus

700    task-queue.entered      hal        TaskQueueName=sales
760    task.canceled           hal        TaskCanceledReason=Task_TTL_Exceeded

800    task-queue.entered      ian        TaskQueueName=sales
815    task.canceled           ian        TaskCanceledReason=Voicemail

850    worker.activity.update  cilka      WorkerActivityName=Offline
860    worker.activity.update  ana        WorkerActivityName=Break
900    task-queue.entered      joe        TaskQueueName=sales
"""

SALES = {
    "offered": 10,  # ann bob cyd dan eve fay fay hal ian joe; gus was called by us
    "answered": 3,  # ann after 19.8 s, fay after 5 s, and after 10 s by the next agent
    "answered_in_target": 3,
    "answer_wait_ms": 34_800,
    "abandoned": 2,  # bob after 13.5 s, cyd after 3 s
    "abandoned_short": 1,
    "abandon_wait_ms": 16_500,
    "dequeued_timeout": 2,  # eve hal
    "dequeued_callback_requested": 1,  # dan
    "dequeued_voicemail": 1,  # ian
    "transferred_in": 1,
    "transferred_out": 1,
    "requeued": 0,
    "handled": 4,  # ann fay fay gus
    "talk_ms": 205_180,  # 75.18 + 60 + 30 + 40
    "wrapup_ms": 35_000,  # 15 + 10 + 10
    "offers_missed": 1,  # ann at ana
}

SUPPORT = {
    "offered": 1,  # eve
    "requeued": 1,
    "answered": 1,
    "answer_wait_ms": 10_000,
    "abandoned": 0,
    "handled": 1,
    "talk_ms": 60_000,
    "wrapup_ms": 20_000,
    "offers_missed": 1,  # eve at ana
}

AT = datetime.fromtimestamp(BEGIN + 930, UTC)

CALLBACKS = Story(DAY).callbacks


def assert_figures(events: Iterable[Event]) -> None:
    board = replay(events, at=AT).board(AT)
    queues: dict[str, QueueSnapshot] = {one.queue: one for one in board.snapshots["contacts"]}
    for name, expected in {"sales": SALES, "support": SUPPORT}.items():
        queue = queues[name]
        assert {figure: getattr(queue.total, figure) for figure in expected} == expected
        assert (queue.talking, queue.wrapping_up) == (0, 0)
        assert queue.waiting == queue.total.offered - queue.total.decided
    assert queues["sales"].longest_wait == timedelta(seconds=30)  # joe
    agents = {
        one.queue: {state: number for state, number in one.states.items() if number}
        for one in board.snapshots["agents"]
    }
    assert agents == {
        None: {"available": 1, "not_ready": 1, "offline": 1},  # bojan, ana, cilka
        "sales": {"available": 1, "not_ready": 1},
        "support": {"available": 1, "not_ready": 1},
    }


def test_the_figures_are_those_that_were_computed_by_hand(tmp_path: Path) -> None:
    assert_figures(told_by(webhook(tmp_path), map(form, CALLBACKS)))


def test_event_streams_tell_the_same_events_with_the_same_ids(tmp_path: Path) -> None:
    source = webhook(tmp_path)

    batches = [stream(CALLBACKS[begin : begin + 7]) for begin in range(0, len(CALLBACKS), 7)]

    assert told_by(source, batches) == told_by(source, map(form, CALLBACKS))


@settings(max_examples=30, deadline=None)
@given(order=st.randoms(use_true_random=False))
def test_in_whatever_order_and_however_often_it_is_told_the_figures_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, order: Random
) -> None:
    requests = [form(fields) for fields in CALLBACKS]
    requests += order.choices(requests, k=40)
    order.shuffle(requests)

    assert_figures(told_by(webhook(tmp_path_factory.mktemp("token")), requests))


def test_a_story_by_the_rules_of_the_documentation_has_its_figures_too(tmp_path: Path) -> None:
    said = json.loads(sample("twilio/callbacks_story_CONSTRUCTED.json").read_text())
    events = told_by(webhook(tmp_path), map(form, said))
    (queue,) = replay(events).board().snapshots["contacts"]

    # Waits are 19.779 and 13.5 s; the talk is from 19.8 to 95.001 s, the wrap-up from then to 110.002 s.
    assert (queue.total.offered, queue.total.answered, queue.total.abandoned) == (2, 1, 1)
    assert (queue.total.answer_wait_ms, queue.total.abandon_wait_ms) == (19_779, 13_500)
    assert (queue.total.handled, queue.total.talk_ms, queue.total.wrapup_ms) == (1, 75_201, 15_001)
    assert (queue.total.offers_missed, queue.waiting, queue.talking) == (1, 0, 0)


def test_a_batch_by_the_rules_of_the_documentation_is_understood(tmp_path: Path) -> None:
    body = sample("twilio/event_streams_batch_CONSTRUCTED.json").read_bytes()
    at = datetime(2026, 11, 26, 18, 14, tzinfo=UTC)

    told = told_by(webhook(tmp_path), [signed(body, "application/json", at=at)])

    assert [(type(event).__name__, event.source[-5:], event.time.isoformat()[-15:]) for event in told] == [
        ("ContactAnswered", "00001", "39.800000+00:00"),
        ("AgentActivityChanged", "00001", "39.800000+00:00"),
        ("ContactAbandoned", "00001", "39.800000+00:00"),
    ]
