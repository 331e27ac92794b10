"""A link says what its maker has said, and only that."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import InvalidEvent
from stream.sdk.survey_links import (
    LinkQuestion,
    LinkTerms,
    SurveyLinks,
    SurveyReceipt,
    link_in,
    receipt_in,
    sealed_link,
    sealed_receipt,
)
from stream.sdk.survey_mail import mail_html, mail_text

KEY, OTHER = "k" * 32, "o" * 32
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LINKS = SurveyLinks("https://feedback.example.org/surveys/acme/", KEY, tenant="acme")
LINK = LINKS.make("4711", ["csat", "nps"], queue="sales", agent="a7", channel="email", customer="c9", at=NOON)


@pytest.mark.parametrize("told", [{"customer": "ann@example.org"}, {"agent": "+386 40 777 123"}])
def test_a_link_that_would_show_an_address_or_a_telephone_number_is_not_made(told: Any) -> None:
    with pytest.raises(InvalidEvent, match="opaque ids") as refused:
        LINKS.make("4711", ["csat"], **told)

    assert not any(value in str(refused.value) for value in told.values())


def test_a_link_says_what_was_said() -> None:
    assert link_in(LINK.token, [OTHER, KEY]) == LinkTerms(
        survey="4711",
        questions=(LinkQuestion("csat", "1-5"), LinkQuestion("nps", "0-10")),
        until=int((NOON + timedelta(days=14)).timestamp()),
        tenant="acme",
        queue="sales",
        channel="email",
        agent="a7",
        customer="c9",
    )
    assert LINK.address("sl", csat=4) == f"https://feedback.example.org/surveys/acme/{LINK.token}?language=sl&csat=4"


@pytest.mark.parametrize("bit", range(8))
def test_a_link_with_any_bit_changed_is_none(bit: int) -> None:
    sealed = bytearray(urlsafe_b64decode(LINK.token + "=" * (-len(LINK.token) % 4)))
    for place in range(len(sealed)):
        sealed[place] ^= 1 << bit
        assert link_in(urlsafe_b64encode(sealed).rstrip(b"=").decode(), [KEY]) is None
        sealed[place] ^= 1 << bit


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_no_other_text_is_a_link_or_a_receipt(text: str) -> None:
    assert link_in(text, [KEY]) is None
    assert receipt_in(text, LINK.token, [KEY]) is None


@pytest.mark.parametrize(
    "text", [LINK.token[:-1], LINK.token + "A", LINK.token + "=", LINK.token + ".", " " + LINK.token]
)
def test_a_link_that_was_cut_off_or_has_something_added_is_none(text: str) -> None:
    assert link_in(text, [KEY]) is None


def test_a_link_of_another_key_is_none_and_a_receipt_is_no_link() -> None:
    receipt = sealed_receipt(SurveyReceipt(5, {"csat": 4}), LINK.token, KEY)

    assert link_in(LINK.token, [OTHER]) is None
    assert receipt_in(receipt, LINK.token, [OTHER, KEY]) == SurveyReceipt(5, {"csat": 4})
    assert receipt_in(receipt, LINKS.make("4712", ["csat"]).token, [KEY]) is None
    assert link_in(receipt, [KEY]) is None
    assert receipt_in(LINK.token, LINK.token, [KEY]) is None


def test_whoever_is_asked_two_questions_was_asked_once() -> None:
    invitations = LINK.invitations()

    assert [(one.id, one.subject, one.data.kind, one.data.customer) for one in invitations] == [
        ("4711/csat/invited", "4711/csat", "csat", "c9"),
        ("4711/nps/invited", "4711/nps", "nps", None),
    ]
    assert {(one.tenantid, one.time, one.data.queue, one.data.agent) for one in invitations} == {
        ("acme", NOON, "sales", "a7")
    }


def test_a_single_question_is_the_survey_itself() -> None:
    (invitation,) = LINKS.make("case-7", ["csat"]).invitations()

    assert (invitation.id, invitation.subject) == ("case-7/invited", "case-7")


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ([], {}),
        (["csat", "csat"], {}),
        (["joy"], {}),
        (["nps"], {"scales": ["1-5"]}),
        (["csat", "ces"], {"scales": ["1-5"]}),
        (["csat"], {"queue": ""}),
        (["csat"], {"queue": "q" * 129}),
        (["csat"], {"channel": "pigeon"}),
        (["csat"], {"good_for": timedelta(days=10**6)}),
    ],
)
def test_what_cannot_be_asked_is_refused_when_the_link_is_made(kinds: list[Any], told: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent):
        LINKS.make("4711", kinds, at=NOON, **told)


@pytest.mark.parametrize("survey", ["", "s" * 129])
def test_a_survey_has_an_id_of_sensible_length(survey: str) -> None:
    with pytest.raises(InvalidEvent):
        LINKS.make(survey, ["csat"])


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="at least 32 characters"):
        SurveyLinks("https://feedback.example.org/surveys/acme", "k" * 31)
    assert link_in(sealed_link(LINK.terms, "k" * 31), ["k" * 31]) is None


def test_a_link_that_mail_programs_cut_off_is_not_made() -> None:
    long = LINKS.make("s" * 128, ["csat", "ces", "nps"], queue="q" * 128, agent="a" * 200, customer="c" * 200)

    assert link_in(long.token, [KEY]) == long.terms
    with pytest.raises(InvalidEvent, match="more than 1000 characters"):
        LINKS.make("s" * 128, ["csat", "ces", "nps"], queue="q" * 128, agent="a" * 256, customer="ž" * 256)


def test_a_message_has_a_link_for_each_score_and_nothing_that_is_fetched() -> None:
    html, text = mail_html(LINK, "ro"), mail_text(LINK, "ro")

    for address in (
        LINK.address("ro", csat=1),
        LINK.address("ro", csat=5),
        LINK.address("ro", nps=0),
        LINK.address("ro", nps=10),
    ):
        assert address in text
        assert address.replace("&", "&amp;") in html
    assert html.count("<a ") == text.count("https://") == 5 + 11
    assert not any(fetched in html for fetched in ("<img", "<script", "<link", "src=", "url("))
    assert all("2026-12-04 12:00 UTC" in message for message in (html, text))


def test_what_was_signed_and_says_nonsense_is_none() -> None:
    nonsense = LinkTerms("4711", (), 5, "acme")
    with pytest.raises(InvalidEvent):
        sealed_link(nonsense, KEY)
