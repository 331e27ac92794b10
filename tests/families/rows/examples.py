"""One row of every kind, with something in each of its fields: what a table of this version writes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from stream.core.row_codec import RowCodec
from stream.families.agents.fold import AgentRow, Report
from stream.families.agents.tables import AGENTS
from stream.families.contacts.callback import Callback
from stream.families.contacts.contributions import CallbackStep
from stream.families.contacts.segment import Fact, Segment, Seldom
from stream.families.contacts.tables import SEGMENTS, TALLIES
from stream.families.contacts.tally import Tally, TallyRow
from stream.families.customers.cart import CartRow
from stream.families.customers.counts import CustomerCounts, CustomerCountsRow
from stream.families.customers.history import CustomerRow
from stream.families.customers.tables import CART_ROWS, CUSTOMER_COUNTS, CUSTOMER_ROWS
from stream.families.surveys.contributions import Asked, Rated, Reviewed
from stream.families.surveys.counts import SurveyCounts, SurveyCountsRow
from stream.families.surveys.survey import Answer, AnsweredIn, Invitation, SurveyRow
from stream.families.surveys.tables import SURVEY_COUNTS, SURVEYS
from tests.families.customers.carts import cart_of
from tests.families.customers.told import customers_fold_of, told
from tests.timeline import TEN, after

Example = tuple[RowCodec[Any, Any], object, Any]
"""The codec of the table, and a key and row of it."""

_QUEUE = ("acme", "sales", "voice")
_OF_PLAN = ("acme", "", "", "gold", "")
_RATED = ("acme", "sales", "chat", "vip", "")


def examples() -> dict[str, list[Example]]:
    """Return rows by table."""
    return {
        "tallies": [(TALLIES, (*_QUEUE, scope, number), row) for scope, number, row in _tallies()],
        "segments": [(SEGMENTS, (*_QUEUE, contact, visit), row) for contact, visit, row in _episodes()],
        "agents": [(AGENTS, ("acme", "eva"), _agent())],
        "survey_counts": [(SURVEY_COUNTS, (*_RATED, scope, number), row) for scope, number, row in _survey_counts()],
        "customer_counts": [(CUSTOMER_COUNTS, (*_OF_PLAN, scope, n), row) for scope, n, row in _customer_counts()],
        "customers": [(CUSTOMER_ROWS, 2**60 - 7, _customer())],
        "carts": [(CART_ROWS, 2**60 - 8, _cart())],
        "surveys": [(SURVEYS, ("acme", "sales", what, subject), row) for what, subject, row in _surveys()],
    }


def _tallies() -> Iterator[tuple[str, int, TallyRow]]:
    for place, (scope, number) in enumerate((("minute", 29_852_520), ("day", 739_940), ("total", 0))):
        counts = {name: 1000 * place + n for n, name in enumerate(Tally.__struct_fields__, 1)}
        waits, handles = ([place + n for n, _ in enumerate(getattr(Tally(), name))] for name in ("waits", "handles"))
        tally = Tally(**{**counts, "waits": waits, "handles": handles})  # type: ignore[arg-type]
        row = TallyRow(4_000_000_000 + place, tally)
        if scope == "total":
            row.newest, row.began, row.taken_back = after("01:00"), TEN, Tally(handled=3)
        yield scope, number, row


def _episodes() -> Iterator[tuple[str, int, Segment | Callback]]:
    yield "ann", 1, Segment(applied_offset=7, enqueued=Fact(after("00:01.250")))
    yield (
        "bob",
        2,
        Segment(
            applied_offset=4_000_000_000,
            enqueued=Fact(after("00:01"), note="transfer"),
            answered=Fact(after("00:21"), 20_000),
            ended=Fact(after("05:00"), 200_000, 79_000, "wrapup"),
            wrapup_started=Fact(after("05:01")),
            wrapup_ended=Fact(after("06:00"), 59_000),
            abandoned=Fact(after("00:30"), 29_000),
            dequeued=Fact(after("00:40"), 39_000, note="overflow"),
            held=(after("01:00"), after("02:00")),
            resumed=(after("01:19"), after("03:00")),
            seldom=Seldom(
                transferred=Fact(after("04:59"), 199_000, 78_000),
                blocked=Fact(after("00:00"), note="full"),
                missed=(("offer-1", after("00:05")), ("offer-2", after("00:15"))),
                outbound=True,
                revisions=(("answered", 1_641_870_587),),
            ),
            limits=(20_000, 5_000),
        ),
    )
    steps = ((after("10:00"), "requested", 0), (after("20:00"), "attempted", 1), (after("20:30"), "connected", 0))
    yield (
        "callback-1",
        0,
        Callback(
            applied_offset=9,
            requested=after("10:00"),
            attempts=((1, after("20:00")),),
            connected=after("20:30"),
            failed=after("20:30") + timedelta(hours=1),
            counted=tuple(CallbackStep(at, step, attempt) for at, step, attempt in steps),  # type: ignore[arg-type]
        ),
    )


def _agent() -> AgentRow:
    return AgentRow(
        applied_offset=11,
        presence=Report(after("00:00"), "not_ready"),
        activity=Report(after("00:10"), "on_contact"),
        queues=(("sales", Report(after("00:01"), "joined")), ("support", Report(after("00:02"), "left"))),
        pauses=(("sales", Report(after("00:03"), "available")),),
    )


def _survey_counts() -> Iterator[tuple[str, int, SurveyCountsRow]]:
    for place, (scope, number) in enumerate((("day", 739_940), ("total", 0))):
        counts = {name: 1000 * place + n for n, name in enumerate(SurveyCounts.__struct_fields__, 1)}
        row = SurveyCountsRow(4_000_000_000 + place, SurveyCounts(**counts))
        if scope == "total":
            row.newest, row.began, row.taken_back = after("01:00"), TEN, SurveyCounts(csat_answered=3)
        yield scope, number, row


def _customer_counts() -> Iterator[tuple[str, int, CustomerCountsRow]]:
    for place, (scope, number) in enumerate((("day", 739_940), ("month", 24_311), ("quarter", 8_103), ("total", 0))):
        counts = CustomerCounts()
        for n, name in enumerate(CustomerCounts.__struct_fields__, 1):
            known = getattr(counts, name)
            setattr(
                counts, name, [n + one for one in range(len(known))] if isinstance(known, list) else 1000 * place + n
            )
        row = CustomerCountsRow(4_000_000_000 + place, counts)
        if scope == "total":
            row.newest, row.began, row.taken_back = after("01:00"), TEN, CustomerCounts(repeats=3)
        yield scope, number, row


def _customer() -> CustomerRow:
    """One with something of every kind in the history, of which the bytes are kept as well."""
    events = told("""
    1 09:00 joined ann plan=gold group=vip monthly=9.9 referred=true revenue_before=5
    2 09:00 purchased ann order=o1 amount=12.34
    2 09:01 purchased ann order=o2 amount=1 currency=USD
    3 09:00 refunded ann order=o1 amount=2
    4 09:00 contacted ann contact=k1
    4 09:05 handed_over ann contact=k1 queue=billing
    4 09:06 handed_over ann contact=k1 queue=sales transfer=false
    4 09:10 contacted ann contact=k1 message=true
    4 09:20 solved ann contact=k1 channel=chat
    5 09:00 asked ann survey=s1
    6 09:00 active ann
    7 09:00 left ann
    """)
    [row] = customers_fold_of(events).customers.values()
    return row


def _cart() -> CartRow:
    table = "1 10:00 created value=30 plan=gold group=vip\n1 12:00 checked_out currency=USD\n1 12:10 ordered value=31"
    return msgspec.structs.replace(cart_of(table), applied_offset=4_000_000_000, tenant="acme")


def _surveys() -> Iterator[tuple[str, str, SurveyRow]]:
    place, at = ("chat", "vip", "eva"), after("00:01.250")
    rated = Rated(after("01:00"), "nps", 162, satisfied=True, invited=True, comment=True)
    yield (
        "survey",
        "s1",
        SurveyRow(7, 739_940, Invitation(at, "csat", *place, "sales"), counted=((place, Asked(at, "csat")),)),
    )
    yield (
        "survey",
        "s2",
        SurveyRow(
            applied_offset=4_000_000_000,
            heard_on=739_940,
            invitation=Invitation(at, "nps", *place),
            answered_at=after("01:00"),
            answer=Answer(after("02:00"), True, 9, "0-10", "nps", True, *place),  # noqa: FBT003  # as a row has them
            counted=((place, Asked(at, "nps")), (("", "", ""), rated)),
            answered_in=AnsweredIn(after("01:00"), "sales"),
            counted_in=("acme", "sales"),
        ),
    )
    yield (
        "review",
        "s2",
        SurveyRow(
            applied_offset=9,
            heard_on=739_940,
            answered_at=at,
            answer=Answer(at, False, 8333, "review", "review", False, *place),  # noqa: FBT003  # as above
            counted=((place, Reviewed(at, 8333, passed=True)),),
        ),
    )
