"""Who comes again, who need not, and what a solution takes: stories by queue."""

from datetime import timedelta

import pytest

from stream.core.policies import Policies, Rule
from tests.families.customers.told import SUPPORT, apply, counts_of, customers_fold_of, figure, on, snapshots_of, told

LONG_FOR_EMAIL = Policies(rules=(Rule(channel="email", changes={"repeat_within": timedelta(days=14)}),))
ONE_MATTER = Policies(
    rules=(Rule(queue="support", changes={"matter": "help"}), Rule(queue="billing", changes={"matter": "help"}))
)
BY_TOPIC = Policies(rules=(Rule(changes={"matter_by_topic": True}),))

EVERYBODY = ("", "", "", "")
BILLING = ("billing", "voice", "", "")
EMAIL = ("support", "email", "", "")


def test_who_came_in_the_same_matter_before_comes_again() -> None:
    fold = customers_fold_of(
        told("""
        1 09:00 contacted ann contact=k1
        3 09:00 contacted ann contact=k2
        3 10:00 contacted bob contact=k3
        """)
    )

    assert figure(fold, on(3), "repeat_ratio", "7d", SUPPORT) == pytest.approx(1 / 3)
    assert figure(fold, on(3), "repeat_ratio", "today", SUPPORT) == 1 / 2


@pytest.mark.parametrize(("clock", "repeats"), [("09:00", 1), ("09:01", 0)])
def test_the_look_back_ends_to_the_instant(clock: str, repeats: int) -> None:
    fold = customers_fold_of(told(f"1 09:00 contacted ann contact=k1\n 8 {clock} contacted ann contact=k2"))

    assert figure(fold, on(8), "repeat_ratio", "today", SUPPORT) == repeats


def test_what_is_told_of_one_contact_several_times_is_one_contact() -> None:
    fold = customers_fold_of(
        told("""
        1 09:00 contacted ann contact=k1 served=false
        1 09:01 contacted ann contact=k1
        1 09:30 contacted ann contact=k1 message=true
        """)
    )

    assert counts_of(snapshots_of(fold, on(1))[SUPPORT], "today") == {
        "contacts": 1,
        "first_served": 1,
        "first_not_repeated": 1,
    }


@pytest.mark.parametrize(
    ("policies", "second", "repeats"),
    [
        (Policies(), "queue=billing", 0),
        (ONE_MATTER, "queue=billing", 1),
        (Policies(), "queue=billing topic=invoice", 0),
        (BY_TOPIC, "queue=billing topic=invoice", 1),
        (BY_TOPIC, "queue=billing topic=delivery", 0),
        (BY_TOPIC, "queue=billing", 0),
    ],
)
def test_which_contacts_are_about_the_same_the_policy_says_by_queues_or_topic(
    policies: Policies, second: str, repeats: int
) -> None:
    table = f"1 09:00 contacted ann contact=k1 topic=invoice\n 3 09:00 contacted ann contact=k2 {second}"

    assert figure(customers_fold_of(told(table), policies), on(3), "repeat_ratio", "7d", BILLING) == repeats


@pytest.mark.parametrize("end", ["solved", "contacted"])
def test_a_topic_that_is_known_only_at_the_end_decides_as_well(end: str) -> None:
    table = f"""
        1 09:00 contacted ann contact=k1 topic=invoice
        3 09:00 contacted ann contact=k2 queue=billing
        3 09:20 {end} ann contact=k2 queue=billing topic=invoice
        4 09:00 contacted ann contact=k3 queue=billing
        4 09:20 {end} ann contact=k3 queue=billing topic=delivery
    """

    assert figure(customers_fold_of(told(table), BY_TOPIC), on(4), "repeat_ratio", "7d", BILLING) == 1 / 2


@pytest.mark.parametrize(("days", "hours"), [(59, 59 * 24), (61, 61 * 24), (100, 2400)])
def test_a_case_counts_from_its_own_begin_however_long_it_took(days: int, hours: int) -> None:
    fold = customers_fold_of(told(f"1 09:00 contacted ann contact=c1\n{1 + days} 09:00 solved ann contact=c1"))

    assert figure(fold, on(1 + days), "effort_mean_seconds", "7d", SUPPORT) == hours * 3600


