"""Who may tell what happened: Twilio, and nobody who has heard it, guesses, or changes what it said."""

import hashlib
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.security import watched_file
from stream.sources.source import Received
from stream.sources.twilio.signature import MOST_PARAMETERS, is_signed
from tests.samples import sample
from tests.sources.twilio.workspace import BEGIN, FORM, TOKEN, URL, Story, form, signature, signed, stream, webhook

CALLBACKS = Story("0 task.created ann\n1 task-queue.entered ann TaskQueueName=sales").callbacks
REQUESTS = {"callback": form(CALLBACKS[0]), "event streams": stream(CALLBACKS)}

AT = REQUESTS["callback"].at


@pytest.fixture(params=REQUESTS.values(), ids=list(REQUESTS))
def request_of(request: pytest.FixtureRequest) -> Received:
    found: Received = request.param
    return found


def shown(request: Received, value: str) -> Received:
    return replace(request, headers={**request.headers, "x-twilio-signature": value})


def test_a_request_as_twilio_signs_it_is_good() -> None:
    told = json.loads(sample("twilio/callback_signed_request.json").read_text())
    headers = {name.lower(): value for name, value in told["headers"].items()}
    recorded = Received(told["body"].encode(), headers, told["url"], AT)

    assert is_signed(recorded, [told["auth_token"]])
    assert not is_signed(recorded, [told["auth_token"] + "6"])
    assert not is_signed(replace(recorded, body=recorded.body.replace(b"bojan", b"cilka")), [told["auth_token"]])


