"""The page of a survey as the gateway serves it: what is answered there, and whatever is no answer."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from stream.app.gateway import GatewayService
from stream.core.cloudevents import Event
from stream.errors import SettingsError
from stream.gateway.survey_html import preferred_language
from stream.languages.words import LANGUAGES, Language, words
from stream.sdk.survey_links import SurveyReceipt, sealed_receipt
from stream.security import watched_file
from stream.settings import Settings
from tests.families.surveys.told import counted, figure, snapshots_of, surveys_fold_of
from tests.gateway.surveys.asked import KEY, Asked, Page, a_link, asking
from tests.running import parsed


def briefly(events: list[Event]) -> list[tuple[Any, ...]]:
    return [(type(one).__name__, one.subject, one.data.score, one.data.comment) for one in events]


async def refused(asked: Asked) -> dict[str, float]:
    shown = parsed((await asked.get(f"{asked.address}/metrics")).text)
    return {
        dict(labels)["kind"]: number
        for (name, labels), number in shown.items()
        if name == "contact_source_inputs_total" and dict(labels)["outcome"] == "refused"
    }


def receipt(asked: Asked, *, answered: timedelta, key: str = KEY, **of: Any) -> str:
    link = asked.link(**of)
    at = int((datetime.now(UTC) - answered).timestamp())
    return f"{asked.page}/{link.token}/{sealed_receipt(SurveyReceipt(at, {'csat': 4}), link.token, key)}"


# --- answers ----------------------------------------------------------------------------------------


async def test_an_answer_is_told_once_it_is_sent_and_the_receipt_says_it(tmp_path: Path) -> None:
    async with asking(tmp_path, 'company = "Acme & Sons"') as asked:
        link = asked.link(agent="a7", channel="email", customer="c9")
        shown = await asked.get(link.address(csat=4))
        assert shown.status == 200
        assert asked.broker.events == []
        sent = await asked.post(link.address("sl"), csat=4, shown=1)
        thanked = await asked.get(sent.url)

    assert sent.status == 303
    assert words("sl")["web_survey"]["thanks"] in thanked.text
    assert re.findall(r'value="(\d)"[^>]* checked', shown.text) == ["4"]
    (event,) = asked.broker.events
    assert (event.source, event.tenantid, event.subject) == ("/surveys", "acme", "4711")
    data = event.data
    assert (data.queue, data.agent, data.channel, data.customer, data.score, data.scale) == (
        "sales", "a7", "email", "c9", 4, "1-5",
    )  # fmt: skip


async def test_a_program_that_follows_every_link_of_the_message_rates_nobody(tmp_path: Path) -> None:
    async with asking(tmp_path) as asked:
        link = asked.link()
        for score in range(1, 6):
            assert (await asked.get(link.address(csat=score))).status == 200
        assert (await asked._called("HEAD", link.address(csat=1), None, {})).status == 200
        assert asked.broker.events == []


async def test_a_form_that_is_sent_twice_is_one_event_and_another_one_is_another(tmp_path: Path) -> None:
    async with asking(tmp_path) as asked:
        address = asked.link().address()
        for fields in (
            {"csat": 4, "shown": 1},
            {"csat": 4, "shown": 1},
            {"csat": 5, "shown": 1},
            {"csat": 4, "shown": 2},
        ):
            assert (await asked.post(address, **fields)).status == 303
        first, again, other, later = (event.id for event in asked.broker.events)
        assert first == again
        assert len({first, other, later}) == 3


async def test_answers_to_one_link_replace_each_other_whatever_order_and_gateway_they_come_by(tmp_path: Path) -> None:
    async with asking(tmp_path, 'comments = "counted"') as one, asking(tmp_path, 'comments = "counted"') as other:
        link = one.link()
        elsewhere = other.link().page + "/" + link.token
        await one.post(link.address(), csat=2, shown=1, comment="slow")
        sent = await other.post(elsewhere, csat=1, shown=2)
        await other.post(sent.url, csat=5, shown=3)
        events = [*link.invitations(), *one.broker.events, *other.broker.events]

    assert briefly(events[1:]) == [
        ("SurveyAnswered", "4711", 2, True),
        ("SurveyAnswered", "4711", 1, False),
        ("SurveyChanged", "4711", 5, False),
    ]
    for order in permutations([*events, events[1]]):
        (sales, *_) = snapshots_of(surveys_fold_of(order), datetime.now(UTC))
        counts = counted(sales)
        assert (counts.csat_invited, counts.csat_answered, counts.csat_responded, counts.comments) == (1, 1, 1, 0)
        assert figure(sales, "csat_mean").value == 5


async def test_each_question_is_a_survey_and_one_may_be_left_out(tmp_path: Path) -> None:
    async with asking(tmp_path, 'comments = "counted"') as asked:
        link = asked.link(kinds=["csat", "ces", "nps"], scales=["smileys", "1-7", "0-10"], customer="c9")
        await asked.post(link.address(), csat=3, nps=0, comment="I wait\r\n")

    assert briefly(asked.broker.events) == [
        ("SurveyAnswered", "4711/csat", 3, True),
        ("SurveyAnswered", "4711/nps", 0, False),
    ]
    assert [event.data.customer for event in asked.broker.events] == ["c9", None]


@pytest.mark.parametrize(
    ("comments", "told"), [("none", False), ("counted", True), ("told", "Marked <b>words</b>\nhere")]
)
async def test_words_are_told_only_where_a_setting_says_so(tmp_path: Path, comments: str, told: object) -> None:
    async with asking(tmp_path, f'comments = "{comments}"') as asked:
        sent = await asked.post(asked.link().address(), csat=1, comment=" Marked <b>words</b>\r\nhere ")
        assert "Marked" not in sent.url
        assert "Marked" not in (await asked.get(f"{asked.address}/metrics")).text
    assert asked.broker.events[0].data.comment == told


async def test_words_stay_counted_when_the_score_is_changed(tmp_path: Path) -> None:
    async with asking(tmp_path, 'comments = "told"') as asked:
        address = asked.link().address()
        for score, words_there in ((1, "slow"), (2, ""), (3, ""), (4, "fine")):
            address = (await asked.post(address, csat=score, comment=words_there)).url
    assert [event.data.comment for event in asked.broker.events] == ["slow", True, True, "fine"]


@pytest.mark.parametrize(
    ("fields", "chosen", "written"),
    [
        ({"comment": "slow & late"}, [], "slow &amp; late"),
        ({"csat": 2, "comment": "x" * 2001}, ["2"], "x" * 2001),
        ({"csat": 9, "nps": 7, "comment": "slow"}, ["7"], "slow"),
    ],
    ids=["nothing chosen", "too long", "outside the scale"],
)
async def test_what_can_be_read_of_an_answer_that_is_asked_again_stands_in_the_form(
    tmp_path: Path, fields: dict[str, object], chosen: list[str], written: str
) -> None:
    async with asking(tmp_path, 'comments = "told"') as asked:
        page = await asked.post(asked.link(kinds=["csat", "nps"]).address(), **fields)
    assert page.status == 422
    assert re.findall(r'value="(\d+)"[^>]* checked', page.text) == chosen
    assert f"{written}</textarea>" in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_comes_from_a_message_is_told_that_nothing_is_sent_yet(tmp_path: Path, language: Language) -> None:
    say = words(language)["web_survey"]
    note = say["chosen"].format(button=say["send"])
    async with asking(tmp_path) as asked:
        link = asked.link()
        assert note in (await asked.get(link.address(language, csat=4))).text
        assert note not in (await asked.get(link.address(language))).text
        assert note not in (await asked.get((await asked.post(link.address(language), csat=4)).url)).text


async def test_a_change_by_a_gateway_whose_clock_is_behind_is_behind_what_it_changes(tmp_path: Path) -> None:
    async with asking(tmp_path) as asked:
        link = asked.link()
        ahead = datetime.now(UTC) + timedelta(minutes=5)
        milliseconds = int(ahead.timestamp() * 1000)
        told = SurveyReceipt(int(ahead.timestamp()), {"csat": 4}, last_ms=milliseconds)
        sent = await asked.post(f"{link.address()}/{sealed_receipt(told, link.token, KEY)}", csat=1, shown=1)
        await asked.post(sent.url, csat=2, shown=2)
    times = [event.time for event in asked.broker.events]
    assert ahead < times[0] < times[1] < ahead + timedelta(seconds=1)


async def test_times_are_those_of_the_zone_of_the_policy(tmp_path: Path) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text(
        '[defaults]\ntime_zone = "Europe/Ljubljana"\n[[queue]]\nname = "et"\ntime_zone = "Europe/Tallinn"\n'
    )
    made = datetime(2026, 7, 1, 9, 30, tzinfo=UTC) - datetime.now(UTC)
    async with asking(tmp_path, policies=policies) as asked:
        of_queue = {"sales": "2026-07-02 11:30 CEST", "et": "2026-07-02 12:30 EEST", None: "2026-07-02 11:30 CEST"}
        for queue, time in of_queue.items():
            over = asked.link(ago=-made, good_for=timedelta(days=1), queue=queue)
            assert time in (await asked.get(over.address())).text


async def test_a_receipt_says_until_when_in_the_zone_of_the_policy(tmp_path: Path) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text('[defaults]\ntime_zone = "Asia/Tokyo"\n')
    async with asking(tmp_path, policies=policies) as asked:
        sent = await asked.post(asked.link().address(), csat=4)
        assert re.search(r"until \d{4}-\d\d-\d\d \d\d:\d\d JST", (await asked.get(sent.url)).text)


# --- for a while ------------------------------------------------------------------------------------


async def test_an_answer_can_be_changed_for_a_while_and_then_the_page_says_that_it_is_over(tmp_path: Path) -> None:
    async with asking(tmp_path, "change_hours = 2") as asked:
        good, late = receipt(asked, answered=timedelta(hours=1)), receipt(asked, answered=timedelta(hours=2, seconds=1))
        changed = await asked.post(good, csat=1, shown=1)
        assert changed.status == 303
        shown = await asked.get(late)
        assert (shown.status, "<form" in shown.text) == (200, False)
        assert words("en")["web_survey"]["not_changeable"] in shown.text
        assert (await asked.post(late, csat=1)).status == 410
        # Changing an answer gives no more time.
        assert (await asked.get(changed.url)).text.count("<form") == 1
        assert await refused(asked) == {"over": 1}
    assert briefly(asked.broker.events) == [("SurveyChanged", "4711", 1, False)]


async def test_a_link_that_is_over_says_so(tmp_path: Path) -> None:
    async with asking(tmp_path) as asked:
        link = asked.link(ago=timedelta(days=2), good_for=timedelta(days=1))
        shown = await asked.get(link.address("hr"))
        assert shown.status == 410
        assert words("hr")["web_survey"]["over"] in shown.text
        assert (await asked.post(link.address(), csat=1)).status == 410
        over = receipt(asked, answered=timedelta(hours=1), ago=timedelta(days=2), good_for=timedelta(days=1))
        assert (await asked.post(over, csat=1)).status == 410
        assert asked.broker.events == []


# --- attacks ----------------------------------------------------------------------------------------


FORGED: dict[str, Callable[[Asked], str]] = {
    "a key of somebody else": lambda asked: asked.link(key="x" * 32).address(),
    "another tenant, with a good key": lambda asked: asked.link(tenant="other").address(),
    "cut off": lambda asked: asked.link().address()[:-1],
    "something added": lambda asked: asked.link().address() + "A",
    "two links in one": lambda asked: (
        f"{asked.page}/{asked.link(survey='1').token[:40]}{asked.link(survey='2').token[40:]}"
    ),
    "no base64": lambda asked: f"{asked.page}/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "not ASCII": lambda asked: f"{asked.page}/%C5%BE%F0%9F%98%80",
    "very long": lambda asked: f"{asked.page}/{'A' * 9000}",
    "a receipt of somebody else": lambda asked: receipt(asked, answered=timedelta(0), key="x" * 32),
    "the receipt of another link": lambda asked: (
        f"{asked.link(survey='1').address()}/{receipt(asked, answered=timedelta(0), survey='2').rpartition('/')[2]}"
    ),
    "a link for a receipt": lambda asked: f"{asked.page}/{asked.link().token}/{asked.link().token}",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
async def test_a_link_that_nobody_of_ours_has_made_is_none(tmp_path: Path, forged: Callable[[Asked], str]) -> None:
    async with asking(tmp_path) as asked:
        pages = [await asked.get(forged(asked)), await asked.post(forged(asked), csat=4)]
        assert [page.status for page in pages] == [404, 404]
        assert all(words("en")["web_survey"]["unknown"] in page.text and "<script" not in page.text for page in pages)
        assert asked.broker.events == []
        assert await refused(asked) == {"not_verified": 2}


async def test_a_link_has_one_spelling(tmp_path: Path) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    async with asking(tmp_path) as asked:
        for survey in ("1", "12", "123"):  # of every length behind the last whole group of letters
            token = asked.link(survey=survey).token
            spelt = [token[:-1] + letter for letter in letters]
            statuses = {one: (await asked.get(f"{asked.page}/{one}")).status for one in spelt}
            assert [one for one, status in statuses.items() if status == 200] == [token]


async def test_other_paths_and_ways_are_none(tmp_path: Path) -> None:
    async with asking(tmp_path) as asked:
        token = asked.link().token
        assert (await asked.get(f"{asked.address}/surveys/nobody/{token}")).status == 404
        assert (await asked.get(asked.page)).status == 404
        assert (await asked._called("PUT", f"{asked.page}/{token}", b"", {})).status == 405


HUGE = b"csat=4&comment=" + b"x" * 40_000

BAD: dict[str, tuple[bytes, str]] = {
    "nothing chosen": (b"shown=1", "no_score"),
    "empty": (b"", "no_score"),
    "outside the scale": (b"csat=6", "score_outside_scale"),
    "of another scale": (b"csat=0", "score_outside_scale"),
    "another way to write a number": (b"csat=%2B4", "score_outside_scale"),
    "digits of another script": ("csat=٤".encode(), "score_outside_scale"),
    "twice": (b"csat=4&csat=5", "score_outside_scale"),
    "not asked": (b"nps=4", "no_score"),
    "huge": (HUGE, "too_large"),
    "a long comment": (b"csat=4&comment=" + b"x" * 2001, "comment_too_long"),
    "many fields": (b"csat=4" + b"&a=1" * 50, "broken_form"),
    "no UTF-8": (b"csat=4&comment=%FF", "broken_form"),
    "no UTF-8 at all": (b"\xff\xfe", "broken_form"),
}


@pytest.mark.parametrize(("body", "reason"), BAD.values(), ids=BAD)
async def test_what_is_no_answer_is_asked_again(tmp_path: Path, body: bytes, reason: str) -> None:
    async with asking(tmp_path, 'comments = "told"') as asked:
        page = await asked.post(asked.link().address(), body)
        assert page.status == 422
        assert 'role="alert"' in page.text
        assert "<form" in page.text
        assert asked.broker.events == []
        assert await refused(asked) == {reason: 1}


async def test_a_comment_of_the_longest_is_no_attack(tmp_path: Path) -> None:
    async with asking(tmp_path, 'comments = "told"') as asked:
        assert (await asked.post(asked.link().address(), csat=4, comment="😀" * 2000)).status == 303
        assert asked.broker.events[0].data.comment == "😀" * 2000


async def test_other_content_is_no_form(tmp_path: Path) -> None:
    async with asking(tmp_path) as asked:
        url = asked.link().address()
        for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
            page = await asked._called("POST", url, b"csat=4", {"Content-Type": kind})
            assert page.status == 422
        assert asked.broker.events == []


SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{0}{__class__}"


async def test_a_script_in_any_field_is_a_text(tmp_path: Path) -> None:
    options = f"company = {json.dumps(SCRIPT)}\ncomments = 'told'\nprivacy_url = 'https://x.example/?a=\"><script>'"
    async with asking(tmp_path, options) as asked:
        link = asked.link(survey=SCRIPT[:99], queue=SCRIPT, agent=SCRIPT, group=SCRIPT, customer=SCRIPT)
        evil = {"language": SCRIPT, "csat": SCRIPT, "nps": SCRIPT, SCRIPT: SCRIPT}
        asked.broker.is_away = True
        pages = [
            await asked.get(link.address() + "?" + "&".join(f"{name}={text}" for name, text in evil.items())),
            await asked.post(link.address(), csat=4, comment=f"</textarea>{SCRIPT}"),
            await asked.post(link.address(), csat=SCRIPT, comment=SCRIPT),
        ]
        asked.broker.is_away = False
        sent = await asked.post(link.address(), csat=4, comment=SCRIPT)
        pages.append(await asked.get(sent.url))

    assert [page.status for page in pages] == [200, 503, 422, 200]
    for page in pages:
        assert not re.search(r"<(script|img)", page.text)
        assert "<form" in page.text
    assert "&lt;/textarea&gt;" in pages[1].text
    assert asked.broker.events[0].data.comment == SCRIPT


async def test_nobody_answers_faster_than_a_person(tmp_path: Path) -> None:
    async with asking(tmp_path) as asked:
        flooded, other = asked.link(survey="1").address(), asked.link(survey="2").address()
        statuses = [(await asked.post(flooded, csat=4, shown=n)).status for n in range(12)]
        assert statuses[:4] == [303] * 4
        assert statuses[-1] == 429
        assert len(asked.broker.events) == statuses.count(303) < 8
        # Who has one link cannot keep others from answering.
        assert (await asked.post(other, csat=4)).status == 303


async def test_what_was_written_is_not_lost_while_the_broker_is_away(tmp_path: Path) -> None:
    async with asking(tmp_path, 'comments = "counted"') as asked:
        asked.broker.is_away = True
        page = await asked.post(asked.link().address(), csat=2, comment="\nslow & late")
        assert (page.status, page.headers["Retry-After"]) == (503, "60")
        assert re.findall(r'value="(\d)"[^>]* checked', page.text) == ["2"]
        assert "slow &amp; late</textarea>" in page.text


async def test_every_page_keeps_to_itself(tmp_path: Path) -> None:
    async with asking(tmp_path) as asked:
        link = asked.link()
        over = asked.link(ago=timedelta(days=20))
        sent = await asked.post(link.address(), csat=4)
        answers: list[Page] = [
            sent,
            await asked.get(link.address()),
            await asked.get(sent.url),
            await asked.get(over.address()),
            await asked.get(asked.page + "/nothing"),
            await asked.post(link.address(), shown=1),
        ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "form-action 'self'; base-uri 'none'; frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
        assert not re.search(r"https?://", answer.text)
    # Relative, so that nobody can send a customer elsewhere, and a proxy may serve it under any path.
    assert re.fullmatch(r"[\w-]+/[\w-]+\?language=en", sent.headers["Location"])


async def test_no_log_has_a_link(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with asking(tmp_path) as asked:
        link = asked.link()
        await asked.get(link.address())
        await asked.post(link.address(), csat=4)
        asked.broker.is_away = True
        await asked.post(link.address(), csat=4)
    assert caplog.records
    assert link.token not in caplog.text


# --- keys, languages, files -------------------------------------------------------------------------


async def test_a_new_key_signs_while_links_of_the_old_one_are_good(tmp_path: Path) -> None:
    async with asking(tmp_path, key=f"{'n' * 32}\n{KEY}") as asked:
        sent = await asked.post(asked.link().address(), csat=4)
        assert sent.status == 303
        assert (await asked.get(sent.url)).status == 200
        assert (await asked.post(asked.link(key="n" * 32).address(), csat=4)).status == 303


async def test_a_page_that_is_added_is_served_without_a_restart_and_counts_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_file, "CHECKED_EVERY_SECONDS", 0)
    async with asking(tmp_path) as asked:
        link = asked.link()
        await asked.get(asked.page + "/nothing")
        added = f"{asked.address}/surveys/added/{link.token}"
        assert (await asked.get(added)).status == 404
        file = tmp_path / "webhooks.toml"
        before = file.read_text()
        file.write_text(before + before.replace("acme]", "added]"))
        assert (await asked.get(added)).status == 200
        await asked.get(asked.page + "/nothing")
        assert await refused(asked) == {"not_verified": 2}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_is_in_the_language_of_the_browser_unless_another_is_chosen(
    tmp_path: Path, language: Language
) -> None:
    async with asking(tmp_path) as asked:
        link = asked.link(kinds=["csat", "ces", "nps"])
        spoken = {"Accept-Language": f"xx, {language}-ZZ;q=0.8, en;q=0.5"}
        by_browser = await asked.get(link.address(), **spoken)
        chosen = await asked.get(link.address(language), **{"Accept-Language": "de"})
    say = words(language)["web_survey"]
    for page in (by_browser, chosen):
        assert f'<html lang="{language}">' in page.text
        assert all(say[kind] in page.text for kind in ("csat", "ces", "nps", "send"))


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "sl", "sl"),
        ("", "de-AT, hr;q=0.3, ro;q=0.7", "ro"),
        ("", "et;q=0, sl;q=0.1", "sl"),
        ("", "sl;q=nan, hr;q=x, et;q=-1", "en"),
        ("", "HR-hr", "hr"),
        ("et", "sl", "et"),
        ("xx", "sl", "sl"),
        ("", "*", "en"),
        ("", "," * 20_000, "en"),
    ],
)
def test_of_several_languages_the_best_is_chosen(asked: str, accepted: str, language: str) -> None:
    assert preferred_language(asked, accepted) == language


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ('[surveys.acme]\nkey_file = "nowhere"', r"surveys\.acme\.key_file: .*nowhere cannot be read"),
        ('[surveys.acme]\nkey_file = "short.key"', r"surveys\.acme\.key_file: a key has at least 32 characters"),
        ("[surveys.acme]", "key_file"),
        ('[surveys.acme]\nkey_file = "good.key"\ncolour = "red"', "colour"),
        ('[surveys.acme]\nkey_file = "good.key"\nprivacy_url = "javascript:alert(1)"', "privacy_url"),
        ('[surveys.acme]\nkey_file = "good.key"\ncomments = "all"', "comments"),
        ('[surveys."a/b"]\nkey_file = "good.key"', "surveys"),
        (
            '[surveys.acme]\nkey_file = "good.key"\n[webhooks.acme]\nsource = "typeform"\nsecret_file = "good.key"',
            "a webhook has this name already",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_at_the_start(tmp_path: Path, table: str, complaint: str) -> None:
    (tmp_path / "good.key").write_text(KEY)
    (tmp_path / "short.key").write_text(f"{KEY}\nshort")
    file = tmp_path / "webhooks.toml"
    file.write_text(table)
    with pytest.raises(SettingsError, match=complaint):
        GatewayService(Settings(gateway_webhooks=file), brokers="127.0.0.1:1")


def test_a_link_is_short_enough_for_any_mail_program() -> None:
    assert len(a_link(agent="a7", channel="email", customer="c9").address("en", csat=5)) < 250
