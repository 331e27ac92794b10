"""What one visit counts for, however its events arrive."""

from datetime import timedelta

import pytest

from stream.core.policies import Policies, Rule
from stream.families.contacts import segment
from stream.families.contacts.events import SEGMENT_EVENTS, ContactOfferedToAgent
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.rules import Formula
from stream.families.contacts.service_level import service_level
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally
from tests.timeline import TEN, after, board_of, event, figures_of, sales, shown, story


def test_an_answered_contact_is_offered_when_it_enters_and_answered_after_its_wait() -> None:
    queue = sales(
        """
        00:00  enqueued  ann
        00:08  answered  ann
        """
    )

    assert (queue.total.offered, queue.total.answered, queue.total.answer_wait_ms) == (1, 1, 8000)
    assert queue.total.answered_in_target == 1


def test_a_wait_of_exactly_the_threshold_meets_the_service_level() -> None:
    queue = sales(
        """
        00:00  enqueued  ann
        00:20  answered  ann
        00:00  enqueued  bob
        00:21  answered  bob
        """
    )

    assert (queue.total.answered, queue.total.answered_in_target) == (2, 1)


def test_an_exit_of_exactly_the_threshold_is_within_it_and_one_later_is_not() -> None:
    queue = sales(
        """
        00:00  enqueued   ann
        00:20  abandoned  ann
        00:00  enqueued   bob
        00:21  abandoned  bob
        00:00  enqueued   cid
        00:20  dequeued   cid  reason=callback_requested
        00:00  enqueued   dan
        00:21  dequeued   dan  reason=callback_requested
        """
    )

    assert (queue.total.abandoned, queue.total.abandoned_in_target) == (2, 1)
    assert (queue.total.dequeued_callback_requested, queue.total.callback_requested_in_target) == (2, 1)


def test_the_call_systems_own_wait_wins_over_the_difference_of_times() -> None:
    queue = sales(
        """
        00:00  enqueued  ann
        00:08  answered  ann  wait_ms=7400
        """
    )

    assert queue.total.answer_wait_ms == 7400


def test_an_answer_without_an_entry_waited_nobody_knows_how_long() -> None:
    queue = sales("00:08  answered  ann", at="00:09")

    assert (queue.total.offered, queue.total.answered, queue.total.answered_wait_unknown) == (1, 1, 1)
    assert (queue.total.answered_in_target, queue.total.answer_wait_ms, sum(queue.total.waits)) == (0, 0, 0)
    assert figures_of(queue.windows["5m"], queue.policy).asa_seconds is None


def test_a_contact_that_came_straight_through_waited_0_where_the_call_system_says_so() -> None:
    queue = sales("00:08  answered  ann  wait_ms=0")

    assert (queue.total.answered_wait_unknown, queue.total.answered_in_target, sum(queue.total.waits)) == (0, 1, 1)
    assert figures_of(queue.total, queue.policy).asa_seconds == 0


UNTIMED = {
    "only the end of the conversation is known": ("00:50  ended  ann  talk_ms=50000", "answered"),
    "only the hand-over of the conversation is known": (
        "00:50  transferred  ann  kind=blind  talk_ms=50000",
        "answered",
    ),
    "the answer is known, and nothing before it": ("00:10  answered  ann", "answered"),
    "the abandon is known, and nothing before it": ("00:10  abandoned  ann", "abandoned"),
    "the exit is known, and nothing before it": ("00:10  dequeued  ann  reason=callback_requested", "dequeued"),
}


@pytest.mark.parametrize(("table", "outcome"), UNTIMED.values(), ids=UNTIMED)
def test_an_unknown_wait_is_not_0_but_in_no_figure_that_asks_for_it(table: str, outcome: str) -> None:
    total = sales(table).total

    assert (total.offered, total.decided, getattr(total, outcome)) == (1, 1, 1)
    assert total.answered_wait_unknown + total.abandoned_wait_unknown + total.callback_requested_wait_unknown == 1
    assert (total.answered_in_target, total.abandoned_in_target, total.callback_requested_in_target) == (0, 0, 0)
    assert (total.abandoned_short, total.answer_wait_ms, total.abandon_wait_ms, sum(total.waits)) == (0, 0, 0, 0)
    blind = {formula for formula in Formula if service_level(total, formula) is None}
    # The only one that does not ask how long an abandoned contact waited; and other exits hurt in G however late.
    assert set(Formula) - blind == {"abandoned": {Formula.ALL_ABANDONS_HURT}, "dequeued": {Formula.FLOW_OUTS_HURT}}.get(
        outcome, set()
    )


