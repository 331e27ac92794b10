"""Who may post to a mapped webhook: by a key, or by a signature over body and time; nobody else, and not too late."""

import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from stream.errors import SettingsError
from stream.sources.intake import Intake
from stream.sources.mapped.payloads import MAX_RECORDS
from stream.sources.mapped.source import MAPPED_WEBHOOK, MappedWebhookOptions
from stream.sources.source import Received, Webhook
from tests.sources.mapped.examples import mapping_of

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
BODY = b'{"id": 1, "at": "2026-03-02T09:00:00Z", "call": "c1"}'
MAPPING = """
source = "/x"
[[rules]]
event = "contact.offered"
id = "id"
time = "at"
subject = "call"
"""
URL = "https://events.example.org/v1/webhooks/one?token=abc"


def webhook(
    folder: Path, verify: str, secrets: str = "old\nnew\n", intake: Intake | None = None, form: str = "json"
) -> Webhook:
    mapping_of(folder, f'format = "{form}"\n{MAPPING}[verify]\n{verify}')
    (folder / "key").write_text(secrets)
    options = MappedWebhookOptions(mapping=folder / "calls.toml", key_file=folder / "key")
    assert MAPPED_WEBHOOK.webhook is not None
    return MAPPED_WEBHOOK.webhook(options, intake or Intake())


def request(body: bytes = BODY, /, *, at: datetime = AT, **headers: str) -> Received:
    return Received(body, {name.replace("_", "-"): text for name, text in headers.items()}, URL, at)


def signed(method: str, secret: bytes, signed_bytes: bytes) -> bytes:
    return hmac.new(secret, signed_bytes, method).digest()


KEY = 'method = "key"\nheader = "Authorization"\nprefix = "Bearer "'


@pytest.mark.parametrize(
    ("given", "verified"),
    [("Bearer old", True), ("Bearer new", True), ("Bearer", False), ("Bearer ", False), ("old", False), ("", False)],
)
def test_a_key_in_a_header_is_one_of_the_file(tmp_path: Path, given: str, verified: bool) -> None:  # noqa: FBT001  # a column
    assert webhook(tmp_path, KEY).verified(request(authorization=given)) is verified


@pytest.mark.parametrize(
    ("given", "verified"),
    [
        ("Basic " + b64encode(b"anybody:old").decode(), True),
        ("basic " + b64encode(b":new").decode(), True),
        ("Basic " + b64encode(b"old:other").decode(), False),
        ("Basic " + b64encode(b"old").decode(), False),
        ("Basic " + b64encode(b"\xff:old").decode(), False),
        ("Basic old", False),
        ("Bearer " + b64encode(b"anybody:old").decode(), False),
        ("", False),
    ],
)
def test_a_password_of_basic_is_one_of_the_file(tmp_path: Path, given: str, verified: bool) -> None:  # noqa: FBT001
    assert webhook(tmp_path, 'method = "password"').verified(request(authorization=given)) is verified


@pytest.mark.parametrize(
    ("query", "verified"),
    [
        ("?token=old", True),
        ("?a=b&token=new", True),
        ("?token=old&token=old", False),
        ("?token=old&token=other", False),
        ("?token=", False),
        ("?other=old", False),
        ("", False),
    ],
)
def test_a_parameter_of_the_url_is_one_of_the_file(tmp_path: Path, query: str, verified: bool) -> None:  # noqa: FBT001
    asked = replace(request(), url=f"https://[events/v1/webhooks/one{query}")

    assert webhook(tmp_path, 'method = "parameter"\nparameter = "token"').verified(asked) is verified


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_signature_of_the_body_is_one_by_a_secret_of_the_file(tmp_path: Path, method: str, encoding: str) -> None:
    hook = webhook(tmp_path, f'method = "hmac-{method}"\nheader = "x-sig"\nencoding = "{encoding}"\nprefix = "v="')

    def text(secret: bytes, body: bytes = BODY) -> str:
        digest = signed(method, secret, body)
        return "v=" + (digest.hex() if encoding == "hex" else b64encode(digest).decode())

    assert hook.verified(request(x_sig=text(b"new")))
    assert hook.verified(request(x_sig=text(b"old")))
    assert not hook.verified(request(x_sig=text(b"other")))
    assert not hook.verified(request(x_sig=text(b"new")[2:]))
    assert not hook.verified(request(BODY + b" ", x_sig=text(b"new")))


