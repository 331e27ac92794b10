"""Which event of TaskRouter tells what: the one table of it, and what becomes of each."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from stream.core.cloudevents import Event, tag_of
from stream.sdk.factory import EventFactory
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.twilio.records import TaskRouterRecord
from stream.sources.twilio.task_events import TaskEvents
from stream.sources.twilio.vocabulary import TwilioVocabulary
from stream.sources.twilio.worker_events import WorkerEvents

__all__ = ["KINDS_OF_NO_USE", "TASKROUTER_KINDS", "TaskRouterMapper", "TaskRouterRule"]

_Need = Literal["task", "queue", "worker"]

_FIELDS: Final[Mapping[_Need, tuple[str, ...]]] = {
    "task": ("TaskSid",),
    "queue": ("TaskQueueName", "TaskQueueSid"),
    "worker": ("WorkerSid",),
}

_LONGEST: Final[Mapping[_Need, int]] = {"task": 256, "queue": 128, "worker": 256}
"""As in the contract, `Name` and `Id` in `stream.core.cloudevents`: an event with more would be refused."""


class TaskRouterRule(Struct, frozen=True):
    """What an event of this kind must say, and what it tells; None where it does not say enough to tell it."""

    needs: tuple[_Need, ...]
    tell: Callable[[TaskEvents, WorkerEvents], list[Event] | None]


_TASK: Final[tuple[_Need, ...]] = ("task",)
_VISIT: Final[tuple[_Need, ...]] = ("task", "queue")
_OFFER: Final[tuple[_Need, ...]] = ("task", "queue", "worker")
_WORKER: Final[tuple[_Need, ...]] = ("worker",)

TASKROUTER_KINDS: Final[Mapping[str, TaskRouterRule]] = {
    "task.created": TaskRouterRule(_TASK, lambda task, _: task.created()),
    "task-queue.entered": TaskRouterRule(_VISIT, lambda task, _: task.entered()),
    "task-queue.timeout": TaskRouterRule(_VISIT, lambda task, _: task.left("timeout")),
    "task-queue.moved": TaskRouterRule(_VISIT, lambda task, _: task.left("moved")),
    "reservation.created": TaskRouterRule(_OFFER, lambda task, worker: [*task.rings(), *worker.seen("reserved")]),
    "reservation.accepted": TaskRouterRule(_OFFER, lambda task, worker: [*task.accepted(), *worker.seen("on_contact")]),
    "reservation.rejected": TaskRouterRule(
        _OFFER, lambda task, worker: [*task.rang_in_vain("rejected"), *worker.seen("idle")]
    ),
    "reservation.timeout": TaskRouterRule(
        _OFFER, lambda task, worker: [*task.rang_in_vain("missed"), *worker.seen("idle")]
    ),
    "reservation.rescinded": TaskRouterRule(
        _OFFER, lambda task, worker: [*task.rang_in_vain("rescinded"), *worker.seen("idle")]
    ),
    "reservation.canceled": TaskRouterRule(
        _OFFER, lambda task, worker: [*task.rang_in_vain("canceled"), *worker.seen("idle")]
    ),
    # It names no worker: the reservation came to none.
    "reservation.failed": TaskRouterRule(_VISIT, lambda task, _: task.rang_in_vain("canceled")),
    # A worker leaves a conversation that may go on with another one: of the task the task's own events tell.
    "reservation.wrapup": TaskRouterRule(_WORKER, lambda _, worker: worker.seen("acw")),
    "reservation.completed": TaskRouterRule(_WORKER, lambda _, worker: worker.seen("idle")),
    "task.canceled": TaskRouterRule(_VISIT, lambda task, _: task.canceled()),
    "task.wrapup": TaskRouterRule(_VISIT, lambda task, _: task.hung_up()),
    "task.completed": TaskRouterRule(_VISIT, lambda task, _: task.completed()),
    "task.transfer-initiated": TaskRouterRule(_VISIT, lambda task, _: task.transfer_begins()),
    "task.transfer-completed": TaskRouterRule(_VISIT, lambda task, _: task.transfer_completed()),
    "worker.activity.update": TaskRouterRule(_WORKER, lambda _, worker: worker.activity_changed()),
    "worker.deleted": TaskRouterRule(_WORKER, lambda _, worker: worker.gone()),
}

KINDS_OF_NO_USE: Final[Mapping[str, str]] = {
    "task.updated": "attributes or priority have changed, and with them no figure",
    "task.deleted": "somebody has cleaned up; how the task ended was told before, if it did",
    "task.system-deleted": "ditto",
    "task.transfer-attempt-failed": "the worker who was asked has rejected: the reservation says so",
    "task.transfer-failed": "of a warm one the conversation goes on; a cold one waits until it is canceled",
    "task.transfer-canceled": "ditto",
    "workflow.entered": "the queue that it leads to is told by task-queue.entered",
    "workflow.target-matched": "ditto",
    "workflow.timeout": "the task is canceled at once, and that is told",
    "workflow.skipped": "ditto",
    "worker.created": "a new worker is off duty until an activity says otherwise",
    "worker.attributes.update": "skills are no figure",
    "worker.capacity.update": "ditto",
    "worker.channel.availability.update": "ditto",
    **dict.fromkeys(
        [
            *("activity.created", "activity.updated", "activity.deleted"),
            *("task-channel.created", "task-channel.updated", "task-channel.deleted"),
            *("task-queue.created", "task-queue.deleted", "task-queue.expression.updated"),
            *("workflow.created", "workflow.updated", "workflow.deleted"),
            *("workspace.created", "workspace.updated", "workspace.deleted"),
        ],
        "somebody has configured something",
    ),
    "com.twilio.eventstreams.test-event": "somebody tries out the sink",
}
"""Kinds that are counted and left, with the reason."""


class TaskRouterMapper(Struct, frozen=True, kw_only=True):
    """Turns records into events, each by itself, and counts what became of it."""

    tenant: str
    vocabulary: TwilioVocabulary
    intake: Intake

    def map(self, record: TaskRouterRecord) -> list[Event]:
        """Return what a record tells."""
        rule = TASKROUTER_KINDS.get(record.kind)
        if rule is None:
            return self._leave(record)
        if record.kind == "task.canceled" and not _named(record, "queue"):
            self.intake.ignore("task.canceled, in no queue")
            return []
        if (bad := _lack(record, rule)) is not None:
            self.intake.refuse(bad)
            return []
        factory = EventFactory(
            _source_of(record), tenant=self.tenant, clock=lambda: record.at, new_id=lambda: record.id
        )
        told = rule.tell(TaskEvents(record, self.vocabulary, factory), WorkerEvents(record, self.vocabulary, factory))
        if told is None:
            self.intake.ignore(f"{record.kind}, nothing new")
            return []
        self.intake.used[record.kind] += 1
        # A record tells at most one event of a kind.
        return [replace(event, id=f"{record.id}-{tag_of(event)}") for event in told]

    def _leave(self, record: TaskRouterRecord) -> list[Event]:
        if record.kind in KINDS_OF_NO_USE:
            self.intake.ignore(record.kind)
        else:
            bad = BadLine(record.place, "unknown_kind", "the event is of a kind that is not known")
            self.intake.wonder(record.kind, bad)
        return []


def _source_of(record: TaskRouterRecord) -> str:
    return f"/twilio/{record.get('WorkspaceSid')[:64]}".rstrip("/")


def _named(record: TaskRouterRecord, need: _Need) -> str:
    return next((told for field in _FIELDS[need] if (told := record.get(field))), "")


def _lack(record: TaskRouterRecord, rule: TaskRouterRule) -> BadLine | None:
    for need in rule.needs:
        if not 0 < len(_named(record, need)) <= _LONGEST[need]:
            return BadLine(record.place, f"missing_{need}", f"{record.kind} names no {need}, or one that is too long")
    return None
