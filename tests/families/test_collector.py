from datetime import time, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.calendar import EVERY_DAY, Span
from stream.core.family import Board
from stream.families.contacts.rules import Formula, Policy
from stream.families.contacts.tally import WAIT_BOUNDS_SECONDS, Tally
from stream.http.client_library import registry_of
from tests.board.boards import NOON, SHOWN, a_board, a_queue, a_tally, agents, families_of, showing
from tests.families.everything import ones

SUPPORT = {"tenant": "acme", "queue": "support", "channel": "voice"}
HALF_HOUR = {**SUPPORT, "window": "30m"}


def sample(board: Board, name: str, labels: dict[str, str]) -> float | None:
    return registry_of(lambda: families_of(board)).get_sample_value(name, labels)


def test_open_cases_are_the_contacts_that_wait_now() -> None:
    board = a_board(a_queue(waited=12.5, waiting=3, past=2))

    assert sample(board, "contact_open_cases", SUPPORT) == 3
    assert sample(board, "contact_waiting_past_threshold", SUPPORT) == 2
    assert sample(board, "contact_longest_wait_seconds", SUPPORT) == 12.5


def test_an_empty_queue_has_no_longest_wait_and_no_ratios() -> None:
    board = a_board(a_queue())

    assert sample(board, "contact_open_cases", SUPPORT) == 0
    assert sample(board, "contact_longest_wait_seconds", SUPPORT) is None
    for name in ("service_level_ratio", "asa_seconds", "abandonment_ratio", "blocking_ratio", "aht_seconds"):
        assert sample(board, f"contact_{name}", HALF_HOUR) is None


def test_an_empty_board_has_no_samples() -> None:
    assert list(families_of(a_board())) == []


def test_ratios_and_means_of_a_window_stand_beside_their_parts() -> None:
    board = a_board(a_queue(tally=a_tally(in_target=6, too_late=2, abandoned=4, short=2, wait_seconds=18, blocked=3)))

    assert sample(board, "contact_service_level_ratio", HALF_HOUR) == 0.6
    assert sample(board, "contact_asa_seconds", HALF_HOUR) == 18
    assert sample(board, "contact_abandonment_ratio", HALF_HOUR) == 4 / 12
    assert sample(board, "contact_abandonment_excluding_short_ratio", HALF_HOUR) == 2 / 10
    assert sample(board, "contact_blocking_ratio", HALF_HOUR) == 3 / 15
    assert sample(board, "contact_aht_seconds", HALF_HOUR) == 245
    assert sample(board, "contact_window_answered", HALF_HOUR) == 8
    assert sample(board, "contact_window_answered_in_target", HALF_HOUR) == 6
    assert sample(board, "contact_window_decided", HALF_HOUR) == 12
    assert sample(board, "contact_window_blocked", {**HALF_HOUR, "reason": "full"}) == 3
    assert sample(board, "contact_window_answer_wait_seconds", HALF_HOUR) == 8 * 18


def test_every_window_of_the_board_is_shown() -> None:
    board = a_board(a_queue(tally=a_tally(in_target=1)))

    assert all(sample(board, "contact_window_offered", {**SUPPORT, "window": window}) == 1 for window in SHOWN)


def test_what_never_occurred_has_no_series_but_what_every_queue_counts_begins_with_nothing() -> None:
    board = a_board(a_queue())

    assert sample(board, "contact_dequeued_total", {**SUPPORT, "reason": "overflow"}) is None
    assert sample(board, "contact_expired_total", SUPPORT) is None
    assert sample(board, "contact_offered_total", SUPPORT) == 0
    assert sample(board, "contact_abandoned_total", SUPPORT) == 0
    assert sample(board, "contact_window_dequeued", {**HALF_HOUR, "reason": "overflow"}) is None


def test_a_reason_stays_in_the_windows_when_they_have_moved_on() -> None:
    once = a_queue(tally=Tally(dequeued_overflow=1))
    board = a_board(showing(once, dict.fromkeys(SHOWN, Tally())))

    assert sample(board, "contact_window_dequeued", {**HALF_HOUR, "reason": "overflow"}) == 0


def test_the_promise_stands_beside_the_figure() -> None:
    board = a_board(a_queue(target=0.9, formula=Formula.REMOVED_FROM_QUEUE))

    assert sample(board, "contact_service_level_target_ratio", SUPPORT) == 0.9
    assert sample(board, "contact_service_level_threshold_seconds", SUPPORT) == 20
    assert sample(board, "contact_short_abandon_limit_seconds", SUPPORT) == 5
    assert sample(board, "contact_queue_policy_info", {**SUPPORT, "formula": "H", "team": ""}) == 1


def test_the_limits_of_alerts_and_who_is_alerted_stand_beside_the_figure() -> None:
    policy = Policy(
        minimum_volume=7,
        longest_wait_limit=timedelta(minutes=2),
        abandonment_limit=0.05,
        blocking_limit=0.01,
        team="claims",
    )
    board = a_board(replace(a_queue(), policy=policy))

    assert sample(board, "contact_minimum_volume", SUPPORT) == 7
    assert sample(board, "contact_longest_wait_limit_seconds", SUPPORT) == 120
    assert sample(board, "contact_abandonment_limit_ratio", SUPPORT) == 0.05
    assert sample(board, "contact_blocking_limit_ratio", SUPPORT) == 0.01
    assert sample(board, "contact_queue_policy_info", {**SUPPORT, "formula": "C", "team": "claims"}) == 1