STAMPED = """
method = "hmac-sha256"
header = "x-sig"
signed = "{timestamp}.{body}"
timestamp_header = "x-at"
tolerance_s = 60
"""


def stamped(stamp: str, *, at: datetime = AT, told: str | None = None) -> Received:
    text = hmac.new(b"new", stamp.encode() + b"." + BODY, hashlib.sha256).hexdigest()
    return request(at=at, x_sig=text, x_at=stamp if told is None else told)


SECONDS = str(int(AT.timestamp()))


@pytest.mark.parametrize("stamp", [SECONDS, f"{SECONDS}000", "2026-03-02T09:00:00Z", "2026-03-02T10:00:00+01:00"])
def test_a_signed_request_is_good_for_a_while(tmp_path: Path, stamp: str) -> None:
    hook = webhook(tmp_path, STAMPED)

    assert hook.verified(stamped(stamp))
    assert hook.verified(stamped(stamp, at=AT + timedelta(seconds=60)))
    assert not hook.verified(stamped(stamp, at=AT + timedelta(seconds=61)))
    assert not hook.verified(stamped(stamp, at=AT - timedelta(seconds=61)))


@pytest.mark.parametrize("stamp", ["", "now", "2026-03-02T09:00:00", "9" * 40, "-1", "١٧٧٢٤٤٢٠٠٠", "1e9", "0"])
def test_a_time_that_is_none_is_no_time(tmp_path: Path, stamp: str) -> None:
    assert not webhook(tmp_path, STAMPED).verified(stamped(stamp))


def test_a_time_that_was_not_signed_is_no_use(tmp_path: Path) -> None:
    kept = stamped(SECONDS)
    later = AT + timedelta(hours=1)

    assert not webhook(tmp_path, STAMPED).verified(stamped(SECONDS, at=later, told=str(int(later.timestamp()))))
    assert webhook(tmp_path, STAMPED).verified(kept)


def test_a_bad_post_is_told_by_its_path_without_its_query(tmp_path: Path) -> None:
    aside: list[str] = []
    intake = Intake(lambda bad: aside.append(str(bad)))
    hook = webhook(tmp_path, KEY, intake=intake)

    assert list(hook.events(request(b'{"id": 1, "call": "+38640000001"}'))) == []

    path, line = "https://events.example.org/v1/webhooks/one", 7
    assert aside == [f"{path}:1: {tmp_path / 'calls.toml'}:{line}: time: the record has no value for it"]


@pytest.mark.parametrize(
    ("form", "body"), [("json", b"[" + b"1," * MAX_RECORDS + b"1]"), ("csv", b"1,2\n" * (MAX_RECORDS + 1))]
)
def test_a_post_of_more_records_than_anybody_should_wait_for_is_refused_as_a_whole(
    tmp_path: Path, form: str, body: bytes
) -> None:
    intake = Intake(read=1)
    hook = webhook(tmp_path, f"{KEY}\n", intake=intake, form=form)

    assert list(hook.events(request(body))) == []
    assert (intake.read, intake.refused) == (1, {"too_many_records": 1})


def test_a_webhook_that_would_let_anybody_post_is_refused(tmp_path: Path) -> None:
    mapping_of(tmp_path, MAPPING)
    assert MAPPED_WEBHOOK.webhook is not None

    with pytest.raises(SettingsError, match=r"calls\.toml: a webhook needs a table \[verify\]: else anybody could"):
        MAPPED_WEBHOOK.webhook(
            MappedWebhookOptions(mapping=tmp_path / "calls.toml", key_file=tmp_path / "key"), Intake()
        )
    with pytest.raises(SettingsError, match=r"key is empty: put a secret into it"):
        webhook(tmp_path, KEY, secrets="")
