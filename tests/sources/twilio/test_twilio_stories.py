"""What TaskRouter says of tasks and workers, and what is told of it: each kind by itself."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.twilio.mapper import KINDS_OF_NO_USE, TASKROUTER_KINDS
from tests.sources.twilio.workspace import BEGIN, FORM, Story, form, lines, signed, stream, told_by, webhook

Told = Callable[..., list[str]]

ENTERED = "0 task-queue.entered ann TaskQueueName=sales\n"
MOMENT = datetime.fromtimestamp(BEGIN, UTC)


@pytest.fixture(params=["callbacks", "event streams"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Told:
    def told_of(story: str, intake: Intake | None = None, **options: Any) -> list[str]:
        callbacks = Story(story).callbacks
        requests = [stream(callbacks)] if request.param == "event streams" else map(form, callbacks)
        events = told_by(webhook(tmp_path, intake, **options), requests)
        for event in events:
            checked(event)
        assert len({event.id for event in events}) == len(events)
        return lines(events)

    return told_of


def test_a_task_that_waits_rings_and_is_answered_wrapped_up_and_done(told: Told) -> None:
    assert told("""
    0     task.created          ann
    0.02  task-queue.entered    ann       TaskQueueName=sales
    0.1   reservation.created   ann ana
    9.5   reservation.accepted  ann ana
    60    reservation.wrapup    ann ana
    60    task.wrapup           ann
    75    reservation.completed ann ana
    75    task.completed        ann
    """) == [
        "0 offered ann",
        "0.02 enqueued ann queue=sales",
        "0.1 offered_to_agent ann queue=sales",
        "0.1 agent.activity_changed ana activity=reserved",
        "0.1 agent.queue_joined ana queue=sales",
        "9.5 answered ann queue=sales",
        "9.5 agent.activity_changed ana activity=on_contact",
        "60 agent.activity_changed ana activity=acw",
        "60 ended ann queue=sales wrapup=True",
        "75 agent.activity_changed ana activity=idle",
        "75 ended ann queue=sales wrapup=True",
        "75 wrapup_ended ann queue=sales",
    ]


OFFERS = {"rejected": "rejected", "timeout": "missed", "rescinded": "rescinded", "canceled": "canceled"}


@pytest.mark.parametrize(("kind", "result"), OFFERS.items())
def test_an_offer_in_vain_is_missed_only_if_it_timed_out(told: Told, kind: str, result: str) -> None:
    assert told(f"{ENTERED}1 reservation.created ann ana\n9 reservation.{kind} ann ana")[-2:] == [
        f"9 offer_ended ann queue=sales result={result}",
        "9 agent.activity_changed ana activity=idle",
    ]


def test_an_offer_that_failed_came_to_nobody(told: Told) -> None:
    line = "9 reservation.failed ann ana WorkerSid= WorkerName="

    assert told(ENTERED + line)[-1] == "9 offer_ended ann queue=sales result=canceled"


REASONS = {
    "hangup": "abandoned ann queue=sales",
    "HangUp": "abandoned ann queue=sales",
    "customer_abandoned_chat": "abandoned ann queue=sales",
    "leave": "dequeued ann queue=sales reason=key",
    "redirected": "dequeued ann queue=sales reason=moved",
    "Task_TTL_Exceeded": "dequeued ann queue=sales reason=timeout",
    "Task_canceled_on_Workflow_timeout": "dequeued ann queue=sales reason=timeout",
    "Callback_requested": "dequeued ann queue=sales reason=callback_requested",
    "Voicemail_request": "dequeued ann queue=sales reason=voicemail",
    "somebody_said_so": "dequeued ann queue=sales reason=system",
    "": "dequeued ann queue=sales reason=system",
}


@pytest.mark.parametrize(("reason", "how"), REASONS.items())
def test_a_canceled_task_was_given_up_only_if_the_reason_says_so(told: Told, reason: str, how: str) -> None:
    assert told(f"{ENTERED}12.5 task.canceled ann TaskCanceledReason={reason}")[-1] == f"12.5 {how}"


def test_reasons_of_ones_own_win(told: Told) -> None:
    reasons = {"Gone Home": "abandoned", "hangup": "system"}

    assert told(f"{ENTERED}9 task.canceled ann TaskCanceledReason=gone_home", canceled_reasons=reasons)[-1] == (
        "9 abandoned ann queue=sales"
    )
    assert told(f"{ENTERED}9 task.canceled ann TaskCanceledReason=hangup", canceled_reasons=reasons)[-1] == (
        "9 dequeued ann queue=sales reason=system"
    )


def test_a_task_that_is_canceled_in_no_queue_has_not_waited(told: Told) -> None:
    intake = Intake()

    assert told("0 task.created ann\n1 task.canceled ann TaskCanceledReason=hangup", intake) == ["0 offered ann"]
    assert intake.ignored == {"task.canceled, in no queue": 1}


def test_a_queue_that_is_left_for_another_is_another_visit(told: Told) -> None:
    assert told(f"""{ENTERED}
    30 task-queue.timeout ann
    30 task-queue.entered ann TaskQueueName=support
    45 task-queue.moved   ann
    45 task-queue.entered ann TaskQueueName=sales
    50 task.canceled      ann TaskCanceledReason=hangup
    """)[1:] == [
        "30 dequeued ann queue=sales reason=timeout",
        "30 enqueued ann queue=support enqueue_seq=31 reason=requeue",
        "45 dequeued ann queue=support enqueue_seq=31 reason=moved",
        "45 enqueued ann queue=sales enqueue_seq=46 reason=requeue",
        "50 abandoned ann queue=sales enqueue_seq=46",
    ]


def test_a_move_that_names_the_new_queue_does_not_end_the_wait_there(told: Told) -> None:
    assert told(f"""{ENTERED}
    30 task-queue.entered ann TaskQueueName=support
    30 task-queue.moved   ann PreviousTaskQueueSid=WQsales
    """)[1:] == ["30 enqueued ann queue=support enqueue_seq=31 reason=requeue"]


def test_a_cold_transfer_ends_the_visit_when_it_begins_and_the_next_agent_has_one_of_the_own(told: Told) -> None:
    assert told(f"""{ENTERED}
    5   reservation.accepted    ann ana
    65  task.transfer-initiated ann      TransferMode=COLD TransferTo=WQ1
    66  reservation.wrapup      ann ana
    66  task-queue.entered      ann      TaskQueueName=sales TaskTransferSid=TT1
    76  reservation.accepted    ann bojan
    76  task.transfer-completed ann      TransferMode=COLD TransferTo=WQ1
    80  reservation.completed   ann ana
    106 task.wrapup             ann
    """)[3:] == [
        "65 transferred ann queue=sales kind=blind",
        "66 agent.activity_changed ana activity=acw",
        "66 enqueued ann queue=sales enqueue_seq=67 reason=transfer",
        "76 answered ann queue=sales enqueue_seq=67",
        "76 agent.activity_changed bojan activity=on_contact",
        "80 agent.activity_changed ana activity=idle",
        "106 ended ann queue=sales enqueue_seq=67 wrapup=True",
    ]


def test_a_warm_transfer_is_one_when_it_is_completed_and_names_the_visit_that_is_over(told: Told) -> None:
    begun = 1_795_700_065
    done = f"80 task.transfer-completed ann TransferMode=WARM TransferTo=WK2 TransferStarted={begun}"
    initiated = f"{ENTERED}65 task.transfer-initiated ann TransferMode=WARM TransferTo=WK2\n"

    assert told(initiated)[1:] == []
    assert told(initiated + done)[1:] == ["80 transferred ann queue=sales kind=attended"]
    assert told(f"{initiated}70 task-queue.entered ann TaskQueueName=support\n{done}")[2:] == []


def test_a_call_out_is_neither_offered_nor_answered(told: Told) -> None:
    story = '0 task-queue.entered ann TaskQueueName=sales TaskAttributes={"direction":"outbound"}'

    assert told(f"{story}\n1 reservation.accepted ann ana")[:2] == [
        "0 enqueued ann queue=sales direction=outbound",
        "1 answered ann queue=sales direction=outbound",
    ]


@pytest.mark.parametrize("attributes", ["", "[]", "{", "null", "7", '{"direction":["outbound"]}', "[" * 5_000])
def test_attributes_are_anybodys_text(told: Told, attributes: str) -> None:
    story = f"0 task-queue.entered ann TaskQueueName=sales TaskAttributes={attributes}"

    assert told(story) == ["0 enqueued ann queue=sales"]


def test_channels_are_ours_or_those_of_a_workspace(told: Told) -> None:
    story = "0 task-queue.entered ann TaskQueueName=sales TaskChannelUniqueName="

    assert told(story + "web") == ["0 enqueued ann queue=sales channel=chat"]
    assert told(story + "fax") == ["0 enqueued ann queue=sales channel=task"]
    assert told(story + "fax", channels={"FAX": "email"}) == ["0 enqueued ann queue=sales channel=email"]
    assert told(story + "callback") == ["0 enqueued ann queue=sales channel=task reason=callback"]


ACTIVITIES = {
    "Break": ["0 agent.availability_changed ana reason=Break status=not_ready"],
    "available": ["0 agent.availability_changed ana status=available"],
    "Offline": ["0 agent.logged_out ana"],
    "On_the_phone WorkerAvailable=true": ["0 agent.availability_changed ana status=available"],
    "Available WorkerPreviousActivityName=Offline": [
        "0 agent.logged_in ana",
        "0 agent.availability_changed ana status=available",
    ],
}


@pytest.mark.parametrize(("activity", "expected"), ACTIVITIES.items())
def test_an_activity_is_known_by_its_name(told: Told, activity: str, expected: list[str]) -> None:
    assert told(f"0 worker.activity.update ana WorkerActivityName={activity}") == expected


def test_activities_of_ones_own_win(told: Told) -> None:
    mine = {"Gone for today": "offline", "Available": "not_ready"}

    assert told("0 worker.activity.update ana WorkerActivityName=gone_for_today", activities=mine) == [
        "0 agent.logged_out ana"
    ]
    assert told("0 worker.activity.update ana", activities=mine) == [
        "0 agent.availability_changed ana reason=Available status=not_ready"
    ]


def test_a_worker_who_is_deleted_is_off_duty(told: Told) -> None:
    assert told("0 worker.deleted ana") == ["0 agent.logged_out ana"]


@pytest.mark.parametrize("kind", KINDS_OF_NO_USE)
def test_what_is_known_and_of_no_use_is_counted_by_its_name(tmp_path: Path, kind: str) -> None:
    intake = Intake()

    assert told_by(webhook(tmp_path, intake), [form(Story(f"0 {kind} ann ana").callbacks[0])]) == []
    assert intake.ignored == {kind: 1}


def test_no_kind_is_both_of_use_and_of_none() -> None:
    assert not TASKROUTER_KINDS.keys() & KINDS_OF_NO_USE.keys()
    assert all(KINDS_OF_NO_USE.values())


def test_a_kind_that_nobody_knows_is_set_aside(told: Told) -> None:
    aside: list[BadLine] = []
    intake = Intake(aside.append)

    assert told("0 task.levitated ann\n0 +38640000001 ann", intake) == []
    assert intake.unknown == {"task.levitated": 1, "(no plain name)": 1}
    assert not any("3864" in str(bad) for bad in aside)


LACKS = {
    "missing_task": "0 task-queue.entered ann TaskQueueName=sales TaskSid=",
    "missing_queue": "0 reservation.accepted ann ana",
    "missing_worker": f"{ENTERED}1 reservation.accepted ann ana WorkerSid=",
    "no_time": "0 task.created ann TimestampMs=soon",
}


@pytest.mark.parametrize(("reason", "story"), LACKS.items())
def test_what_does_not_say_enough_is_refused_with_a_reason(tmp_path: Path, reason: str, story: str) -> None:
    intake = Intake()
    last = Story(story).callbacks[-1]
    request = signed(urlencode(last).encode(), FORM, at=MOMENT)

    assert told_by(webhook(tmp_path, intake), [request]) == []
    assert intake.refused == {reason: 1}


ABSURD = ["0", "-1", "1e9", "9999999999999", "99999999999999999999", "²", "2026-11-26T18:13:20", "9999-12-31T23:59:59Z"]


@pytest.mark.parametrize("time", [*ABSURD, "0001-01-01T00:00:00+14:00", "2026-11-26", "soon"])
def test_a_time_that_cannot_be_is_none(tmp_path: Path, time: str) -> None:
    intake = Intake()
    fields = {**Story("0 task.created ann").callbacks[0], "TimestampMs": time}

    assert told_by(webhook(tmp_path, intake), [signed(urlencode(fields).encode(), FORM, at=MOMENT)]) == []
    assert intake.refused == {"no_time": 1}


def test_a_callback_without_an_id_is_known_by_what_happened_to_what_and_when(tmp_path: Path) -> None:
    fields = Story("0.25 task.created ann ResourceSid=WTann").callbacks[0] | {"Sid": ""}
    request = form(fields)
    other = replace(request, headers={**request.headers, "i-twilio-idempotency-token": "another"})

    first, again = told_by(webhook(tmp_path), [request, other])

    assert first == again
    assert first.id == "task.created-WTann-1795700000.25-contact.offered"


BAD_PARTS = [b"7", b"null", b"{}", b'{"type": 7}', b'{"type": "com.twilio.taskrouter.task.created"}', b'"x"']


def test_bad_parts_of_a_batch_are_counted_and_the_others_count(tmp_path: Path) -> None:
    aside: list[BadLine] = []
    intake = Intake(aside.append)
    good = stream(Story("0 task.created ann").callbacks)
    body = b"[" + b",".join([*BAD_PARTS, good.body.strip(b"[]")]) + b"]"
    source = webhook(tmp_path, intake)

    events = told_by(source, [signed(body, "application/json", at=good.at)])

    assert lines(events) == ["0 offered ann"]
    assert intake.refused == {"not_cloudevent": 5, "no_time": 1}
    assert [bad.place.offset for bad in aside] == [0, 1, 2, 3, 4, 5]
    assert intake.read == 6  # and the request itself, which is counted where it is answered


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[" * 50_000, b"\xff", b"7", b'{"a":' * 50_000])
def test_a_body_that_is_no_batch_is_refused(tmp_path: Path, body: bytes) -> None:
    intake = Intake()

    told_by(webhook(tmp_path, intake), [signed(body, "application/json", at=MOMENT)])

    assert intake.refused == {"not_json": 1}


def test_an_empty_batch_tells_nothing(tmp_path: Path) -> None:
    intake = Intake()

    assert told_by(webhook(tmp_path, intake), [signed(b"[]", "application/json", at=MOMENT)]) == []
    assert intake.ignored == {"empty": 1}


STALE = {("form", 300): 1, ("form", 301): 0, ("stream", 4 * 3600): 1, ("stream", 5 * 3600 + 1): 0}


@pytest.mark.parametrize(("way", "late", "count"), [(*asked, count) for asked, count in STALE.items()])
def test_what_is_signed_and_of_long_ago_is_refused_but_not_what_twilio_tries_again(
    tmp_path: Path, way: str, late: int, count: int
) -> None:
    intake = Intake()
    callbacks = Story(ENTERED).callbacks
    request = form(callbacks[0]) if way == "form" else stream(callbacks)

    events = told_by(webhook(tmp_path, intake), [replace(request, at=request.at + timedelta(seconds=late))])

    assert len(events) == count
    assert intake.refused.total() == 1 - count
    assert intake.refused.keys() <= {"stale"}


def test_what_is_stale_is_an_option(tmp_path: Path) -> None:
    request = form(Story(ENTERED).callbacks[0])
    request = replace(request, at=request.at + timedelta(seconds=61))

    assert told_by(webhook(tmp_path, stale_after_seconds=60), [request]) == []
    assert len(told_by(webhook(tmp_path, stale_after_seconds=61), [request])) == 1


UNREADABLE = {"not_utf8": b"EventType=%ff", "repeated_parameter": b"EventType=a&EventType=b", "no_type": b"x=1"}


@pytest.mark.parametrize(("reason", "body"), UNREADABLE.items())
def test_a_form_that_cannot_be_read_is_refused(tmp_path: Path, reason: str, body: bytes) -> None:
    intake = Intake()

    assert told_by(webhook(tmp_path, intake), [signed(body, FORM, at=MOMENT)]) == []
    assert intake.refused == {reason: 1}


FIELDS = st.sampled_from(sorted(Story(f"{ENTERED}1 reservation.accepted ann ana TransferMode=COLD").callbacks[1]))


@settings(max_examples=100, deadline=None)
@given(kind=st.sampled_from(sorted(TASKROUTER_KINDS)), said=st.dictionaries(FIELDS, st.text(max_size=300)))
def test_whatever_stands_in_a_field_is_an_event_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, kind: str, said: dict[str, str]
) -> None:
    intake = Intake()
    fields = Story(f"{ENTERED}1 reservation.accepted ann ana TransferMode=COLD").callbacks[1]
    request = signed(urlencode({**fields, "EventType": kind, **said}).encode(), FORM, at=MOMENT)

    events = told_by(webhook(tmp_path_factory.mktemp("token"), intake), [request])

    for event in events:
        checked(event)
    assert events or intake.refused or intake.ignored or intake.unknown


def test_the_page_names_every_kind_that_is_to_be_subscribed_to() -> None:
    page = (Path(__file__).parents[3] / "docs" / "sources" / "twilio.md").read_text()
    listed = page.partition("The kinds that tell something")[2].partition("**Let the board")[0]
    group, found = "", set()
    for word in re.findall(r"`([a-z.-]+)`", listed):
        group = word.partition(".")[0] or group
        found.add(group + word if word.startswith(".") else word)

    assert found == TASKROUTER_KINDS.keys()