def test_the_end_of_a_conversation_alone_makes_it_answered_and_handled() -> None:
    queue = sales("00:50  ended  ann  talk_ms=50000  hold_ms=0", at="00:51")

    assert (queue.total.answered, queue.total.handled, queue.total.talk_ms) == (1, 1, 50000)
    figures = figures_of(queue.windows["5m"], queue.policy)
    assert (figures.service_level, figures.asa_seconds, figures.aht_seconds) == (None, None, 50)


def test_contacts_of_unknown_wait_leave_the_figures_of_the_others_as_they_are() -> None:
    known = """
        00:00  enqueued   ann
        00:08  answered   ann
        00:00  enqueued   bob
        00:40  answered   bob
        00:00  enqueued   cid
        00:15  abandoned  cid
        00:00  enqueued   dan
        00:10  dequeued   dan  reason=callback_requested
        """
    unknown = """
        00:41  ended      eve  talk_ms=1000
        00:42  abandoned  fay
        00:43  dequeued   gil  reason=callback_requested
        """
    without, with_them = sales(known), sales(known + unknown)

    for formula in set(Formula) - {Formula.ALL_ABANDONS_HURT, Formula.FLOW_OUTS_HURT}:
        assert service_level(with_them.total, formula) == service_level(without.total, formula)
    before, after_all = (figures_of(queue.total, queue.policy) for queue in (without, with_them))
    assert (after_all.asa_seconds, after_all.mean_abandon_seconds) == (before.asa_seconds, before.mean_abandon_seconds)
    assert (before.abandonment_ratio, after_all.abandonment_ratio) == (1 / 4, 2 / 7)  # whoever gave up gave up
    assert (before.abandonment_excluding_short_ratio, after_all.abandonment_excluding_short_ratio) == (1 / 4, 1 / 6)


@pytest.mark.parametrize("talk", ["", "talk_ms=0", "talk_ms=0  hold_ms=0"])
def test_a_hang_up_alone_that_tells_of_no_conversation_says_nothing_of_a_visit(talk: str) -> None:
    queue = sales(f"00:50  ended  ann  {talk}")

    assert (queue.total, queue.taken_back) == (Tally(), Tally())


def test_whoever_hung_up_without_a_word_was_not_answered() -> None:
    queue = sales(
        """
        00:00  enqueued     ann
        00:30  ended        ann  talk_ms=0
        00:00  enqueued     bob
        00:30  transferred  bob  kind=queue  talk_ms=0  hold_ms=0
        """
    )

    assert (queue.total.dequeued_system, queue.total.dequeued_moved) == (1, 1)
    assert (queue.total.answered, queue.total.handled) == (0, 0)


def test_an_answer_that_overtakes_its_entry_is_corrected_by_it() -> None:
    queue = sales(
        """
        00:30  answered  ann
        00:00  enqueued  ann
        """
    )

    assert (queue.total.offered, queue.total.answered, queue.total.answer_wait_ms) == (1, 1, 30000)
    assert queue.total.answered_in_target == 0
    assert queue.taken_back == Tally()  # no counter had shown it: its wait was not known yet


def test_of_two_reported_outcomes_the_earlier_stands() -> None:
    queue = sales(
        """
        00:00  enqueued   ann
        00:30  answered   ann
        00:12  abandoned  ann
        """
    )

    assert (queue.total.answered, queue.total.abandoned) == (0, 1)


def test_a_hang_up_before_the_short_limit_is_a_short_abandon() -> None:
    queue = sales(
        """
        00:00  enqueued   ann
        00:05  abandoned  ann
        00:00  enqueued   bob
        00:06  abandoned  bob
        """
    )

    assert (queue.total.abandoned, queue.total.abandoned_short, queue.total.abandoned_in_target) == (2, 1, 2)
    assert queue.total.abandon_wait_ms == 11000


