"""Zendesk's history, as its export tells it: audits on the left, events and figures on the right."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from stream.core.cloudevents import Event
from stream.errors import SettingsError
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.source import PulledBatch
from stream.sources.zendesk.export import export_puller
from tests.sources.desk_boards import counted_cases, counts, said, told_by
from tests.sources.zendesk.account import BEGIN, GROUPS, SUPPORT, Ticket, signed, webhook_in
from tests.sources.zendesk.exported import audit, export_options, exported_page, users_page

LATER = datetime(2030, 1, 1, tzinfo=UTC)
CUSTOMER, MIA = 1001, 2001


class Account:
    """Answers as Zendesk does, so many audits at once, and knows what it was asked."""

    def __init__(self, audits: Sequence[bytes], at_once: int = 1000) -> None:
        self.audits = audits
        self.at_once = at_once
        self.asked: list[Mapping[str, str]] = []

    async def handle(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"].startswith("Basic ")
        if request.path == "/api/v2/users.json":
            return users_page(request.query)
        assert request.path == "/api/v2/incremental/ticket_events.json"
        self.asked.append(request.query)
        return exported_page(self.audits, request.query, self.at_once)


@asynccontextmanager
async def served(account: Account) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", account.handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def pulled(
    account: Account,
    folder: Path,
    intake: Intake | None = None,
    *,
    saved: bytes | None = None,
    clock: datetime = LATER,
    **options: Any,
) -> list[PulledBatch]:
    """Take all batches that there are."""
    (folder / "groups.json").write_text(json.dumps(GROUPS))
    batches: list[PulledBatch] = []
    async with served(account) as address:
        told = export_options(folder, address, **{"queues_file": folder / "groups.json", **options})
        puller = export_puller(told, intake or Intake(), clock=lambda: clock, sleep=Rests())
        async with aclosing(puller.batches(saved)) as found:
            try:
                async for batch in found:
                    batches += [batch]
            except NothingNewError:
                return batches
    raise AssertionError("it never ends")


class NothingNewError(Exception):
    """It was asked for more once more, and there was nothing."""


class Rests:
    """Ends a puller that rests for the second time: by then it has told all that there is."""

    def __init__(self) -> None:
        self._rests = 0

    async def __call__(self, _: float) -> None:
        self._rests += 1
        if self._rests == 2:
            raise NothingNewError


def events_in(batches: Sequence[PulledBatch]) -> list[Event]:
    return [event for batch in batches for event in batch.events]


def created(**fields: Any) -> dict[str, Any]:
    told = {"status": "new", "priority": None, "group_id": int(SUPPORT), "requester_id": CUSTOMER, "subject": "Marked"}
    return {"event_type": "Create", **told, **fields}


def change(field: str, value: Any, before: Any = None) -> dict[str, Any]:
    return {"event_type": "Change", field: value, "previous_value": before}


def comment(by: int, *, public: bool = True) -> dict[str, Any]:
    return {"event_type": "Comment", "author_id": by, "public": public, "body": "Marked text", "comment_present": True}


def minute(number: int, minutes: float, ticket: int, *children: dict[str, Any], **fields: Any) -> bytes:
    return audit(number, ticket, round(minutes * 60), *children, **fields)


HISTORY = [
    # 1 is answered after 30 minutes, then from 60 to 75 and from 120 to 140; solved after 75, and at last after 140.
    minute(1, 0, 1, created(), comment(CUSTOMER)),
    # 2 was called in: Mia wrote it down, solved; her words answer nobody who waits.
    minute(2, 5, 2, created(status="solved"), comment(MIA), updater_id=MIA, via="Phone call (incoming)"),
    minute(3, 20, 1, comment(MIA, public=False), updater_id=MIA),
    minute(4, 30, 1, comment(MIA), change("status", "pending", "new"), updater_id=MIA),
    # 3 was on WhatsApp, is urgent, and goes to the other group.
    minute(5, 40, 3, created(priority="urgent"), via="Whatsapp"),
    minute(6, 41, 3, change("group_id", "8447320466431", SUPPORT), change("assignee_id", MIA), via="Rule"),
    minute(7, 60, 1, comment(CUSTOMER), change("status", "open", "pending")),
    minute(8, 75, 1, comment(MIA), change("status", "solved", "open"), updater_id=MIA),
    minute(9, 120, 1, comment(CUSTOMER), change("status", "open", "solved")),
    minute(10, 140, 1, comment(MIA), change("status", "solved", "open"), updater_id=MIA),
    # 4 never was one.
    minute(11, 150, 4, created()),
    minute(12, 151, 4, change("status", "deleted", "new"), updater_id=MIA),
    # 5 went on in 1: that is neither an answer nor a solution.
    minute(14, 160, 5, created()),
    minute(15, 170, 5, comment(MIA), change("status", "closed", "new"), updater_id=MIA, via="Merge"),
    minute(13, 6000, 1, change("status", "closed", "solved"), updater_id=-1, via="Rule"),
]

FIGURES = {
    ("Support", "email"): counts(
        "opened 2, assigned 2, deleted 1, received 3, sent 3, automatic 1, merged 1",
        "first_responses 1, first_responses_ms 1800000, next_responses 2, next_responses_ms 2100000",
        "resolved 2, reopened 1, first_resolutions 1, first_resolutions_ms 4500000",
        "full_resolutions 1, full_resolutions_ms 8400000, messages 6, assigned_resolved 1",
    ),
    ("Support", "voice"): counts(
        "opened 1, assigned 1, sent 1, resolved 1, one_touch 1, messages 1",
        "first_resolutions 1, full_resolutions 1, assigned_resolved 1",
    ),
    ("Support", "messaging"): counts("opened 1, assigned 1, reassigned 1"),
    ("Billing", "messaging"): counts("assigned 1"),
}
EVENING = BEGIN + timedelta(days=5)


@pytest.mark.parametrize("at_once", [1000, 5, 2])
async def test_the_figures_are_those_that_were_computed_by_hand(tmp_path: Path, at_once: int) -> None:
    intake = Intake()

    events = events_in(await pulled(Account(HISTORY, at_once), tmp_path, intake))

    assert counted_cases(events, EVENING) == FIGURES
    # What a page ends with comes again on the next, and is told once.
    assert len({event.id for event in events}) == len(events)
    assert intake.read == len(HISTORY) == intake.used["audit"]
    assert b"Marked" not in b"".join(map(checked, events))


async def test_a_restart_behind_any_page_tells_the_rest(tmp_path: Path) -> None:
    account = Account(HISTORY, 4)
    batches = await pulled(account, tmp_path)

    for place, batch in enumerate(batches):
        rest = events_in(await pulled(account, tmp_path, saved=batch.position))
        assert rest == events_in(batches[place + 1 :])


async def test_a_second_with_more_than_a_page_holds_stops_nothing_and_is_said(tmp_path: Path) -> None:
    """A bulk change stamps thousands at once, and the export has no way to ask for the rest of them."""
    audits = [minute(number, 1, number, created()) for number in range(1, 6)]
    aside: list[BadLine] = []

    events = events_in(await pulled(Account([*audits, minute(9, 2, 9, created())], 3), tmp_path, Intake(aside.append)))

    assert [event.subject for event in events] == [f"/zendesk/{number}" for number in (1, 2, 3, 9)]
    assert [bad.reason for bad in aside] == ["too_many"]


@pytest.mark.parametrize("kind", ["Comment", "VoiceComment", "FacebookComment"])
async def test_what_is_written_by_any_way_is_a_message(tmp_path: Path, kind: str) -> None:
    audits = [minute(1, 0, 1, comment(MIA) | {"event_type": kind}), minute(2, 1, 1, comment(1) | {"event_type": kind})]

    told = [said(event).split()[2] for event in events_in(await pulled(Account(audits), tmp_path))]

    assert told == ["message.sent", "message.received"]


async def test_what_becomes_of_a_ticket_in_the_archive_is_of_no_use(tmp_path: Path) -> None:
    intake = Intake()
    audits = [minute(1, 0, 1, change("status", "archived", "closed")), minute(2, 1, 1, change("status", "scrubbed"))]

    assert events_in(await pulled(Account(audits), tmp_path, intake)) == []
    assert (intake.ignored["audit"], intake.refused) == (2, {})


async def test_the_recorded_page_tells_what_was_written_by_hand(tmp_path: Path) -> None:
    page = json.loads((Path(__file__).parent / "export_page.json").read_bytes())
    audits = [json.dumps(each).encode() for each in page["ticket_events"]]

    events = events_in(await pulled(Account(audits), tmp_path, since="2025-01-01"))

    customer = "customer=/zendesk/8447388090494"
    assert [said(event) for event in events] == [
        f"08 10:32:07 case.opened channel=email {customer} opened_by=customer priority=urgent queue=Support",
        "08 10:32:07 message.received automatic=False message=2",
        "08 13:20:00 case.resolved ",
    ]


async def test_what_the_webhook_tells_is_left_to_it(tmp_path: Path) -> None:
    account = Account(HISTORY)

    events = events_in(await pulled(account, tmp_path, since="2026-03-02T09:30Z", until="2026-03-02T10:00Z"))

    assert [said(event).split()[1:3] for event in events] == [
        ["09:30:00", "message.sent"],
        ["09:30:00", "case.status_changed"],
        ["09:40:00", "case.opened"],
        ["09:41:00", "case.assigned"],
    ]


async def test_what_the_webhook_tells_too_counts_once_where_comments_have_the_same_ids(tmp_path: Path) -> None:
    ticket = Ticket(1, "mail", group_id=SUPPORT, customer=str(CUSTOMER))
    posted = [
        ticket.created(0.003),
        ticket.comment(0.004, str(CUSTOMER)).replace(b'"c11"', b'"11"'),
        ticket.comment(10.001, str(MIA)).replace(b'"c12"', b'"20"'),
        ticket.status(10.002, "SOLVED"),
        ticket.status(6000.001, "CLOSED"),
    ]
    exported = [
        minute(1, 0, 1, created(), comment(CUSTOMER)),
        minute(2, 10, 1, comment(MIA), change("status", "solved", "new"), updater_id=MIA),
        minute(3, 6000, 1, change("status", "closed", "solved"), updater_id=-1, via="Rule"),
    ]

    told = told_by(webhook_in(tmp_path), map(signed, posted))
    both = [*told, *events_in(await pulled(Account(exported), tmp_path))]

    assert counted_cases(told, EVENING)["Support", "email"]["received"] == 1
    assert counted_cases(both, EVENING) == counted_cases(told, EVENING)


async def test_what_is_younger_than_a_minute_is_not_asked_for(tmp_path: Path) -> None:
    account = Account(HISTORY)

    assert await pulled(account, tmp_path, clock=BEGIN + timedelta(seconds=59)) == []
    assert account.asked == []


async def test_whoever_asks_is_no_agent_then_and_what_a_merge_says_is_no_answer(tmp_path: Path) -> None:
    audits = [
        minute(1, 0, 1, created(requester_id=MIA), comment(MIA), updater_id=MIA),
        minute(2, 1, 1, comment(2002), updater_id=2002, via="Merge"),
        minute(3, 2, 1, comment(2003, public=True), updater_id=2003),
    ]

    told = [said(event) for event in events_in(await pulled(Account(audits), tmp_path))]

    assert [line.split()[2] for line in told] == ["case.opened", "message.received", "message.sent", "message.sent"]
    assert ["automatic=True" in line for line in told] == [False, False, True, False]


@pytest.mark.parametrize(
    ("child", "field"),
    [
        (created(status="odd"), "at `$.child_events[...].status`"),
        (created(priority="odd"), "at `$.child_events[...].priority`"),
        (change("status", 7), "at `$.child_events[0].status`"),
        (comment("odd"), "at `$.child_events[0].author_id`"),  # type: ignore[arg-type]
    ],
)
async def test_what_cannot_be_used_is_set_aside_with_its_field(tmp_path: Path, child: Any, field: str) -> None:
    aside: list[BadLine] = []

    events = events_in(await pulled(Account([minute(1, 0, 1, child)]), tmp_path, Intake(aside.append)))

    assert events == []
    assert [(bad.reason, field in bad.detail, "odd" in bad.detail) for bad in aside] == [("invalid_field", True, False)]


@pytest.mark.parametrize("option", ["since", "until"])
def test_an_instant_that_cannot_be_meant_is_refused(tmp_path: Path, option: str) -> None:
    with pytest.raises(SettingsError, match=f"{option}: 'yesterday'"):
        export_puller(export_options(tmp_path, "https://acme.zendesk.com", **{option: "yesterday"}), Intake())