def test_the_example_of_twilios_own_documentation_is_good() -> None:
    fields = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309"}
    body = urlencode(fields | {"To": "+18005551212"}).encode()
    headers = {"content-type": FORM, "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}

    assert is_signed(Received(body, headers, "https://mycompany.com/myapp.php?foo=1&bar=2", AT), ["12345"])


def test_each_line_of_the_file_is_a_good_token_and_a_new_one_is_seen_without_a_restart(
    tmp_path: Path, request_of: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_file, "CHECKED_EVERY_SECONDS", 0)
    source = webhook(tmp_path)
    assert source.verified(request_of)

    (tmp_path / "token").write_text(f"another one\n{TOKEN}\n")
    assert source.verified(request_of)
    (tmp_path / "token").write_text("another one\n")
    assert not source.verified(request_of)


WRONG = ["", "=", "kmCwU66JcrzIuYWF24FOeIZQEA4=", "é" * 28, "\udce9" * 28, "A" * 100_000, "0" * 40]


@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
def test_a_wrong_signature_is_none(request_of: Received, value: str) -> None:
    assert not is_signed(shown(request_of, value), [TOKEN])


def test_no_signature_is_none(request_of: Received) -> None:
    assert not is_signed(replace(request_of, headers={"content-type": request_of.headers["content-type"]}), [TOKEN])


def test_a_signature_cut_off_or_repeated_is_none(request_of: Received) -> None:
    good = request_of.headers["x-twilio-signature"]

    for value in (good[:-1], good + "=", good + good, f"{good},{good}", good.lower(), f" {good}"):
        assert not is_signed(shown(request_of, value), [TOKEN])


ELSEWHERE = [
    URL.replace("https", "http"),
    URL.replace("metrics", "metric"),
    URL + "/",
    URL.upper(),
    URL.replace("/v1/", "//v1/"),
    URL.replace("/v1/", "/%761/"),
    "",
    "twilio",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_what_was_signed_for_another_address_is_not_for_this_one(request_of: Received, url: str) -> None:
    query = request_of.url.removeprefix(URL)

    assert not is_signed(replace(request_of, url=url + query), [TOKEN])


@pytest.mark.parametrize(("called", "known"), [("", ":443"), (":443", ""), (":8443", ":8443"), ("", ":8443")])
def test_twilio_may_sign_the_address_with_its_port_or_without(called: str, known: str) -> None:
    def address(port: str) -> str:
        return URL.replace("example.org", "example.org" + port)

    request = signed(b"EventType=x", FORM, at=AT, url=address(called))

    assert is_signed(replace(request, url=address(known)), [TOKEN])


def test_an_address_of_version_6_has_colons_of_its_own() -> None:
    assert is_signed(signed(b"a=b", FORM, at=AT, url="https://[2001:db8::1]/v1/webhooks/t"), [TOKEN])


def test_a_changed_body_is_not_what_was_signed(request_of: Received) -> None:
    for body in (request_of.body.replace(b"ann", b"bob"), request_of.body + b"&x=1", request_of.body[:-1], b""):
        assert not is_signed(replace(request_of, body=body), [TOKEN])


def test_a_batch_cannot_be_sent_with_the_digest_of_another_body() -> None:
    batch = REQUESTS["event streams"]
    forged = b"[]"
    url = f"{URL}?bodySHA256={hashlib.sha256(forged).hexdigest()}"

    for other in (url, f"{batch.url}&bodySHA256={url[-64:]}", f"{url}&{batch.url.partition('?')[2]}", URL):
        assert not is_signed(replace(batch, body=forged, url=other), [TOKEN])


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", "", "é"])
def test_a_callback_is_a_form_and_nothing_else(kind: str) -> None:
    callback = REQUESTS["callback"]

    assert not is_signed(replace(callback, headers={**callback.headers, "content-type": kind}), [TOKEN])


@pytest.mark.parametrize("body", [b"", b"EventType=task.created"])
def test_the_signature_of_a_batch_is_not_good_for_a_form(body: bytes) -> None:
    batch = REQUESTS["event streams"]

    assert not is_signed(replace(batch, body=body, headers={**batch.headers, "content-type": FORM}), [TOKEN])


def test_a_rule_of_the_account_may_sign_with_a_shared_key_and_sha256() -> None:
    callback = REQUESTS["callback"]
    parameters = b"".join(sorted(f"{name}{value}".encode() for name, value in CALLBACKS[0].items()))
    headers = {
        "content-type": FORM,
        "x-twilio-webhooks-signature-settings": "key=CK1,algorithm=HMAC_SHA256",
        "x-twilio-signature": signature(URL.encode() + parameters, "shared", "sha256"),
    }

    assert is_signed(replace(callback, headers=headers), [TOKEN, "shared"])
    assert not is_signed(replace(callback, headers=headers), [TOKEN])
    assert not is_signed(shown(replace(callback, headers=headers), callback.headers["x-twilio-signature"]), [TOKEN])


NAMES = st.text(min_size=1, max_size=8)


@given(st.lists(st.tuples(NAMES, st.text(max_size=8)), min_size=1, max_size=12))
def test_whatever_parameters_say_in_whatever_script_they_are_signed_as_they_are(pairs: list[tuple[str, str]]) -> None:
    body = urlencode(pairs, errors="surrogatepass").encode()

    assert is_signed(signed(body, FORM, at=AT), [TOKEN])


def test_repeated_parameters_are_signed_once_and_in_the_order_of_their_values() -> None:
    text = URL + "a1a2b"
    headers = {"content-type": FORM, "x-twilio-signature": signature(text.encode())}

    assert is_signed(Received(b"a=2&b=&a=1&a=2&", headers, URL, AT), [TOKEN])
    assert is_signed(Received(b"a=1&a=2&b", headers, URL, AT), [TOKEN])
    assert not is_signed(Received(b"a=1&b=", headers, URL, AT), [TOKEN])


def test_more_parameters_than_twilio_has_are_refused_unread() -> None:
    few = "&".join(f"p{number}=1" for number in range(MOST_PARAMETERS))
    many = "&".join(f"p{number}=1" for number in range(10_000))

    assert is_signed(signed(few.encode(), FORM, at=AT), [TOKEN])
    assert not is_signed(signed(many.encode(), FORM, at=AT), [TOKEN])
    assert not is_signed(signed(b"&" * 1_000_000, FORM, at=AT), [TOKEN])


@pytest.mark.parametrize("count", [10_000, 1_000_000])
def test_an_address_with_any_number_of_parameters_is_refused(count: int) -> None:
    batch = REQUESTS["event streams"]

    assert not is_signed(replace(batch, url=URL + "?" + "a=1&" * count), [TOKEN])


def test_what_is_told_does_not_depend_on_what_is_not_signed(tmp_path: Path) -> None:
    source = webhook(tmp_path)
    request = REQUESTS["callback"]
    more = {"i-twilio-idempotency-token": "another", "x-forwarded-host": "elsewhere", "host": "elsewhere"}

    assert list(source.events(request)) == list(source.events(replace(request, headers={**request.headers, **more})))
    assert next(iter(source.events(request))).time.timestamp() == BEGIN
