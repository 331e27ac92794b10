"""Mail on the left, what the board learns of it on the right: threads are cases, whatever order and repetition do."""

import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.cloudevents import Event, encode
from stream.sdk.producer import checked
from stream.sources.imap_mailbox.session import MailboxAway, MailboxRefused
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from tests.families.cases.stories import counted, folded, only
from tests.sources.imap_mailbox.mailboxes import MONDAY, RECORDED, Inbox, message, settings_in, told_of

EVENING = datetime(2026, 11, 24, 20, tzinfo=UTC)
SENT = {"03", "12"}
RECEIVED_AT = {
    "01": "23 08:00:02",
    "02": "23 08:00:06",
    "03": "23 09:30:01",
    "04": "23 10:10:03",
    "05": "23 09:30:22",
    "12": "24 08:30:02",
}
"""As in the recorded session; all others came on Tuesday at nine, a second apart."""


def at(clock: str, day: int = 23) -> datetime:
    return datetime.strptime(f"2026-11-{day} {clock} +0000", "%Y-%m-%d %H:%M %z").astimezone(UTC)


def received_at(begin: str) -> datetime:
    told = RECEIVED_AT.get(begin, f"24 09:00:{int(begin):02}")
    return datetime.strptime(f"2026-11-{told} +0000", "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)


def recorded() -> list[tuple[bytes, datetime, str]]:
    found = []
    for path in sorted((RECORDED / "messages").glob("*.eml")):
        begin = path.name[:2]
        header = path.read_bytes().partition(b"\n\n")[0]
        found.append((header, received_at(begin), "Sent" if begin in SENT else "INBOX"))
    return found


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(settings_in(tmp_path))


def asks(inbox: Inbox, number: int, clock: str, **fields: str) -> int:
    return inbox.mailbox.add(message(number, **fields), at(clock))


def answers(inbox: Inbox, number: int, to: int, clock: str, /, **fields: str) -> int:
    usual = {"from": "ana@example.org", "to": "c1@example.com", "references": f"<m{to}@example.com>"}
    return inbox.mailbox.add(message(number, **usual | fields), at(clock), "Sent")


def figures(events: list[Event], window: str = "7d") -> dict[str, Any]:
    return counted(folded(events), EVENING, window)


def everything_of(events: list[Event]) -> tuple[Any, ...]:
    """Return all that a board shows of the queue."""
    fold = folded(events)
    board = only(fold, EVENING)
    now = (board.open, board.waiting, board.waiting_since, board.opened_since, board.by_status, board.by_age)
    return now, counted(fold, EVENING, "today"), counted(fold, EVENING, "7d")


# -- the recorded messages ---------------------------------------------------------------------


async def test_the_recorded_messages_have_the_figures_that_were_computed_by_hand(inbox: Inbox) -> None:
    for each in recorded():
        inbox.mailbox.add(*each)
    inbox.clock.at = EVENING

    events = await inbox.news()

    fold = folded(events)
    board = only(fold, EVENING)
    # c1 is solved on Tuesday at 8:30; c2 to c6 wait, c2 since Monday at noon.
    assert (board.open, board.waiting, board.waiting_since) == (5, 5, at("12:00"))
    days = counted(fold, EVENING, "7d"), counted(fold, EVENING, "today")
    assert {name: tuple(day.get(name, 0) for day in days) for name in ("opened", "received", "sent", "automatic")} == {
        # In seven days, and today.
        "opened": (6, 4),
        "received": (8, 5),
        "sent": (2, 1),
        "automatic": (2, 0),
    }
    # Asked at 8:00, answered at 9:30; asked again at 10:10, answered the next day at 8:30.
    assert (days[0]["first_responses"], days[0]["first_responses_ms"]) == (1, 90 * 60_000)
    assert (days[1]["next_responses"], days[1]["next_responses_ms"]) == (1, (22 * 60 + 20) * 60_000)
    assert inbox.intake.ignored == {"bounce": 1, "bulk": 1}
    assert inbox.intake.read == 14


async def test_one_thread_of_the_recording_is_told_so(inbox: Inbox) -> None:
    for each in recorded()[:5]:
        inbox.mailbox.add(*each)

    assert told_of(await inbox.news()) == [
        "23 08:00:00 Opened",
        "23 08:00:00 MessageReceived",
        "23 08:00:05 MessageSent automatic",
        "23 09:30:00 MessageSent agent",
        "23 09:30:00 Resolved agent",
        "23 10:10:00 Reopened",
        "23 10:10:00 MessageReceived",
        "23 09:30:20 MessageReceived automatic",
    ]
    assert len({event.subject for event in inbox.events}) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_however_the_recording_is_cut_into_visits_the_figures_are_the_same(
    data: st.DataObject, tmp_path: Path
) -> None:
    everything = recorded()
    whole, parts = Inbox(settings_in(tmp_path)), Inbox(settings_in(tmp_path))
    for each in everything:
        whole.mailbox.add(*each)
    whole.clock.at = parts.clock.at = EVENING
    # In the order in which they came: what replies comes behind what it replies to.
    in_order = sorted(everything, key=lambda each: each[1])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(in_order) - 1), max_size=5)))
    for begin, end in zip([0, *cuts], [*cuts, len(in_order)], strict=True):
        for each in in_order[begin:end]:
            parts.mailbox.add(*each)
        await parts.news()
    await whole.news()
    again = data.draw(st.permutations(parts.events + parts.events))

    assert everything_of(again) == everything_of(whole.events)


