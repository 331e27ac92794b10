"""What the tickets of LiveAgent's API become, and how they are asked for."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
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
from stream.sources.liveagent.poller import ticket_puller
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch
from tests.samples import sample
from tests.sources.desk_boards import counted_cases, counts, open_cases, said, told_by
from tests.sources.liveagent.asked import answered_page, poll_options, ticket_answer
from tests.sources.liveagent.office import BEGIN, DEPARTMENTS, TICKETS, request, webhook_in

EVENING = BEGIN + timedelta(hours=9)


class Desk:
    """Answers as LiveAgent does, with the tickets that it has by now."""

    def __init__(self, tickets: Sequence[bytes]) -> None:
        self.tickets = [*tickets]
        self.asked: list[Mapping[str, str]] = []

    async def handle(self, asked: web.Request) -> web.Response:
        assert (asked.path, asked.headers["apikey"]) == ("/tickets", "a-key")
        self.asked.append(asked.query)
        return answered_page(self.tickets, asked)


class NothingNewError(Exception):
    """It was asked for more once more, and there was nothing."""


async def rest(_: float) -> None:
    raise NothingNewError


@asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", desk.handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def pulled(
    desk: Desk, folder: Path, intake: Intake | None = None, *, saved: bytes | None = None, **options: Any
) -> list[PulledBatch]:
    """Take all batches that there are."""
    (folder / "departments.json").write_text(json.dumps(DEPARTMENTS))
    batches: list[PulledBatch] = []
    async with served(desk) as address:
        told = poll_options(folder, address, **{"queues_file": folder / "departments.json", **options})
        puller = ticket_puller(told, intake or Intake(), sleep=rest, back_off=BackOff(sleep=rest))
        async with aclosing(puller.batches(saved)) as found:
            try:
                async for batch in found:
                    batches += [batch]
            except NothingNewError:
                return batches
    raise AssertionError("it never ends")


def events_in(batches: Sequence[PulledBatch]) -> list[Event]:
    return [event for batch in batches for event in batch.events]


async def test_the_recorded_ticket_tells_what_was_written_by_hand(tmp_path: Path) -> None:
    content = json.loads(sample("liveagent/ticket_api_v3.json").read_bytes())
    ticket = json.dumps({"date_changed": content.pop("date_changed"), **content}).encode()

    events = events_in(await pulled(Desk([ticket]), tmp_path))

    customer = "customer=/liveagent/c0ffee01"
    assert [said(event) for event in events] == [
        f"26 18:13:20 case.opened channel=email {customer} opened_by=system priority=normal queue=Support",
        f"26 18:15:02 case.assigned agent=a1b2c3d4 {customer} queue=Support",
        "26 18:15:02 case.reopened ",
        "26 18:15:02 case.status_changed status=pending",
    ]
    assert b"example.com" in ticket
    assert not [event for event in map(checked, events) if b"example" in event or b"Customer" in event]


async def test_what_rules_have_told_the_api_only_repeats(tmp_path: Path) -> None:
    told = told_by(webhook_in(tmp_path), map(request, TICKETS))
    last = {json.loads(body)["id"]: json.loads(body) for body in TICKETS}
    tickets = [
        json.dumps({"date_changed": ticket.pop("date_changed"), **ticket}).encode()
        for ticket in sorted(last.values(), key=lambda each: each["date_changed"])
    ]

    asked = events_in(await pulled(Desk(tickets), tmp_path))

    assert len({event.subject for event in asked}) == 4
    assert counted_cases([*told, *asked], EVENING) == counted_cases(told, EVENING)
    assert open_cases([*asked, *told], EVENING) == open_cases(told, EVENING)


async def test_tickets_that_were_there_before_are_on_the_board(tmp_path: Path) -> None:
    old = {"date_created": "2026-02-01 09:00:00"}
    desk = Desk([ticket_answer(1, 60, **old, status="C"), ticket_answer(2, 90, **old, status="R")])

    events = events_in(await pulled(desk, tmp_path))

    assert counted_cases(events, EVENING)["Support", "email"] == {
        **counts("opened 2, assigned 2, resolved 1, first_resolutions 1, full_resolutions 1, assigned_resolved 1"),
        # 29 days and 90 seconds, but for the 22 ms by which the first that is told of it so late stands back.
        **counts("first_resolutions_ms 2505689978, full_resolutions_ms 2505689978"),
    }
    assert open_cases(events, EVENING) == {("Support", "email"): (1, 0)}


@pytest.mark.parametrize("at", [0, 1])
async def test_many_changes_of_one_second_are_all_told_and_once(tmp_path: Path, at: int) -> None:
    desk = Desk([ticket_answer(number, at) for number in range(250)])

    batches = await pulled(desk, tmp_path)

    assert len({event.subject for event in events_in(batches)}) == 250
    assert [query["_page"] for query in desk.asked][-1] == "3"
    assert events_in(await pulled(desk, tmp_path, saved=batches[-1].position)) == []


async def test_what_changes_in_the_second_that_was_told_last_is_told(tmp_path: Path) -> None:
    desk = Desk([ticket_answer(1, 5)])
    (batch,) = await pulled(desk, tmp_path)
    desk.tickets += [ticket_answer(2, 5), ticket_answer(3, 6)]

    later = events_in(await pulled(desk, tmp_path, saved=batch.position))

    assert {event.subject for event in later} == {"/liveagent/t2", "/liveagent/t3"}


async def test_what_is_not_as_it_should_be_is_named_and_stops_nothing(tmp_path: Path) -> None:
    aside: list[BadLine] = []
    bad = [ticket_answer(1, 1, status="?"), ticket_answer(2, 2, id=7), ticket_answer(3, 3, date_created="soon")]

    events = events_in(await pulled(Desk([*bad, ticket_answer(4, 4)]), tmp_path, Intake(aside.append)))

    assert {event.subject for event in events} == {"/liveagent/t4"}
    assert [each.reason for each in aside] == ["unknown_kind", "invalid_field", "invalid_field"]
    assert ["`$.id`" in aside[1].detail, "`$.date_created`" in aside[2].detail] == [True, True]


async def test_an_order_that_would_leave_tickets_out_is_said_and_leaves_none_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A page that is not the last must be that of the earliest changes: the next one is asked for behind it."""
    desk = Desk([ticket_answer(number, number) for number in range(100)])
    desk.tickets[0], desk.tickets[99] = desk.tickets[99], desk.tickets[0]

    assert await pulled(desk, tmp_path) == []
    assert "another order than by date_changed" in caplog.text


async def test_a_day_is_its_beginning_and_anything_else_is_refused(tmp_path: Path) -> None:
    desk = Desk([])
    await pulled(desk, tmp_path, since="2026-01-01")

    assert json.loads(desk.asked[0]["_filters"]) == [["date_changed", "D>=", "2026-01-01 00:00:00"]]
    with pytest.raises(SettingsError, match="since"):
        await pulled(desk, tmp_path, since="lately")
