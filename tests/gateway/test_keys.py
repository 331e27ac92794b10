"""Who may post, and of what: keys in a file that holds none."""

import logging
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.cli import group
from stream.core.cloudevents import encode
from stream.errors import SettingsError
from stream.gateway.keys import KeyFile, SourceKey, new_key
from stream.security import watched_file
from tests.gateway.posting import an_event, batch, figures, running_gateway


def written(path: Path, **sources: tuple[str, str]) -> Path:
    """Write a file of keys: of each source its digest and further lines."""
    new = path.with_suffix(".new")
    new.write_text(
        "".join(f'[keys.{name}]\ndigests = ["{digest}"]\n{more}\n' for name, (digest, more) in sources.items())
    )
    new.replace(path)
    return path


def test_a_key_opens_what_its_digest_stands_for_and_no_other_does(tmp_path: Path) -> None:
    (one, digest), (other, _) = new_key("pbx"), new_key("pbx")
    found = KeyFile(written(tmp_path / "keys.toml", pbx=(digest, 'tenants = ["acme"]')))

    assert found.source_of(one) == ("pbx", SourceKey(digests=(digest,), tenants=("acme",)))
    for wrong in (other, one[:-1], one + "A", one.replace("pbx", "pby"), "", "pbx", "pbx.", one.upper(), "x" * 100_000):
        assert found.source_of(wrong) is None


def test_a_digest_does_not_hold_the_key() -> None:
    key, digest = new_key("pbx")

    assert key.partition(".")[2] not in digest


def test_two_keys_are_good_while_one_replaces_the_other(tmp_path: Path) -> None:
    (old, first), (new, second) = new_key("pbx"), new_key("pbx")
    found = KeyFile(written(tmp_path / "keys.toml", pbx=(f'{first}", "{second}', "")))

    assert found.source_of(old)
    assert found.source_of(new)


def test_a_changed_file_is_read_again_and_a_broken_one_locks_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watched_file, "CHECKED_EVERY_SECONDS", 0)
    (old, first), (new, second) = new_key("pbx"), new_key("pbx")
    path = written(tmp_path / "keys.toml", pbx=(first, ""))
    found = KeyFile(path)
    written(path, pbx=(second, ""))
    assert (found.source_of(old), found.source_of(new) is None) == (None, False)

    path.write_text("[keys.pbx]\ndigests = [" + old)
    assert found.source_of(new)
    assert "stays good" in caplog.text
    assert old not in caplog.text

    path.unlink()
    assert found.source_of(new)


@pytest.mark.parametrize(
    "text", ["", "keys = 1", "[keys.pbx]\ndigests = []", '[keys."a b"]\ndigests = []', "[keys.x]\n"]
)
def test_a_file_that_is_none_is_refused_at_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=str(path)):
        KeyFile(path)


def test_a_key_in_the_place_of_its_digest_is_refused_without_being_shown(tmp_path: Path) -> None:
    key, _ = new_key("pbx")

    with pytest.raises(SettingsError) as refused:
        KeyFile(written(tmp_path / "keys.toml", pbx=(key, "")))

    assert key not in str(refused.value)
    assert "gateway-key pbx" in str(refused.value)


def test_a_name_that_could_not_stand_in_a_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="no name of a source"):
        new_key("a.b")


def test_the_command_makes_a_key_and_its_entry(tmp_path: Path) -> None:
    result = CliRunner().invoke(group, ["gateway-key", "pbx-berlin"])
    key = result.stderr.split()[-1]
    path = tmp_path / "keys.toml"
    path.write_text(result.stdout)

    assert tomllib.loads(result.stdout)["keys"]["pbx-berlin"]["tenants"] == ["default"]
    assert KeyFile(path).source_of(key)


async def test_without_a_good_key_nothing_is_accepted_and_all_wrong_ones_are_answered_alike(
    declared: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key, digest = new_key("pbx")
    wrong, _ = new_key("pbx")
    path = written(tmp_path / "keys.toml", pbx=(digest, ""))
    async with running_gateway(declared, gateway_keys=path) as posts:
        body = encode(an_event())
        answers = [
            await posts(body),
            await posts(body, authorization="Bearer"),
            await posts(body, authorization=f"Bearer {wrong}"),
            await posts(body, authorization=f"Bearer nobody.{'x' * 43}"),
            await posts(body, authorization=f"Basic {key}"),
        ]
        assert [status for status, _ in answers] == [401] * 5
        assert all(answer == answers[0] for answer in answers)
        assert (await posts(body, authorization=f"Bearer {key}"))[0] == 202
        page = (await posts.get("/metrics"))[1]

    secret = key.partition(".")[2]
    assert secret not in page
    assert secret not in caplog.text
    assert wrong.partition(".")[2] not in caplog.text


async def test_a_source_posts_only_what_it_is_for(declared: str, tmp_path: Path) -> None:
    key, digest = new_key("pbx")
    scope = 'tenants = ["acme"]\ntypes = ["contact.enq*"]'
    path = written(tmp_path / "keys.toml", pbx=(digest, scope))
    async with running_gateway(declared, key=key, gateway_keys=path) as posts:
        assert (await posts(encode(an_event())))[0] == 202
        other_tenant = await posts(batch([an_event(), an_event(tenant="umbrella")]), "batch")
        other_type = await posts(encode(an_event()).replace(b"contact.enqueued", b"contact.ended"))
        told = await figures(posts)

    assert (other_tenant[0], other_tenant[1]["refused"][0]["index"]) == (403, 1)
    assert other_type[0] == 403
    assert told["contact_gateway_events_refused_total", (("reason", "out_of_scope"), ("source", "pbx"))] == 2
    assert told["contact_gateway_events_accepted_total", (("source", "pbx"),)] == 1


async def test_who_posts_too_fast_is_told_when_to_come_again(declared: str, tmp_path: Path) -> None:
    key, digest = new_key("pbx")
    path = written(tmp_path / "keys.toml", pbx=(digest, "events_per_second = 2"))
    async with running_gateway(declared, key=key, gateway_keys=path) as posts:
        first = await posts(batch(an_event(f"caller-{number}") for number in range(100)), "batch")
        second = await posts(encode(an_event()))

    assert first[0] == 202
    assert (second[0], second[1]["reason"]) == (429, "too_fast")
    assert 30 <= int(second[1]["retry_after"]) <= 41


async def test_where_anybody_could_reach_it_a_gateway_without_keys_does_not_start() -> None:
    with pytest.raises(SettingsError, match="gateway-key"):
        async with running_gateway(gateway_host="0.0.0.0"):
            pass