# -- whatever order ----------------------------------------------------------------------------

Delivered = tuple[bytes, datetime, str]


def conversation(number: int, customer: str, *, we_write_first: bool = False) -> list[Delivered]:
    """Return a day of mail: asked or written first, asked again, answered, asked, answered twice, asked once more."""
    told: list[Delivered] = []
    authors = "aqqaqaaq" if we_write_first else "qqaqaaq"
    for step, author in enumerate(authors):
        ids = [f"<{number}.{each}@example.com>" for each in range(step + 1)]
        fields = {
            "from": customer if author == "q" else "ana@example.org",
            "to": "support@example.org" if author == "q" else customer,
            "message_id": ids[-1],
            "references": " ".join(ids[:-1]),
            "subject": f"{'Re: ' if step else ''}Parcel {number}",
        }
        received = at("08:00") + timedelta(hours=3 * step, minutes=7 * number)
        told.append((message(**fields), received, "INBOX" if author == "q" else "Sent"))
    return told


CONVERSATIONS = [
    *conversation(1, "c1@example.com"),
    *conversation(2, "c2@example.com", we_write_first=True),
]


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrival=st.permutations(CONVERSATIONS), visits=st.integers(1, 15))
async def test_in_whatever_order_mail_is_found_the_figures_are_the_same(
    arrival: list[Delivered], visits: int, tmp_path: Path
) -> None:
    in_order, found = Inbox(settings_in(tmp_path)), Inbox(settings_in(tmp_path))
    in_order.clock.at = found.clock.at = EVENING
    for each in CONVERSATIONS:
        in_order.mailbox.add(*each)
    await in_order.news()
    for begin in range(0, len(arrival), visits):
        for each in arrival[begin : begin + visits]:
            found.mailbox.add(*each)
        await found.news()

    assert everything_of(found.events) == everything_of(in_order.events)


async def test_a_question_that_is_found_after_its_answer_is_answered(inbox: Inbox) -> None:
    answers(inbox, 2, 1, "09:00")
    await inbox.news()
    asks(inbox, 1, "08:00")
    await inbox.news()
    asks(inbox, 3, "10:00", references="<m1@example.com> <m2@example.com>")

    assert told_of(await inbox.news()) == ["23 10:00:00 Reopened", "23 10:00:00 MessageReceived"]
    assert (figures(inbox.events)["first_responses_ms"], only(folded(inbox.events), EVENING).waiting) == (3_600_000, 1)
    assert inbox.position is not None
    (thread,) = json.loads(inbox.position)["threads"]
    assert len(thread["messages"]) == 3