def test_a_queue_without_hours_is_always_open_and_has_no_quiet() -> None:
    assert sample(a_board(a_queue()), "contact_queue_open", SUPPORT) == 1
    assert sample(a_board(a_queue()), "contact_queue_quiet", SUPPORT) is None


def test_hours_are_those_of_the_instant_of_the_board() -> None:
    policy = Policy(
        opening_hours=(Span(EVERY_DAY, time(8), time(20)),), quiet_hours=(Span(EVERY_DAY, time(18), time(6)),)
    )
    evening = a_board(replace(a_queue(), policy=policy), at=NOON + timedelta(hours=7))
    night = a_board(replace(a_queue(), policy=policy), at=NOON + timedelta(hours=8))

    assert [sample(board, "contact_queue_open", SUPPORT) for board in (evening, night)] == [1, 0]
    assert [sample(board, "contact_queue_quiet", SUPPORT) for board in (evening, night)] == [1, 1]


def test_a_correction_does_not_make_a_counter_go_down() -> None:
    before = a_board(a_queue(tally=a_tally(in_target=5)))
    after = a_board(a_queue(tally=a_tally(in_target=4), taken_back=a_tally(in_target=1)))

    assert sample(before, "contact_answered_total", SUPPORT) == sample(after, "contact_answered_total", SUPPORT) == 5
    assert sample(after, "contact_wait_seconds_count", SUPPORT) == 5
    assert sample(after, "contact_corrections_total", {**SUPPORT, "figure": "answered"}) == 1
    assert sample(before, "contact_corrections_total", {**SUPPORT, "figure": "answered"}) is None
    assert sample(after, "contact_corrections_total", {**SUPPORT, "figure": "other"}) is None


def test_corrections_of_what_is_seldom_counted_are_one_series_together() -> None:
    back = Tally(transferred_in=2, dequeued_timeout=3, blocked_busy=4, callbacks_failed=5)
    board = a_board(a_queue(tally=back, taken_back=back))

    assert sample(board, "contact_corrections_total", {**SUPPORT, "figure": "other"}) == 14
    assert sample(board, "contact_corrections_total", {**SUPPORT, "figure": "transferred_in"}) is None


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_counters_count_what_was_counted_and_what_was_taken_back(total: int, back: int, moved: int) -> None:
    earlier = a_board(a_queue(tally=ones(total + moved), taken_back=ones(back)))
    later = a_board(a_queue(tally=ones(total), taken_back=ones(back + moved)))

    for name in ("contact_offered_total", "contact_talk_seconds_total", "contact_handle_seconds_count"):
        assert sample(earlier, name, SUPPORT) == sample(later, name, SUPPORT)


def test_histograms_are_cumulative_and_end_with_everything() -> None:
    waits = [1] * (len(WAIT_BOUNDS_SECONDS) + 1)
    board = a_board(a_queue(tally=Tally(answered=15, answer_wait_ms=90_500, waits=waits)))

    cumulative = [
        sample(board, "contact_wait_seconds_bucket", {**SUPPORT, "le": str(float(bound))})
        for bound in WAIT_BOUNDS_SECONDS
    ]
    assert cumulative == list(range(1, 15))
    assert sample(board, "contact_wait_seconds_bucket", {**SUPPORT, "le": "+Inf"}) == 15
    assert sample(board, "contact_wait_seconds_count", SUPPORT) == 15
    assert sample(board, "contact_wait_seconds_sum", SUPPORT) == 90.5


def test_agents_of_the_tenant_are_no_sum_of_its_queues() -> None:
    board = a_board(staff=(agents("a", available=1), agents("b", available=1), agents(None, available=1)))

    assert sample(board, "contact_agents", {"tenant": "acme", "queue": "a", "state": "available"}) == 1
    assert sample(board, "contact_agents", {"tenant": "acme", "queue": "b", "state": "offline"}) == 0
    assert sample(board, "contact_tenant_agents", {"tenant": "acme", "state": "available"}) == 1


def test_a_queue_that_left_the_board_takes_its_series_with_it() -> None:
    boards = [a_board(a_queue("left", waited=1), a_queue()), a_board(a_queue())]
    registry = registry_of(lambda: families_of(boards[0]))

    assert registry.get_sample_value("contact_open_cases", SUPPORT | {"queue": "left"}) == 1
    boards.pop(0)
    assert registry.get_sample_value("contact_open_cases", SUPPORT | {"queue": "left"}) is None
    assert registry.get_sample_value("contact_open_cases", SUPPORT) == 0


def test_lengths_become_seconds() -> None:
    queue = a_queue(waited=timedelta(hours=1, milliseconds=250).total_seconds())

    assert sample(a_board(queue), "contact_longest_wait_seconds", SUPPORT) == 3600.25