def test_other_exits_are_no_abandons() -> None:
    queue = sales(
        """
        00:00  enqueued  ann
        01:00  dequeued  ann  reason=timeout
        00:00  enqueued  bob
        00:10  dequeued  bob  reason=callback_requested
        """
    )

    assert (queue.total.dequeued, queue.total.abandoned) == (2, 0)
    assert (queue.total.dequeued_timeout, queue.total.dequeued_callback_requested) == (1, 1)
    assert queue.total.callback_requested_in_target == 1


def test_handle_time_counts_when_the_wrap_up_is_over() -> None:
    table = """
        00:00  enqueued       ann
        00:10  answered       ann
        03:10  ended          ann  talk_ms=160000  hold_ms=20000  wrapup=true
        04:00  wrapup_ended   ann  acw_ms=50000
        """

    before = sales("\n".join(table.splitlines()[:-2]), at="03:30")
    done = sales(table)

    assert (before.total.handled, before.wrapping_up) == (0, 1)
    assert (done.total.handled, done.total.handle_ms, done.wrapping_up) == (1, 230000, 0)


def test_where_no_wrap_up_follows_handle_time_counts_at_the_hang_up() -> None:
    queue = sales(
        """
        00:00  enqueued  ann
        00:10  answered  ann
        00:40  held      ann
        01:00  resumed   ann
        03:10  ended     ann
        """
    )

    assert (queue.total.talk_ms, queue.total.hold_ms, queue.total.handled) == (160000, 20000, 1)


def test_a_wrap_up_nobody_announced_takes_the_handle_time_back_until_it_ends() -> None:
    table = """
        00:00  answered         ann
        01:00  ended            ann  talk_ms=60000  hold_ms=0
        01:01  wrapup_started   ann
        """

    pending = sales(table, at="01:30")
    done = sales(table + "\n01:31  wrapup_ended  ann")

    assert (pending.total.handled, pending.taken_back.handled) == (0, 1)
    assert (done.total.handled, done.total.wrapup_ms, done.total.talk_ms) == (1, 30000, 60000)


def test_a_transfer_to_another_queue_leaves_the_first_and_enters_the_second() -> None:
    board = board_of(
        """
        00:00  enqueued     ann
        00:10  answered     ann
        02:00  transferred  ann  kind=queue  to_queue=support
        02:00  enqueued     ann  queue=support  enqueue_seq=2  reason=transfer
        02:30  answered     ann  queue=support  enqueue_seq=2
        05:00  ended        ann  queue=support  enqueue_seq=2
        """,
        at="06:00",
    )

    assert (board["sales"].total.answered, board["sales"].total.transferred_out) == (1, 1)
    assert (board["sales"].total.talk_ms, board["sales"].talking) == (110000, 0)
    assert (board["support"].total.offered, board["support"].total.transferred_in) == (1, 1)
    assert board["support"].total.answer_wait_ms == 30000


def test_a_contact_transferred_while_waiting_was_moved_not_abandoned() -> None:
    queue = sales(
        """
        00:00  enqueued     ann
        00:40  transferred  ann  kind=queue  to_queue=support
        """
    )

    assert (queue.total.dequeued_moved, queue.total.abandoned, queue.waiting) == (1, 0, 0)


def test_a_re_queue_is_another_segment() -> None:
    queue = sales(
        """
        00:00  enqueued  ann
        00:30  dequeued  ann  reason=timeout
        00:31  enqueued  ann  enqueue_seq=2  reason=requeue
        00:41  answered  ann  enqueue_seq=2
        """
    )

    assert (queue.total.offered, queue.total.requeued) == (2, 1)
    assert (queue.total.dequeued_timeout, queue.total.answered) == (1, 1)


def test_blocked_attempts_count_by_reason_and_closed_ones_apart() -> None:
    queue = sales(
        """
        00:00  blocked  ann  reason=full
        00:01  blocked  bob  reason=no_agents
        00:02  blocked  cid  reason=closed
        00:03  enqueued dan
        """
    )

    assert (queue.total.blocked, queue.total.closed, queue.total.offered) == (2, 1, 1)
    assert (queue.total.blocked_full, queue.total.blocked_no_agents) == (1, 1)