async def test_what_is_found_first_by_its_replies_leaves_nothing_behind_in_the_memory(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, remembered_messages=100))
    for number in range(300):
        asks(inbox, 1000 + number, "09:00", references=f"<m{number}@example.com>")
        asks(inbox, number, "10:00")

    await inbox.news()

    assert inbox.position is not None
    threads = json.loads(inbox.position)["threads"]
    assert sum(len(thread["messages"]) for thread in threads) == 100
    assert len({thread["case"] for thread in threads}) == len(threads) == 50


async def test_an_answer_that_is_found_late_does_not_solve_what_was_asked_since(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    asks(inbox, 3, "10:00", references="<m1@example.com>")
    await inbox.news()
    answers(inbox, 2, 1, "09:00")
    await inbox.news()

    board = only(folded(inbox.events), EVENING)
    assert (board.open, board.waiting, board.waiting_since) == (1, 1, at("10:00"))


async def test_a_sent_folder_that_is_named_later_tells_all_answers(tmp_path: Path) -> None:
    told = settings_in(tmp_path, sent=("INBOX",))
    inbox = Inbox(told)
    inbox.clock.at = EVENING
    for each in CONVERSATIONS:
        inbox.mailbox.add(*each)
    await inbox.news()
    inbox.told = settings_in(tmp_path, sent=("Sent",))
    await inbox.news()
    whole = Inbox(settings_in(tmp_path), mailbox=inbox.mailbox)
    whole.clock.at = EVENING
    await whole.news()

    assert everything_of(inbox.events) == everything_of(whole.events)


@pytest.mark.parametrize("behind", [timedelta(hours=2), timedelta(minutes=5)])
async def test_a_customer_whose_clock_is_behind_waits_for_the_answer_to_what_he_replied(
    inbox: Inbox, behind: timedelta
) -> None:
    asks(inbox, 1, "08:00")
    answers(inbox, 2, 1, "09:30")
    written = at("09:31") - behind
    asks(inbox, 3, "09:31", date=format_datetime(written), references="<m1@example.com> <m2@example.com>")
    await inbox.news()

    board = only(folded(inbox.events), EVENING)
    assert (board.open, board.waiting) == (1, 1)
    assert board.waiting_since is not None
    assert at("09:30") < board.waiting_since < at("09:31")


async def test_an_agent_whose_clock_is_behind_has_answered(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    answers(inbox, 2, 1, "08:02", date=format_datetime(at("07:30")))
    await inbox.news()

    assert only(folded(inbox.events), EVENING).waiting == 0
    assert figures(inbox.events)["first_responses"] == 1


# -- which thread ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "cases"),
    [
        ({"references": "<m1@example.com>"}, 1),
        ({"in_reply_to": "<nobody@x> <m1@example.com>"}, 1),
        ({"references": "<nobody@x> <m1@example.com>"}, 1),
        ({"subject": "Re: Parcel"}, 1),
        ({"subject": "Parcel"}, 2),
        ({"subject": "Re: Another"}, 2),
        ({"subject": "Re: Parcel", "from": "c2@example.com"}, 2),
        ({"subject": "Re: Parcel", "references": "<nobody@x>"}, 2),
    ],
)
async def test_a_thread_is_found_by_references_and_by_the_subject_as_the_last_resort(
    inbox: Inbox, fields: dict[str, str], cases: int
) -> None:
    asks(inbox, 1, "08:00", subject="Parcel")
    asks(inbox, 2, "09:00", **fields)

    assert len({event.subject for event in await inbox.news()}) == cases


async def test_an_old_subject_is_a_new_case(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, subject_days=2))
    inbox.mailbox.add(message(1, subject="Parcel"), at("08:00", 20))
    inbox.mailbox.add(message(2, subject="Re: Parcel"), at("08:01", 22))

    assert len({event.subject for event in await inbox.news()}) == 2


