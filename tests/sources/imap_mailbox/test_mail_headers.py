"""What headers say: who wrote, whether a person did, when, and to what it replies; whatever stands in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.sources.imap_mailbox.header_fields import header_fields
from stream.sources.imap_mailbox.mail import Mail, TeamAddresses, mail_of
from tests.sources.imap_mailbox.mailboxes import MONDAY, RECORDED, message

TEAM = TeamAddresses(["example.org"])
RECEIVED = datetime(2026, 11, 24, 9, tzinfo=UTC)


def read(header: bytes, received: datetime = RECEIVED, team: TeamAddresses = TEAM) -> Mail:
    return mail_of(header_fields(header), header, received, team)


def recorded(begin: str) -> Mail:
    (path,) = (RECORDED / "messages").glob(f"{begin}-*.eml")
    return read(path.read_bytes().partition(b"\n\n")[0])


RECORDINGS: list[tuple[str, dict[str, Any]]] = [
    ("01", {"author": "customer.one@example.com", "is_ours": False, "references": (), "machine": None}),
    ("02", {"is_ours": True, "machine": "auto-replied", "references": ("c1-0001@mail.example.com",)}),
    ("03", {"is_ours": True, "sender": "ana.novak@example.org", "customer": "customer.one@example.com"}),
    ("04", {"references": ("c1-0001@mail.example.com", "a1-0001@example.org"), "machine": None}),
    ("05", {"machine": "auto-generated", "references": ("a1-0001@example.org",)}),
    ("06", {"machine": "bounce"}),
    ("07", {"machine": "bulk"}),
    ("08", {"references": (), "machine": None, "at": datetime(2026, 11, 23, 12, tzinfo=UTC)}),
    ("09", {"references": ("unknown@mail.example.com", "a1-0001@example.org")}),
    ("10", {"references": (), "at": RECEIVED, "machine": None}),
    ("11", {"references": ("r0@mail.example.com", "r1@mail.example.com"), "author": "customer.four@example.com"}),
    ("12", {"is_ours": True, "customer": "customer.one@example.com", "machine": None}),
    ("13", {"is_ours": False, "author": "customer.five@example.com", "machine": None}),
    ("14", {"at": RECEIVED, "machine": None}),
]


@pytest.mark.parametrize(("begin", "said"), RECORDINGS, ids=[begin for begin, _ in RECORDINGS])
def test_a_recorded_message_says_what_a_person_reads_in_it(begin: str, said: dict[str, Any]) -> None:
    found = recorded(begin)

    assert {name: getattr(found, name) for name in said} == said


def test_encoded_and_folded_subjects_are_compared_as_people_read_them() -> None:
    assert recorded("11").subject.plain == "prošnja za pomoć"
    assert recorded("10").subject.plain == "račun št. 42"


@pytest.mark.parametrize(
    ("subject", "plain", "is_reply"),
    [
        ("Re: AW: Sv: Parcel", "parcel", True),
        ("RE[2]: [Ticket 4]  Parcel", "parcel", True),
        ("Odg: Parcel", "parcel", True),
        ("[Ticket 4] Parcel", "parcel", False),
        ("Receipt: Parcel", "receipt: parcel", False),
        ("=?no-such-charset?q?Parcel?=", "=?no-such-charset?q?parcel?=", False),
        ("", "", False),
    ],
)
def test_marks_of_replies_are_taken_off_in_several_languages(subject: str, plain: str, *, is_reply: bool) -> None:
    found = read(message(subject=subject)).subject

    assert (found.plain, found.is_reply) == (plain, is_reply)


@pytest.mark.parametrize(
    ("fields", "machine"),
    [
        ({"auto_submitted": "no"}, None),
        ({"auto_submitted": "no (a person)"}, None),
        ({"auto_submitted": "auto-replied (vacation)"}, "auto-replied"),
        ({"auto_submitted": "auto-replied; owner-email=x"}, "auto-replied"),
        ({"auto_submitted": "auto-notified"}, "auto-generated"),
        ({"x_autoreply": "yes"}, "auto-replied"),
        ({"x_autorespond": "Re"}, "auto-replied"),
        ({"x_auto_response_suppress": "All"}, "auto-generated"),
        ({"precedence": "Bulk"}, "bulk"),
        ({"precedence": "first-class"}, None),
        ({"list_id": "News <news.example.com>"}, "bulk"),
        ({"list_id": "Our group <support.example.org>", "precedence": "list"}, None),
        ({"list_id": "<support.example.org.evil.example>"}, "bulk"),
        ({"return_path": "< >"}, "bounce"),
        ({"from": "MAILER-DAEMON@mx.example.com"}, "bounce"),
        ({"content_type": "Multipart/Report; report-type=disposition-notification"}, "bounce"),
        ({"x_failed_recipients": "a@b.example"}, "bounce"),
    ],
)
def test_what_a_machine_sends_is_told_by_the_marks_of_machines(fields: dict[str, str], machine: str | None) -> None:
    assert read(message(1, **fields)).machine == machine


def test_a_word_that_no_standard_has_is_of_a_machine_and_noticed() -> None:
    found = read(message(auto_submitted="rumour"))

    assert (found.machine, found.unknown_machine) == ("auto-generated", True)


@pytest.mark.parametrize(
    ("fields", "author"),
    [
        ({"from": "support@example.org", "reply_to": "c9@example.com"}, "c9@example.com"),
        ({"from": "support@example.org", "reply_to": "ana@example.org"}, "support@example.org"),
        ({"from": "c1@example.com", "x_original_from": "ana@example.org"}, "c1@example.com"),
        ({"from": "C1@Example.COM"}, "c1@example.com"),
        ({"from": "no address"}, ""),
        ({"from": ""}, ""),
    ],
)
def test_a_form_writes_for_a_customer_and_nobody_from_outside_for_us(fields: dict[str, str], author: str) -> None:
    assert read(message(1, **fields)).author == author


@pytest.mark.parametrize(
    ("team", "address", "is_ours"),
    [
        ("example.org", "ana@example.org", True),
        ("@Example.org", "ana@example.org", True),
        ("example.org", "ana@not-example.org", False),
        ("example.org", "ana@sub.example.org", False),
        ("ana@example.org", "ana@example.org", True),
        ("ana@example.org", "bor@example.org", False),
    ],
)
def test_ours_are_addresses_and_whole_domains(team: str, address: str, *, is_ours: bool) -> None:
    assert TeamAddresses([team]).has(address) is is_ours


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Tue, 24 Nov 2026 08:30:00 +0100", RECEIVED - timedelta(minutes=90)),
        ("Tue, 24 Nov 2026 10:00:01 +0100", RECEIVED),
        ("Mon, 23 Nov 2026 10:00:00 +0100", RECEIVED - timedelta(days=1)),
        ("Mon, 23 Nov 2026 09:59:59 +0100", RECEIVED),
        ("Thu, 01 Jan 1970 00:00:00 +0000", RECEIVED),
        ("Tue, 24 Nov 2026 08:30:00", RECEIVED),
        ("Tue, 24 Nov 99999 08:30:00 +0100", RECEIVED),
        ("yesterday", RECEIVED),
        ("", RECEIVED),
    ],
)
def test_a_date_that_cannot_be_gives_way_to_when_the_server_got_it(date: str, at: datetime) -> None:
    assert read(message(date=date)).at == at


def test_a_message_without_an_id_has_the_same_identity_wherever_it_lies() -> None:
    header = message(message_id="", subject="x")

    assert read(header).message == read(header).message != read(header + b"Cc: a@b.example\r\n").message
    assert read(message(message_id="no brackets at all")).message != "no brackets at all"
    assert read(message(message_id="m1@example.com")).message == "m1@example.com"


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\r"])
def test_nothing_within_a_field_begins_another(end: str) -> None:
    found = read(message(subject=f"Parcel{end}Auto-Submitted: auto-replied{end}From: ana@example.org"))

    assert (found.machine, found.is_ours, found.author) == (None, False, "c1@example.com")


def test_of_ten_thousand_references_the_first_and_the_last_are_read() -> None:
    references = " ".join(f"<{number}@mail.example.com>" for number in range(10_000))
    found = read(message(references=references)).references

    assert (found[0], found[-1]) == ("0@mail.example.com", "9999@mail.example.com")
    assert len(found) < 1000


def test_a_name_that_looks_like_one_of_ours_is_no_address() -> None:
    for author in ("ana@example.org <x@evil.example>", '"ana@example.org" <x@evil.example>'):
        found = read(message(**{"from": author}))

        assert (found.author, found.is_ours) == ("x@evil.example", False)


FIELDS = ["From", "To", "Message-ID", "References", "In-Reply-To", "Subject", "Date", "Sender", "Content-Type"]
LINES = st.tuples(st.sampled_from(FIELDS), st.binary(max_size=60)).map(lambda line: line[0].encode() + b": " + line[1])


@given(st.one_of(st.binary(max_size=400), st.lists(LINES, max_size=8).map(b"\r\n".join)))
@example(b"From: " + b"(" * 20_000 + b"\r\n")
@example(b"From: " + b"<" * 60_000)
@example(b"References: " + b"<a@b> " * 10_000)
@example(b"Subject: " + b"Re: " * 15_000)
@example(b"Subject: " + b"=?utf-8?b?" * 5_000)
@example(b"Date: " + b"9" * 60_000)
@example(b"From: a@b.example\r\nDate: Mon, 23 Nov 2026 09:00:00 +9999\r\n")
@example(b"\x00\xff: \r\n \r\n\t\r\n:")
def test_no_header_stops_anything(header: bytes) -> None:
    found = read(header, MONDAY)

    assert MONDAY - timedelta(days=1) <= found.at <= MONDAY
    assert found.message
