"""
What follows in one family from an event of another, by the policy; nothing of it unless a policy file asks for it.

- A contact that ends with one of certain dispositions, or with a voicemail, opens a case.
- A case that is solved invites its customer to a survey.

What follows happens at the instant of its event, and has its name, so that whoever goes on with it knows that: the case
is called as the contact, and the survey as the case.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, get_args

from msgspec import Struct

from stream.core import policy_values as read
from stream.core.cloudevents import Event
from stream.core.derivation import envelope_after
from stream.core.family import Derive
from stream.core.policies import Policies, PolicyKey, Rules
from stream.families.cases.events import CaseOpened, CaseResolved
from stream.families.cases.payloads import OpenedData
from stream.families.contacts.events import ContactDequeued, ContactEnded
from stream.families.contacts.payloads import QueueData
from stream.families.surveys.events import SurveyInvited
from stream.families.surveys.payloads import InvitationData
from stream.families.surveys.scales import SurveyKind

__all__ = ["RULES", "FollowUps", "after_case", "after_contact"]

_QUEUES_REMEMBERED: Final = 10_000


class FollowUps(Struct, frozen=True, kw_only=True):
    """What follows for one queue and channel."""

    follow_up_dispositions: frozenset[str] = frozenset()
    """A contact that ends with one of these opens a case."""
    follow_up_voicemail: bool = False
    """So does a contact that leaves a message."""
    follow_up_queue: str = ""
    """In which queue; empty: in that of the contact."""
    survey_after_solution: SurveyKind | None = None
    """What the customer of a case that is solved is asked; None: nothing."""


def _queue(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 128:
        raise ValueError("must be the name of a queue, of at most 128 characters")
    return value


def _kind(value: object) -> str:
    if value not in get_args(SurveyKind):
        raise ValueError(f"must be one of {', '.join(get_args(SurveyKind))}")
    return str(value)


RULES: Final[Rules[FollowUps]] = Rules(
    policy=FollowUps,
    keys={
        "follow_up_dispositions": PolicyKey("follow_up_dispositions", read.dispositions),
        "follow_up_voicemail": PolicyKey("follow_up_voicemail", read.switch),
        "follow_up_queue": PolicyKey("follow_up_queue", _queue),
        "survey_after_solution": PolicyKey("survey_after_solution", _kind),
    },
)


def after_contact(policies: Policies) -> Mapping[type[Event], Derive]:
    """Return what opens cases after contacts: a `Family.derive`."""
    if not _asked_for(policies, "follow_up_dispositions", "follow_up_voicemail"):
        return {}
    policy_of = _finder(policies)

    def after_end(ended: ContactEnded) -> Sequence[Event]:
        disposition = ended.data.disposition
        if disposition is None:
            return ()
        policy = policy_of(ended.tenantid, ended.data.queue, ended.data.channel)
        return (_case(ended, ended.data, policy),) if disposition in policy.follow_up_dispositions else ()

    def after_message(dequeued: ContactDequeued) -> Sequence[Event]:
        if dequeued.data.reason != "voicemail":
            return ()
        policy = policy_of(dequeued.tenantid, dequeued.data.queue, dequeued.data.channel)
        return (_case(dequeued, dequeued.data, policy),) if policy.follow_up_voicemail else ()

    return {ContactEnded: after_end, ContactDequeued: after_message}


def after_case(policies: Policies) -> Mapping[type[Event], Derive]:
    """Return what invites to surveys after cases: a `Family.derive`."""
    if not _asked_for(policies, "survey_after_solution"):
        return {}
    policy_of = _finder(policies)

    def after_solution(resolved: CaseResolved) -> Sequence[Event]:
        data = resolved.data
        # Who does not tell the queue is judged as the tenant as a whole: by rules that name neither queue nor channel.
        kind = policy_of(resolved.tenantid, data.queue or "", data.channel or "").survey_after_solution
        if kind is None:
            return ()
        asked = InvitationData(
            kind=kind, queue=data.queue, channel=data.channel, agent=data.agent, customer=data.customer
        )
        return (SurveyInvited(data=asked, **envelope_after(resolved, "survey", resolved.subject)),)

    return {CaseResolved: after_solution}


def _asked_for(policies: Policies, *fields: str) -> bool:
    # Where nobody asks for it, not even a look at each event is to be paid.
    return any(rule.changes.get(field) for rule in policies.rules for field in fields)


def _finder(policies: Policies) -> Callable[[str, str, str], FollowUps]:
    @lru_cache(_QUEUES_REMEMBERED)
    def policy_of(tenant: str, queue: str, channel: str) -> FollowUps:
        return policies.of(RULES, tenant, queue, channel)

    return policy_of


def _case(told: Event, data: QueueData, policy: FollowUps) -> CaseOpened:
    # By the customer: who was promised an answer waits for it from now on.
    opened = OpenedData(
        queue=policy.follow_up_queue or data.queue,
        channel=data.channel,
        opened_by="customer",
        customer=data.customer,
        topic=data.topic,
    )
    return CaseOpened(data=opened, **envelope_after(told, "case", told.subject))