async def test_the_same_message_in_two_folders_or_two_copies_counts_once(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    asks(inbox, 1, "08:00")
    inbox.mailbox.add(message(1), at("08:00"), "Sent")

    assert told_of(await inbox.news()) == ["23 08:00:00 Opened", "23 08:00:00 MessageReceived"]
    assert inbox.intake.ignored == {"known already": 2}


async def test_a_case_that_was_forgotten_is_the_same_case_when_somebody_replies(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, remembered_messages=100, resolved_by="nothing"))
    asks(inbox, 1, "08:00")
    for number in range(2, 120):
        asks(inbox, number, "08:01")
    answers(inbox, 500, 1, "09:00")
    asks(inbox, 501, "10:00", references="<m1@example.com> <m500@example.com>")

    events = await inbox.news()

    of_it = [event for event in events if event.subject == events[0].subject]
    assert told_of(of_it)[:3] == ["23 08:00:00 Opened", "23 08:00:00 MessageReceived", "23 09:00:00 MessageSent agent"]
    # Opened once more, which the board forgives.
    assert figures(events)["opened"] == 119
    assert figures(events)["first_responses_ms"] == 60 * 60_000


async def test_what_is_forgotten_though_open_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox(settings_in(tmp_path, remembered_messages=100))
    for number in range(101):
        asks(inbox, number, "08:00")

    await inbox.news()

    assert "1 open threads are forgotten" in caplog.text
    assert inbox.position is not None
    assert len(json.loads(inbox.position)["threads"]) == 100


async def test_a_long_thread_is_found_by_its_first_and_its_latest_messages(inbox: Inbox) -> None:
    asks(inbox, 0, "08:00")
    for number in range(1, 300):
        asks(inbox, number, "09:00", references=f"<m{number - 1}@example.com>")
    asks(inbox, 998, "10:00", references="<m0@example.com>")
    asks(inbox, 999, "10:00", references="<m299@example.com>")

    assert len({event.subject for event in await inbox.news()}) == 1


# -- answers, and what is none -----------------------------------------------------------------


async def test_what_we_write_first_is_a_case_once_the_customer_answers(inbox: Inbox) -> None:
    inbox.mailbox.add(message(1, **{"from": "ana@example.org", "to": "c1@example.com"}), at("08:00"), "Sent")
    assert await inbox.news() == []

    asks(inbox, 2, "10:00", in_reply_to="<m1@example.com>")
    answers(inbox, 3, 2, "10:30")

    assert told_of(await inbox.news()) == [
        "23 08:00:00 Opened agent by agent",
        "23 08:00:00 MessageSent agent",
        "23 10:00:00 MessageReceived",
        "23 10:30:00 MessageSent agent",
        "23 10:30:00 Resolved agent",
    ]
    assert figures(inbox.events)["first_responses_ms"] == 30 * 60_000


