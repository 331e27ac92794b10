"""What an agent was reported to do is believed for a while: whose last report was lost is not on the board for ever."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.app.policy_file import policies_of
from stream.core.cloudevents import Event
from stream.core.limits import AGENTS_KEPT
from stream.families.agents.counts import SLICE, StateCounts, StatesUntil
from stream.families.agents.fold import COST_OF_A_SLICE, AgentsFold
from tests.timeline import TEN, after, event, story

MOMENT = timedelta(milliseconds=1)

Shown = dict[tuple[str, str | None], dict[str, int]]


def shown(staff: AgentsFold, at: datetime) -> Shown:
    """Return the states that occur, by tenant and queue."""
    told = (one for _, one in staff.snapshots(at) if one is not None)
    return {one.key: {state: count for state, count in one.states.items() if count} for one in told}


def fold_of(events: Sequence[Event], policies: str = "") -> AgentsFold:
    staff = AgentsFold(policies_of(policies, "policies.toml"))
    applied = staff.apply(events, range(len(events)))
    assert not applied.failed
    return staff


def state(table: str, at: datetime, policies: str = "") -> str | None:
    states = shown(fold_of(story(table), policies), at).get(("default", None), {})
    return next(iter(states), None)


ON_DUTY = "00:00  agent.logged_in  eva\n"
EXPIRIES = {
    "reserved": ("5:00", "available"),
    "on_contact": ("4:00:00", "offline"),
    "acw": ("1:00:00", "offline"),
    "error": ("16:00:00", "offline"),
}


@pytest.mark.parametrize(("activity", "ends", "then"), [(name, *told) for name, told in EXPIRIES.items()])
def test_what_an_agent_was_seen_doing_is_believed_for_as_long_as_it_may_take(
    activity: str, ends: str, then: str
) -> None:
    table = f"{ON_DUTY}00:00  agent.activity_changed  eva  activity={activity}"

    assert [state(table, after(ends) - MOMENT), state(table, after(ends))] == [activity, then]


@pytest.mark.parametrize("chosen", ["available", "not_ready"])
def test_whoever_is_on_duty_is_believed_to_be_for_longer_than_any_shift(chosen: str) -> None:
    table = f"00:00  agent.availability_changed  eva  status={chosen}"

    assert [state(table, after("15:59:59")), state(table, after("16:00:00"))] == [chosen, "offline"]


@pytest.mark.parametrize(
    "sign_of_life",
    [
        "agent.activity_changed       eva  activity=idle",
        "agent.queue_joined           eva  queue=sales",
        "agent.availability_changed   eva  status=available  queue=sales",
    ],
)
def test_any_report_is_a_sign_of_life(sign_of_life: str) -> None:
    table = f"{ON_DUTY}10:00:00  {sign_of_life}"

    assert [state(table, after("25:59:59")), state(table, after("26:00:00"))] == ["available", "offline"]


def test_whoever_chose_something_since_is_where_they_chose_to_be() -> None:
    table = f"""
        {ON_DUTY}
        00:01    agent.activity_changed      eva  activity=on_contact
        3:00:00  agent.availability_changed  eva  status=not_ready
        """

    assert [state(table, after("3:59:59")), state(table, after("4:01:00"))] == ["on_contact", "not_ready"]


def test_an_agent_who_expired_is_offline_in_each_queue_and_back_with_the_next_report() -> None:
    told = story(
        f"""
        {ON_DUTY}
        00:00    agent.queue_joined          eva  queue=sales
        00:00    agent.queue_joined          eva  queue=support
        00:00    agent.availability_changed  eva  status=not_ready  queue=support
        00:01    agent.activity_changed      eva  activity=on_contact
        5:00:00  agent.activity_changed      eva  activity=idle
        """
    )
    staff = fold_of(told[:-1])
    gone = shown(staff, after("4:30:00"))
    staff.apply(told[-1:], [len(told)])

    assert [*gone.values()] == [{"offline": 1}] * 3
    assert shown(staff, after("5:00:01")) == {
        ("default", None): {"available": 1},
        ("default", "sales"): {"available": 1},
        ("default", "support"): {"not_ready": 1},
    }


@pytest.mark.parametrize("last", ["activity_changed  eva  activity=on_contact", "logged_out  eva"])
def test_an_agent_of_whom_nothing_was_heard_for_a_week_is_not_shown(last: str) -> None:
    staff = fold_of(story(f"{ON_DUTY}00:00  agent.queue_joined  eva  queue=sales\n00:01  agent.{last}"))
    week = after("00:01") + AGENTS_KEPT

    assert [*shown(staff, week - MOMENT).values()] == [{"offline": 1}] * 2
    assert shown(staff, week) == shown(staff, week + timedelta(days=393)) == {}


def test_how_long_is_a_matter_of_policy_by_tenant() -> None:
    policies = '[defaults]\nagent_acw_seconds = 60\n[[queue]]\ntenant = "acme"\nagent_acw_seconds = 7200'
    told = [event("agent.activity_changed", "eva", TEN, activity="acw", tenant=name) for name in ("acme", "default")]

    found = shown(fold_of(told, policies), after("1:30:00"))

    assert (found["acme", None], found["default", None]) == ({"acw": 1}, {"offline": 1})


def test_a_worker_that_takes_over_shows_the_same() -> None:
    staff, heir = fold_of(story(f"{ON_DUTY}00:01  agent.activity_changed  eva  activity=on_contact")), AgentsFold()
    for key, row in staff.agents.items():
        heir.agents.load(key, row)
    heir.recovered()

    for at in (after("00:02"), after("4:02:00"), after("00:02")):
        assert shown(heir, at) == shown(staff, at)


agents_do: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(dict, kind=st.just("agent.activity_changed"), activity=st.sampled_from(["idle", *EXPIRIES])),
    st.builds(
        dict,
        kind=st.just("agent.availability_changed"),
        status=st.sampled_from(["available", "not_ready", "offline"]),
        queue=st.sampled_from([None, "sales"]),
    ),
    st.builds(dict, kind=st.sampled_from(["agent.queue_joined", "agent.queue_left"]), queue=st.sampled_from("abc")),
)
instants = st.integers(0, 9 * 24 * 60).map(lambda minutes: TEN + timedelta(minutes=minutes, milliseconds=minutes))


@given(st.lists(st.tuples(instants, st.sampled_from(["eva", "dan", "ida"]), agents_do, instants), max_size=30))
def test_what_is_counted_while_agents_change_is_what_a_count_of_all_rows_gives(
    steps: list[tuple[datetime, str, dict[str, str], datetime]],
) -> None:
    """At every instant, in whatever order instants are asked for, and whatever was forgotten since."""
    staff = AgentsFold()
    for offset, (at, agent, told, asked) in enumerate(steps):
        staff.apply([event(told["kind"], agent, at, **{k: v for k, v in told.items() if k != "kind" and v})], [offset])
        staff.committed(offset)
        fresh = AgentsFold()
        for key, row in staff.agents.items():
            fresh.agents.load(key, row)
        fresh.recovered()
        assert shown(staff, asked) == shown(fresh, asked)


def test_a_reading_looks_at_those_that_changed_not_at_all() -> None:
    looked: list[str] = []

    def states_until(agent: str, at: datetime) -> StatesUntil:
        looked.append(agent)
        return ((("default", None), "available" if at < after("10:00") else "offline"),), after("10:00")

    counts: StateCounts[str] = StateCounts(states_until)
    counts.changed.update((f"agent{number}", None) for number in range(1000))
    assert [*counts.advance(after("01:00"))] == [SLICE] * (1000 // SLICE)
    looked.clear()
    counts.changed["agent7"] = None
    assert [*counts.advance(after("02:00"))] == [1]
    assert [*counts.advance(after("03:00"))] == []
    at_a_change = looked[:]
    assert sum(counts.advance(after("10:00"))) == 1000

    assert (at_a_change, len(looked)) == (["agent7"], 1001)
    (one,) = counts.snapshots(10, 10)
    assert one.states["offline"] == 1000


def test_where_many_agents_have_changed_others_get_their_turn_while_they_are_counted() -> None:
    staff = fold_of([event("agent.logged_in", f"agent{number}", TEN) for number in range(SLICE * 3 + 1)])

    costs, told = zip(*staff.snapshots(TEN), strict=True)

    assert [one is None for one in told] == [True] * 4 + [False]
    assert costs[:4] == (COST_OF_A_SLICE,) * 4


def test_who_changes_while_agents_are_counted_is_right_at_the_next_reading_at_the_latest() -> None:
    staff = fold_of([event("agent.logged_in", f"agent{number}", TEN) for number in range(SLICE * 2)])
    counting = staff.snapshots(TEN)
    next(counting)
    staff.apply([event("agent.logged_out", f"agent{number}", "00:01") for number in range(SLICE * 2)], range(500, 700))

    (now,) = [one for _, one in counting if one is not None]
    assert (now.states["available"], now.states["offline"]) == (SLICE, SLICE)
    assert shown(staff, TEN) == {("default", None): {"offline": SLICE * 2}}