def test_contacts_count_among_those_of_customers_once_somebody_is_one() -> None:
    fold = customers_fold_of(told("1 09:00 contacted ann contact=k1\n1 10:00 contacted bob contact=k2"))
    before = counts_of(snapshots_of(fold, on(1))[EVERYBODY], "today")
    apply(fold, told("1 11:00 joined ann\n1 11:30 contacted ann contact=k3"), first=2)
    fold.settle()

    assert "came_by" not in before
    assert sum(counts_of(snapshots_of(fold, on(1))[EVERYBODY], "today")["came_by"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(("channel", "part", "repeats"), [("voice", SUPPORT, 0), ("email", EMAIL, 1 / 2)])
def test_each_channel_has_a_look_back_of_its_own(channel: str, part: tuple[str, ...], repeats: float) -> None:
    table = f"1 09:00 contacted ann contact=k1 channel={channel}\n 11 09:00 contacted ann contact=k2 channel={channel}"
    fold = customers_fold_of(told(table), LONG_FOR_EMAIL)

    assert figure(fold, on(11), "repeat_ratio", "30d", part) == repeats


@pytest.mark.parametrize(
    ("first", "second", "part", "repeats"), [("voice", "email", EMAIL, 0), ("email", "voice", SUPPORT, 1)]
)
def test_of_two_channels_the_earlier_contact_says_how_long_is_looked_back(
    first: str, second: str, part: tuple[str, ...], repeats: int
) -> None:
    table = f"1 09:00 contacted ann contact=k1 channel={first}\n 11 09:00 contacted ann contact=k2 channel={second}"
    fold = customers_fold_of(told(table), LONG_FOR_EMAIL)

    assert figure(fold, on(11), "repeat_ratio", "30d", part) == repeats


SOLVED_AND_NOT = """
1 09:00 contacted ann contact=k1
2 09:00 contacted bob contact=k2
4 09:00 contacted bob contact=k3
"""


def test_first_contact_resolution_is_provisional_and_falls_when_the_customer_comes_again() -> None:
    until = customers_fold_of(told(SOLVED_AND_NOT)[:2])
    fold = customers_fold_of(told(SOLVED_AND_NOT))

    assert figure(until, on(3), "fcr_provisional_ratio", "7d", SUPPORT) == 1
    assert figure(fold, on(4), "fcr_provisional_ratio", "7d", SUPPORT) == 1 / 2
    assert figure(fold, on(4), "fcr_ratio", "7d", SUPPORT) is None


@pytest.mark.parametrize(
    ("day", "clock", "today", "week"),
    [
        (8, "23:59", None, None),
        (9, "00:00", 1, 1),
        (9, "23:59", 1, 1),
        (10, "00:00", 0, 1 / 2),
        (11, "00:00", None, 1 / 2),
    ],
)
def test_it_is_final_on_the_first_day_after_the_look_back_though_nothing_happens_then(
    day: int, clock: str, today: float | None, week: float | None
) -> None:
    fold = customers_fold_of(told(SOLVED_AND_NOT))

    assert figure(fold, on(day, clock), "fcr_ratio", "today", SUPPORT) == today
    assert figure(fold, on(day, clock), "fcr_ratio", "7d", SUPPORT) == week


def test_a_contact_that_nobody_answered_resolves_nothing() -> None:
    fold = customers_fold_of(told("1 09:00 contacted ann contact=k1 served=false"))

    assert figure(fold, on(1), "fcr_provisional_ratio", "7d", SUPPORT) is None
    assert figure(fold, on(9), "fcr_ratio", "7d", SUPPORT) is None


def test_a_case_that_is_answered_after_its_look_back_is_decided_on_the_day_after_that() -> None:
    fold = customers_fold_of(told("1 09:00 contacted ann contact=k1 served=false\n 12 09:00 solved ann contact=k1"))

    assert figure(fold, on(12), "fcr_ratio", "30d", SUPPORT) is None
    assert figure(fold, on(13), "fcr_ratio", "today", SUPPORT) == 1


A_LONG_WAY = """
1 09:00 contacted   ann contact=k1
1 10:00 handed_over ann contact=k1 queue=billing
3 09:00 contacted   ann contact=k2
3 09:30 contacted   ann contact=k2 message=true
3 11:00 solved      ann contact=k2
"""


def test_effort_is_from_the_first_contact_to_the_solution() -> None:
    fold = customers_fold_of(told(A_LONG_WAY))
    efforts = {
        "effort_mean_seconds": 50 * 3600,
        "effort_contacts": 3,
        "effort_handovers": 1,
        "effort_solutions": 1,
    }

    assert {name: figure(fold, on(3), name, "today", SUPPORT) for name in efforts} == efforts
    assert figure(customers_fold_of(told(A_LONG_WAY)[:-1]), on(3), "effort_mean_seconds", "7d", SUPPORT) is None


def test_a_solution_that_did_not_hold_is_superseded_by_the_next_one() -> None:
    table = """
    1 09:00 contacted ann contact=k1
    1 10:00 solved    ann contact=k1
    3 09:00 contacted ann contact=k2
    4 09:00 solved    ann contact=k2
    """
    until, fold = customers_fold_of(told(table)[:3]), customers_fold_of(told(table))

    assert (figure(until, on(4), "effort_mean_seconds", "7d", SUPPORT)) == 3600
    assert figure(fold, on(4), "effort_mean_seconds", "7d", SUPPORT) == 3 * 86_400
    assert figure(fold, on(4), "effort_solutions", "7d", SUPPORT) == 2
    assert figure(fold, on(4), "customer_window_efforts", "7d", SUPPORT) == 1


def test_what_is_said_to_be_solved_again_was_solved_when_that_was_said_first() -> None:
    """A desk that says how a case stands says so whenever it changes, also long after."""
    again = "\n 5 12:00 solved ann contact=k2\n 9 12:00 solved ann contact=k2"
    fold = customers_fold_of(told(A_LONG_WAY + again))

    assert figure(fold, on(9), "effort_mean_seconds", "30d", SUPPORT) == 50 * 3600
    assert figure(fold, on(9), "effort_solutions", "30d", SUPPORT) == 1

    # Who has written in between has been given another solution.
    wrote = again.replace("\n 9", "\n 6 12:00 contacted ann contact=k2 message=true\n 9")
    fold = customers_fold_of(told(A_LONG_WAY + wrote))

    assert figure(fold, on(9), "effort_mean_seconds", "30d", SUPPORT) == (8 * 24 + 3) * 3600
    assert figure(fold, on(9), "effort_solutions", "30d", SUPPORT) == 2


def test_of_ten_solutions_nine_took_an_hour_at_most_and_one_took_days() -> None:
    quick = [f"1 09:00 contacted c{n} contact=k{n}\n 1 10:00 solved c{n} contact=k{n}" for n in range(9)]
    fold = customers_fold_of(told("\n".join(sorted(quick)) + "\n" + A_LONG_WAY))

    assert figure(fold, on(3), "effort_p90_seconds", "7d", SUPPORT) == 3600
    assert figure(fold, on(3), "effort_p90_contacts", "7d", SUPPORT) == 1
    assert figure(fold, on(3), "effort_contacts", "7d", SUPPORT) == 12 / 10


def test_of_ten_solutions_of_one_contact_each_nine_took_one_contact_at_most() -> None:
    lines = [f"1 09:00 contacted c{n} contact=k{n}\n 1 10:00 solved c{n} contact=k{n}" for n in range(10)]
    fold = customers_fold_of(told("\n".join(lines)))

    assert figure(fold, on(3), "effort_p90_contacts", "7d", SUPPORT) == 1


@pytest.mark.parametrize(
    ("line", "handovers"),
    [
        ("handed_over ann contact=k1 queue=support transfer=false", 0),
        ("handed_over ann contact=k1 queue=billing transfer=false", 1),
        ("handed_over ann contact=k1 queue=support", 1),
    ],
)
def test_who_only_tells_that_the_queue_has_it_hands_nothing_over(line: str, handovers: int) -> None:
    table = f"1 09:00 contacted ann contact=k1\n 1 09:30 {line}\n 1 10:00 solved ann contact=k1"

    assert figure(customers_fold_of(told(table)), on(1), "effort_handovers", "today", SUPPORT) == handovers


def test_a_fourth_invitation_in_a_month_was_one_too_many() -> None:
    fold = customers_fold_of(told("\n".join(f"{day} 09:00 asked ann survey=s{day}" for day in (1, 2, 3, 20, 50))))
    part = ("support", "", "", "")

    assert figure(fold, on(50), "customer_asked_total", "", part) == 5
    assert figure(fold, on(50), "customer_asked_too_often_total", "", part) == 1


def test_more_than_are_kept_are_counted_as_dropped_and_the_newest_still_count_as_what_they_are() -> None:
    table = "\n".join(f"1 {n // 60:02}:{n % 60:02} contacted ann contact=k{n}" for n in range(70))
    fold = customers_fold_of(told(table))

    assert figure(fold, on(1), "customer_window_contacts", "today", SUPPORT) == 70
    assert figure(fold, on(1), "customer_window_repeats", "today", SUPPORT) == 69
    assert figure(fold, on(1), "customer_window_dropped", "today") == 64
    assert figure(fold, on(1), "customer_dropped_total") == 64


def test_of_customers_beyond_the_limit_only_the_number_of_events_is_known() -> None:
    table = "1 09:00 contacted ann contact=k1\n1 09:01 contacted bob contact=k2\n1 09:02 contacted ann contact=k3"
    fold = customers_fold_of(told(table), max_customers=1)

    assert figure(fold, on(1), "customer_window_contacts", "today", SUPPORT) == 2
    assert figure(fold, on(1), "customer_window_unknown", "today") == 1
    assert len(fold.customers) == 1


def test_a_queue_that_was_silent_for_longer_than_any_window_begins_anew_and_counts() -> None:
    fold = customers_fold_of(told("1 09:00 contacted ann contact=k1"))
    apply(fold, told("400 09:00 contacted bob contact=k2 queue=billing"), first=1)
    fold.committed(2)
    fold.settle()
    assert SUPPORT not in snapshots_of(fold, on(400))

    apply(fold, told("401 09:00 contacted ann contact=k3"), first=2)
    fold.settle()

    assert figure(fold, on(401), "customer_window_contacts", "today", SUPPORT) == 1
