from datetime import timedelta

from stream.core.cloudevents import Event, tag_of
from stream.families.agents import events as agents
from stream.families.contacts import events as e
from stream.simulator.centre import AgentPlan, Break, Centre, Length, QueuePlan, Shift
from stream.simulator.engine import simulate
from tests.simulator.centres import START, played, single_queue

MINUTE = timedelta(minutes=1)
NINE = Shift(starts=timedelta(hours=9), lasts=timedelta(hours=8))


def story(events: list[Event]) -> list[tuple[str, str]]:
    """What the agents chose, and when: `hh:mm`, status and reason."""
    return [
        (f"{event.time:%H:%M}", f"{event.data.status} {event.data.reason or ''}".strip())
        for event in events
        if isinstance(event, agents.AgentAvailabilityChanged)
    ]


def test_an_agent_whose_shift_has_begun_logs_in_at_the_start_and_out_at_its_end() -> None:
    agent = AgentPlan(id="ann", skills=("queue",), shift=NINE, breaks=(Break(after=90 * MINUTE, lasts=15 * MINUTE),))

    events = list(played(single_queue(agent, per_hour=(0.0,)), hours=24))

    assert story(events) == [
        ("09:30", "available"),
        ("10:30", "not_ready break"),
        ("10:45", "available"),
        ("17:00", "offline"),
        ("09:00", "available"),
    ]


def test_login_and_logout_are_told_in_the_order_of_a_call_system() -> None:
    agent = AgentPlan(id="ann", skills=("queue",), shift=NINE)

    kinds = [tag_of(event) for event in played(single_queue(agent, per_hour=(0.0,)), hours=8)]

    assert kinds == [
        "agent.logged_in",
        "agent.queue_joined",
        "agent.availability_changed",
        "agent.activity_changed",
        "agent.availability_changed",
        "agent.queue_left",
        "agent.logged_out",
    ]


def test_a_shift_past_midnight_has_begun_the_day_before() -> None:
    night = AgentPlan(id="ann", skills=("queue",), shift=Shift(starts=timedelta(hours=22), lasts=timedelta(hours=8)))
    start = START.replace(hour=3, minute=0)

    events = list(simulate(single_queue(night, per_hour=(0.0,)), start=start, end=start + 24 * 60 * MINUTE, seed=1))

    assert story(events) == [("03:00", "available"), ("06:00", "offline"), ("22:00", "available")]


def test_break_and_end_of_shift_wait_for_the_conversation_to_end() -> None:
    agent = AgentPlan(id="ann", skills=("queue",), shift=NINE, breaks=(Break(after=60 * MINUTE, lasts=10 * MINUTE),))
    centre = single_queue(agent, per_hour=(60.0,), talk=Length(20 * MINUTE, "constant"))

    events = list(played(centre, hours=9))

    talking = 0
    for event in events:
        talking += isinstance(event, e.ContactAnswered) - isinstance(event, e.ContactEnded)
        if isinstance(event, agents.AgentAvailabilityChanged):
            assert talking == 0
    times = [time for time, _ in story(events)]
    assert "10:00" <= times[1] < "10:20"
    assert "17:00" <= times[3] < "17:20"


def test_the_last_agent_to_leave_turns_out_who_waits() -> None:
    agent = AgentPlan(id="ann", skills=("queue",), shift=Shift(starts=timedelta(hours=9), lasts=timedelta(hours=1)))
    centre = single_queue(agent, per_hour=(200.0,), turns_away_unstaffed=True)

    events = list(played(centre))

    gone = next(event.time for event in events if isinstance(event, agents.AgentLoggedOut))
    emptied = [event for event in events if isinstance(event, e.ContactDequeued) and event.data.reason == "empty"]
    assert emptied
    assert {event.time for event in emptied} == {gone}
    assert not [event for event in events if isinstance(event, e.ContactEnqueued) and event.time > gone]


def test_an_agent_is_seen_reserved_then_on_contact_then_in_wrap_up_then_idle() -> None:
    centre = single_queue(
        per_hour=(6.0,), ring=Length(timedelta(seconds=4)), wrapup=Length(timedelta(seconds=9)), patience=None
    )

    seen = [event.data.activity for event in played(centre, hours=3) if isinstance(event, agents.AgentActivityChanged)]

    assert seen[:5] == ["idle", "reserved", "on_contact", "acw", "idle"]


def test_a_contact_goes_to_the_idle_agent_to_whom_its_queue_matters_most() -> None:
    talk = Length(timedelta(seconds=1), "constant")
    queues = (QueuePlan(name="queue", per_hour=(30.0,), talk=talk), QueuePlan(name="other", per_hour=(0.0,), talk=talk))
    bob, ann = AgentPlan(id="bob", skills=("queue",)), AgentPlan(id="ann", skills=("other", "queue"))
    centre = Centre(name="test", queues=queues, agents=(ann, bob))

    answered = [event.data.agent for event in played(centre) if isinstance(event, e.ContactAnswered)]

    assert set(answered) == {"bob"}


def test_a_free_agent_takes_the_oldest_contact_of_the_queue_they_prefer() -> None:
    talk = Length(timedelta(minutes=3), "constant")
    queues = tuple(QueuePlan(name=name, per_hour=(60.0,), talk=talk) for name in ("second", "first"))
    centre = Centre(name="test", queues=queues, agents=(AgentPlan(id="ann", skills=("first", "second")),))
    waiting: dict[str, list[str]] = {"first": [], "second": []}

    for event in played(centre):
        match event:
            case e.ContactEnqueued():
                waiting[event.data.queue].append(event.subject)
            case e.ContactAnswered():
                assert waiting[event.data.queue].pop(0) == event.subject
                assert event.data.queue == "first" or not waiting["first"]
            case _:
                pass