def test_missed_offers_count_once_each_and_answer_nothing() -> None:
    queue = sales(
        """
        00:00  enqueued     ann
        00:05  offer_ended  ann  result=missed    offer_id=1
        00:05  offer_ended  ann  result=missed    offer_id=1
        00:09  offer_ended  ann  result=rejected  offer_id=2
        00:11  offer_ended  ann  result=canceled  offer_id=3
        """
    )

    assert (queue.total.offers_missed, queue.total.answered, queue.waiting) == (2, 0, 1)


def test_callbacks_wait_until_somebody_keeps_the_promise() -> None:
    table = """
        00:00  callback.requested  cb1  origin=ann
        05:00  callback.attempted  cb1  attempt=1
        05:00  callback.attempted  cb1  attempt=1
        09:00  callback.attempted  cb1  attempt=2
        """

    waiting = sales(table)
    kept = sales(table + "\n09:05  callback.connected  cb1  attempt=2", at="09:30")

    assert (waiting.callbacks_waiting, waiting.total.callback_attempts) == (1, 2)
    assert (kept.callbacks_waiting, kept.total.callbacks_connected) == (0, 1)


def test_the_second_leg_of_a_callback_is_no_answered_call() -> None:
    queue = sales(
        """
        00:00  enqueued  ann  direction=outbound  reason=callback
        00:30  answered  ann  direction=outbound
        02:30  ended     ann  direction=outbound
        """
    )

    assert (queue.total.offered, queue.total.answered, queue.total.handled) == (0, 0, 1)


def test_a_new_threshold_holds_from_the_next_decided_contact_on() -> None:
    strict = Policies(rules=(Rule(changes={"threshold": timedelta(seconds=5)}),))
    floor_events = story(
        """
        00:00  enqueued  ann
        00:10  answered  ann
        """
    )

    first = ContactsFold()
    first.apply(floor_events, [0, 1])
    first.settle()
    second = ContactsFold(strict)
    for name in ("tallies", "segments"):
        for key, row in first.tables[name].items():
            second.tables[name].load(key, row)
    second.recovered()

    second.apply(story("01:00  ended  ann"), [2])

    (queue,) = shown(second, after("02:00"))
    assert (queue.total.answered_in_target, queue.total.handled) == (1, 1)


def test_a_contact_that_never_ends_is_a_ghost_neither_waiting_nor_abandoned() -> None:
    table = "00:00  enqueued  ann"

    before = sales(table, at="3:59:59")
    after_limit = sales(table, at="4:00:01")

    assert (before.waiting, before.total.expired) == (1, 0)
    assert (after_limit.waiting, after_limit.total.expired, after_limit.total.abandoned) == (0, 1, 0)
    assert (after_limit.windows["5m"].expired, after_limit.windows["today"].expired) == (1, 1)
    assert after_limit.longest_wait is None


def test_an_end_reported_after_all_brings_a_ghost_back_to_life() -> None:
    queue = sales(
        """
        00:00    enqueued  ann
        5:00:00  answered  ann
        """,
        at="5:01:00",
    )

    assert (queue.total.answered, queue.total.expired) == (1, 0)
    assert queue.taken_back.expired == 1  # so that the counter, total and taken back, does not fall


def test_every_kind_of_report_about_a_segment_is_understood() -> None:
    assert set(SEGMENT_EVENTS) - segment.FACT_REPORTS == {ContactOfferedToAgent}


def test_a_conversation_ends_with_the_transfer_whatever_ends_later() -> None:
    queue = sales(
        """
        00:10  answered     ann
        01:00  transferred  ann  kind=blind
        10:00  ended        ann
        """,
        at="11:00",
    )

    assert (queue.total.talk_ms, queue.total.handled) == (50000, 1)


def test_a_hold_may_be_the_first_to_tell_that_we_called_ourselves() -> None:
    queue = sales(
        """
        00:00  enqueued  ann
        00:10  answered  ann
        00:20  held      ann  direction=outbound
        """
    )

    assert (queue.total.offered, queue.total.answered) == (0, 0)