async def test_mail_within_the_house_is_no_answer_and_no_case(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    answers(inbox, 2, 1, "09:00", to="bor@example.org")
    asks(inbox, 3, "09:30", **{"from": "bor@example.org"})

    assert told_of(await inbox.news())[2:] == ["23 09:00:00 MessageSent agent note"]
    assert only(folded(inbox.events), EVENING).waiting == 1


async def test_an_answer_that_wants_its_reply_elsewhere_is_still_ours(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    answers(inbox, 2, 1, "09:00", reply_to="partner@example.net")

    assert told_of(await inbox.news())[2] == "23 09:00:00 MessageSent agent"


async def test_who_writes_by_the_shared_address_is_nobody_unless_the_sender_says_so(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    answers(inbox, 2, 1, "09:00", **{"from": "support@example.org"})
    answers(inbox, 3, 1, "10:00", **{"from": "support@example.org", "sender": "ana@example.org"})
    answers(inbox, 4, 1, "11:00")

    agents = [getattr(event.data, "agent", None) for event in await inbox.news() if "Sent" in type(event).__name__]
    assert agents[0] is None
    assert agents[1] == agents[2] is not None


@pytest.mark.parametrize("mark", [{"auto_submitted": "auto-replied"}, {"return_path": "<>"}, {"precedence": "bulk"}])
async def test_machines_open_nothing_answer_nothing_and_reopen_nothing(inbox: Inbox, mark: dict[str, str]) -> None:
    asks(inbox, 1, "08:00")
    answers(inbox, 2, 1, "08:10", **mark)
    answers(inbox, 3, 1, "09:00")
    asks(inbox, 4, "09:01", in_reply_to="<m3@example.com>", **mark)
    asks(inbox, 5, "09:02", **mark)
    asks(inbox, 6, "09:03", in_reply_to="<unknown@example.com>", **mark)

    events = await inbox.news()

    assert len({event.subject for event in events}) == 1
    found = figures(events)
    assert (found["automatic"], found["first_responses_ms"], found["resolved"]) == (2, 60 * 60_000, 1)
    assert "reopened" not in found


@pytest.mark.parametrize(("machines_open_cases", "opened"), [(False, 0), (True, 1)])
async def test_a_form_that_says_it_is_a_machine_opens_a_case_where_that_is_wanted(
    tmp_path: Path, opened: int, *, machines_open_cases: bool
) -> None:
    inbox = Inbox(settings_in(tmp_path, machines_open_cases=machines_open_cases))
    asks(inbox, 1, "08:00", auto_submitted="auto-generated")
    asks(inbox, 2, "08:00", auto_submitted="auto-replied")
    asks(inbox, 3, "08:00", auto_submitted="auto-generated", in_reply_to="<x@y>")

    assert sum("Opened" in told for told in told_of(await inbox.news())) == opened


async def test_what_is_of_no_use_is_counted_and_never_quoted(inbox: Inbox) -> None:
    aside: list[BadLine] = []
    inbox.intake = Intake(aside.append)
    asks(inbox, 1, "08:00", **{"from": "marked"})
    asks(inbox, 2, "08:00", auto_submitted="marked")

    assert await inbox.news() == []
    assert inbox.intake.refused == {"no_author": 1}
    assert inbox.intake.unknown == {"Auto-Submitted": 1}
    assert [bad.reason for bad in aside] == ["no_author", "unknown_machine"]
    assert "marked" not in str(aside)


@pytest.mark.parametrize(
    ("subject", "to", "answered"),
    [
        ("Fwd: Parcel", "partner@example.net", False),
        ("WG: Parcel", "partner@example.net", False),
        ("Re: Fwd: Parcel", "partner@example.net", True),
        ("Fwd: Parcel", "c1@example.com", True),
        ("Fwd: Parcel", "wife.of.c1@example.com", True),
        ("Re: Parcel", "other.address.of.c1@example.com", True),
    ],
)
async def test_what_is_sent_on_to_somebody_who_has_no_part_in_it_is_no_answer(
    inbox: Inbox, subject: str, to: str, *, answered: bool
) -> None:
    asks(inbox, 1, "08:00", subject="Parcel", cc="wife.of.c1@example.com")
    answers(inbox, 2, 1, "09:00", subject=subject, to=to)
    await inbox.news()
    answers(inbox, 3, 1, "09:30", subject=subject, to=to)
    await inbox.news()

    assert only(folded(inbox.events), EVENING).waiting == (0 if answered else 1)


async def test_what_lies_in_the_sent_folder_we_have_sent_by_whatever_address(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    answers(inbox, 2, 1, "09:00", **{"from": "ana.at.home@example.net"})

    assert told_of(await inbox.news())[2:] == ["23 09:00:00 MessageSent agent", "23 09:00:00 Resolved agent"]


async def test_who_is_answered_by_a_blind_copy_is_answered(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    answers(inbox, 2, 1, "09:00", to="support@example.org", bcc="c1@example.com")
    await inbox.news()

    assert only(folded(inbox.events), EVENING).waiting == 0


@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "of another system"])
async def test_customers_who_reply_to_the_same_news_have_a_case_each(inbox: Inbox, *, is_ours: bool) -> None:
    if is_ours:
        news = {"from": "ana@example.org", "to": "support@example.org", "bcc": "c1@example.com, c2@example.com"}
        inbox.mailbox.add(message(1, **news), at("08:00"), "Sent")
    for number, customer in ((2, "c1"), (3, "c2"), (4, "c3")):
        asks(inbox, number, "09:00", **{"from": f"{customer}@example.com", "in_reply_to": "<m1@example.com>"})
    answers(inbox, 5, 3, "10:00", to="c2@example.com", references="<m1@example.com> <m3@example.com>")
    await inbox.news()
    asks(inbox, 6, "11:00", **{"from": "c2@example.com", "in_reply_to": "<m1@example.com>"})
    asks(inbox, 7, "11:00", **{"from": "c2@example.net", "references": "<m1@example.com> <m5@example.com>"})
    await inbox.news()

    assert len({event.subject for event in inbox.events}) == 3
    assert figures(inbox.events)["opened"] == 3
    assert figures(inbox.events)["received"] == 5


# -- when a case is solved ---------------------------------------------------------------------


async def test_archived_is_solved_when_the_newest_question_has_left_the_inbox(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, resolved_by="archive"))
    first = asks(inbox, 1, "08:00")
    second = asks(inbox, 2, "09:00", references="<m1@example.com>")
    answers(inbox, 3, 1, "10:00")
    await inbox.news()
    inbox.mailbox.move(first, "INBOX", None)
    assert await inbox.news() == []

    inbox.mailbox.move(second, "INBOX", None)
    inbox.clock.at = at("11:00")
    assert told_of(await inbox.news()) == ["23 11:00:00 Resolved"]
    assert await inbox.news() == []

    asks(inbox, 4, "12:00", references="<m1@example.com>")
    assert told_of(await inbox.news()) == ["23 12:00:00 Reopened", "23 12:00:00 MessageReceived"]


async def test_a_flag_on_the_newest_question_solves_its_case(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, resolved_by="flag", flag="Finished"))
    uid = asks(inbox, 1, "08:00")
    await inbox.news()
    inbox.mailbox.flag(uid, "Other")
    assert await inbox.news() == []

    inbox.mailbox.flag(uid, "Finished")
    inbox.clock.at = at("11:00")

    assert told_of(await inbox.news()) == ["23 11:00:00 Resolved"]


async def test_a_folder_for_what_is_done_solves_when_the_newest_question_lies_there(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, resolved_by="folder", done=("Done",)), "INBOX", "Sent", "Done")
    first = asks(inbox, 1, "08:00")
    second = asks(inbox, 2, "09:00", references="<m1@example.com>")
    await inbox.news()
    inbox.mailbox.move(first, "INBOX", "Done")
    assert await inbox.news() == []

    inbox.mailbox.move(second, "INBOX", "Done")
    inbox.clock.at = at("11:00")

    assert told_of(await inbox.news()) == ["23 11:00:00 Resolved"]


async def test_what_was_done_before_the_first_start_was_solved_with_its_last_message(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, resolved_by="folder", done=("Done",)), "INBOX", "Sent", "Done")
    inbox.mailbox.add(message(1), at("08:00"), "Done")
    answers(inbox, 2, 1, "09:00")

    assert told_of(await inbox.news())[-2:] == ["23 09:00:00 MessageSent agent", "23 09:00:00 Resolved"]
    assert figures(inbox.events)["first_responses"] == 1


async def test_a_flag_that_was_there_at_the_first_start_solved_with_the_last_message(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, resolved_by="flag", flag="Finished"))
    inbox.mailbox.flag(asks(inbox, 1, "08:00"), "Finished")

    assert told_of(await inbox.news())[-1] == "23 08:00:00 Resolved"


async def test_junk_never_was_a_request(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, junk=("Junk",)), "INBOX", "Sent", "Junk")
    uid = asks(inbox, 1, "08:00")
    asks(inbox, 2, "08:30")
    inbox.mailbox.add(message(3), at("08:00"), "Junk")
    await inbox.news()
    inbox.mailbox.move(uid, "INBOX", "Junk")

    assert [told.split()[-1] for told in told_of(await inbox.news())] == ["Deleted"]
    asks(inbox, 4, "09:00", references="<m1@example.com>")
    assert await inbox.news() == []
    assert (figures(inbox.events)["spam"], figures(inbox.events)["opened"]) == (1, 1)


# -- positions ---------------------------------------------------------------------------------