LATE_REPORTS = {
    "a contact handed on hangs up": """
        00:00  enqueued     ann
        00:10  answered     ann
        02:00  transferred  ann  kind=blind
        later  ended        ann  talk_ms=1500000
        """,
    "a contact handed on with a wrap-up hangs up": """
        00:00  enqueued      ann
        00:10  answered      ann
        02:00  transferred   ann  kind=attended  wrapup=true
        02:30  wrapup_ended  ann
        later  ended         ann  talk_ms=1500000
        """,
    "a contact handed on while it waited hangs up": """
        00:00  enqueued     ann
        00:40  transferred  ann  kind=queue  to_queue=support
        later  ended        ann  talk_ms=600000
        """,
    "a contact that left for elsewhere hangs up": """
        00:00  enqueued  ann
        00:40  dequeued  ann  reason=overflow
        later  ended     ann  talk_ms=600000
        """,
    "a contact that left for elsewhere hangs up without a word": """
        00:00  enqueued  ann
        00:40  dequeued  ann  reason=voicemail
        later  ended     ann
        """,
    "the call system tidies up after a contact that gave up": """
        00:00  enqueued   ann
        00:40  abandoned  ann
        later  ended      ann  ended_by=system  talk_ms=0
        """,
    "the call system tidies up after an attempt": """
        00:00  blocked  ann  reason=full
        later  ended    ann  ended_by=system
        """,
    "a wrap-up that nobody announced ends": """
        00:00  enqueued      ann
        00:10  answered      ann
        02:00  ended         ann
        later  wrapup_ended  ann
        """,
    "the hang-up comes long after the wrap-up": """
        00:00  enqueued      ann
        00:10  answered      ann
        02:30  wrapup_ended  ann  acw_ms=30000
        later  ended         ann  talk_ms=110000
        """,
    "a contact handed on is held by the next agent": """
        00:00  enqueued     ann
        00:10  answered     ann
        02:00  transferred  ann  kind=blind
        later  held         ann
        """,
}


def after_an_hour(table: str) -> tuple[QueueSnapshot, QueueSnapshot]:
    """Return a queue before and after the report that comes `later`; all is durable, and others came and went."""
    told = story(table.replace("later", "61:00"))
    others = [event("blocked", f"c{minute}", f"{minute}:00", reason="full") for minute in range(3, 61)]
    fold = ContactsFold()
    for offset, one in enumerate([*told[:-1], *others]):
        fold.apply([one], [offset])
        fold.settle()
        fold.committed(offset + 1)
    (before,) = shown(fold, after("62:00"))
    fold.apply(told[-1:], [1000])
    (late,) = shown(fold, after("62:00"))
    return before, late


@pytest.mark.parametrize("table", LATE_REPORTS.values(), ids=LATE_REPORTS)
def test_what_is_told_an_hour_later_of_a_visit_that_is_over_does_not_make_another_one(table: str) -> None:
    before, late = after_an_hour(table)

    assert (late.total.offered, late.total.decided) == (before.total.offered, before.total.decided)
    assert late.total.handled <= late.total.answered
    assert late.taken_back == before.taken_back
    assert (late.waiting, late.talking) == (before.waiting, before.talking) == (0, 0)


def test_a_hang_up_long_after_the_wrap_up_makes_the_visit_handled() -> None:
    before, late = after_an_hour(LATE_REPORTS["the hang-up comes long after the wrap-up"])

    assert (before.total.handled, late.total.handled, late.total.talk_ms) == (0, 1, 110000)


def test_a_visit_whose_contact_goes_on_is_remembered_until_no_contact_lasts_so_long() -> None:
    fold = ContactsFold()
    told = story("00:10 answered ann\n02:00 transferred ann kind=blind")
    for minutes in (3, 14, 241, 243, 244):
        told.append(event("blocked", f"c{minutes}", TEN + timedelta(minutes=minutes), reason="full"))
    kept = []
    for offset, one in enumerate(told):
        fold.apply([one], [offset])
        fold.settle()
        fold.committed(offset + 1)
        kept.append("ann" in {key[3] for key in fold.segments})

    assert kept == [True, True, True, True, True, False, False]
    assert not fold.queues["default", "sales", "voice"].phases.elsewhere