async def test_other_numbers_tell_nothing_twice_and_lose_nothing(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    asks(inbox, 1, "08:00")
    asks(inbox, 2, "09:00")
    await inbox.news()
    asks(inbox, 3, "09:30")
    inbox.mailbox.renumber(skip=1)

    assert [event.time for event in await inbox.news()] == [at("09:30")] * 2
    assert "has other numbers (UIDVALIDITY)" in caplog.text


async def test_a_folder_that_was_put_back_from_a_backup_is_read_again(inbox: Inbox) -> None:
    for number in (1, 2, 3):
        asks(inbox, number, "08:00")
    await inbox.news()
    inbox.mailbox.move(2, "INBOX", None)
    inbox.mailbox.move(3, "INBOX", None)
    inbox.mailbox.folders["INBOX"].next_uid = 2
    asks(inbox, 4, "09:00")

    assert told_of(await inbox.news()) == ["23 09:00:00 Opened", "23 09:00:00 MessageReceived"]


async def test_what_comes_from_the_future_has_come_now_and_hides_nothing(inbox: Inbox) -> None:
    inbox.mailbox.add(message(1), inbox.clock.at + timedelta(days=900))

    assert {event.time for event in await inbox.news()} == {inbox.clock.at}
    asks(inbox, 2, "09:00")
    inbox.mailbox.renumber()
    assert told_of(await inbox.news()) == ["23 09:00:00 Opened", "23 09:00:00 MessageReceived"]


async def test_an_old_question_that_an_agent_has_noted_on_stays_open_when_numbers_change(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, resolved_by="archive"))
    inbox.mailbox.add(message(1), at("08:00", 10))
    answers(inbox, 2, 1, "08:00")
    await inbox.news()
    inbox.mailbox.renumber()

    assert await inbox.news() == []


async def test_an_open_case_is_still_solved_by_archiving_when_the_numbers_have_changed(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, resolved_by="archive"))
    inbox.mailbox.add(message(1), at("08:00", 10))
    inbox.mailbox.add(message(2), at("08:00", 11))
    asks(inbox, 3, "08:00")
    await inbox.news()
    inbox.mailbox.move(2, "INBOX", None)
    inbox.mailbox.renumber()

    assert len(await inbox.news()) == 1
    inbox.mailbox.move(100, "INBOX", None)
    assert len(await inbox.news()) == 1


async def test_the_first_start_reads_so_many_days_back_and_no_more_after_a_restart(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, read_back_days=3))
    inbox.mailbox.add(message(1), at("08:00", 1))
    inbox.mailbox.add(message(2), at("08:00", 22))
    inbox.mailbox.failures = []

    assert {event.time for event in await inbox.news()} == {at("08:00", 22)}
    assert await inbox.news() == []


async def test_a_reply_that_is_here_before_the_copy_in_the_sent_folder_waits_for_it(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, await_sent_seconds=60))
    inbox.clock.at = at("09:00")
    asks(inbox, 1, "08:00")
    await inbox.news()
    inbox.clock.at = at("09:31")
    asks(inbox, 3, "09:31", in_reply_to="<m2@example.com>")
    assert await inbox.news() == []

    answers(inbox, 2, 1, "09:30")

    assert told_of(await inbox.news())[-2:] == ["23 09:31:00 Reopened", "23 09:31:00 MessageReceived"]
    assert len({event.subject for event in inbox.events}) == 1


async def test_a_reply_to_what_nobody_knows_is_told_after_a_while(tmp_path: Path) -> None:
    inbox = Inbox(settings_in(tmp_path, await_sent_seconds=60))
    inbox.clock.at = at("09:00")
    asks(inbox, 3, "09:00", in_reply_to="<m2@example.com>")
    assert await inbox.news() == []
    inbox.clock.at = at("09:01")

    assert told_of(await inbox.news()) == ["23 09:00:00 Opened", "23 09:00:00 Reopened", "23 09:00:00 MessageReceived"]


@pytest.mark.parametrize("failing", range(1, 9))
async def test_a_connection_that_is_lost_anywhere_loses_no_message(inbox: Inbox, failing: int) -> None:
    for number in range(500):
        asks(inbox, number, "08:00")
    inbox.mailbox.failures = []
    session = inbox.mailbox.session()
    calls = 0
    stored = session._stored  # every question goes through it

    def lost_sometimes() -> Any:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise MailboxAway("lost")
        return stored()

    session._stored = lost_sometimes  # type: ignore[method-assign]  # as above
    inbox.mailbox.session = lambda _=None: session  # type: ignore[method-assign]  # one for all connections

    assert len({event.id for event in await inbox.news()}) == 1000
    assert inbox.intake.read == 500


async def test_a_login_that_is_refused_again_and_again_is_seldom_tried(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    async with asyncio.timeout(60), aclosing(inbox.puller().batches(None)) as batches:
        await anext(batches)
        inbox.slept.clear()
        refused = MailboxRefused("refuses the login")
        inbox.mailbox.failures = [MailboxAway("lost"), refused, refused, refused]
        asks(inbox, 2, "09:00")
        await anext(batches)

    # The connection was lost; a token may have been renewed at once; then it is waited for a person.
    assert [seconds >= 300 for seconds in inbox.slept[:4]] == [False, False, True, True]


async def test_who_ends_each_wait_is_asked_less_and_less_often(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00")
    session = inbox.mailbox.session()

    def idle(_: float) -> bool:
        if len(inbox.slept) == 5:
            asks(inbox, 2, "09:00")
        raise MailboxAway("lost")

    session.idle = idle  # type: ignore[method-assign]  # a server that lets us in, and no more
    inbox.mailbox.session = lambda _=None: session  # type: ignore[method-assign]  # one for all connections
    async with asyncio.timeout(60), aclosing(inbox.puller().batches(None)) as batches:
        await anext(batches)
        await anext(batches)

    assert inbox.slept[:5] == [0.5, 1, 2, 4, 8]


async def test_who_tells_of_something_all_the_time_is_asked_once_a_second(inbox: Inbox) -> None:
    inbox.told = replace(inbox.told, poll_seconds=60)
    asks(inbox, 1, "08:00")
    session = inbox.mailbox.session()

    def idle(_: float) -> bool:
        inbox.mailbox.idles += 1
        if inbox.mailbox.idles == 3:
            asks(inbox, 2, "09:00")
        return True

    session.idle = idle  # type: ignore[method-assign]  # a server that always has something to say
    inbox.mailbox.session = lambda _=None: session  # type: ignore[method-assign]  # one for all connections
    async with asyncio.timeout(60), aclosing(inbox.puller().batches(None)) as batches:
        await anext(batches)
        await anext(batches)

    assert [0 < seconds <= 1 for seconds in inbox.slept] == [True, True, True]


# -- nothing personal --------------------------------------------------------------------------

MARKED = "xyzzy"


async def test_nothing_of_a_person_is_in_events_positions_or_logs(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ours = {"from": f"{MARKED}.ana@example.org", "to": f"{MARKED}@example.com", "sender": f"{MARKED}.bor@example.org"}
    fields = {
        "from": f"{MARKED} <{MARKED}@example.com>",
        "subject": f"Re: {MARKED}",
        "cc": f"{MARKED}@b.example",
        "message_id": f"<1.{MARKED}@example.com>",
        "reply_to": f"{MARKED}@example.net",
    }
    asks(inbox, 1, "08:00", **fields)
    asks(inbox, 2, "08:00", **fields | {"message_id": "", "references": f"<1.{MARKED}@example.com>"})
    answers(inbox, 3, 1, "09:00", **ours | {"references": f"<1.{MARKED}@example.com>"})
    inbox.mailbox.failures = [MailboxAway("away")]

    events = await inbox.news()

    assert len(events) > 4
    for event in events:
        checked(event)
    assert MARKED.encode() not in b"".join([encode(event) for event in events])
    assert MARKED.encode() not in (inbox.position or b"")
    assert MARKED not in caplog.text


async def test_ids_are_those_of_the_key_and_the_mailbox(tmp_path: Path) -> None:
    async def ids(**told: Any) -> set[str]:
        inbox = Inbox(settings_in(tmp_path, **told))
        asks(inbox, 1, "08:00")
        return {event.subject for event in await inbox.news()}

    (tmp_path / "other").write_text("another key")
    same, another, mailbox = await ids(), await ids(key_file=tmp_path / "other"), await ids(queue="sales")

    assert same == await ids()
    assert len(same | another | mailbox) == 3


async def test_times_are_of_the_messages_and_never_of_the_reading(inbox: Inbox) -> None:
    asks(inbox, 1, "08:00", date="Mon, 23 Nov 2026 08:59:00 +0100")
    inbox.clock.at = MONDAY + timedelta(days=3)

    assert {event.time for event in await inbox.news()} == {at("07:59")}
