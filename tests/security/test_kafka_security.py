"""Settings of TLS and logins: contradictions are named, files are read late, and no secret is in the value."""

from pathlib import Path
from typing import Any

import pytest

from stream.errors import SettingsError
from stream.runtime.kafka.secrets_in_use import SecretsInUse
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity
from stream.settings import Settings, broker_of, settings_from
from tests.security.certificates import Certificates

SECRET = "correct horse battery staple"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\r\n")
    return file


def login(password_file: Path, **changes: Any) -> KafkaSecurity:
    given = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_username": "worker"}
    return KafkaSecurity(**(given | {"sasl_password_file": password_file} | changes))


def test_without_settings_clients_are_made_as_they_always_were() -> None:
    assert KafkaSecurity() == PLAINTEXT
    assert PLAINTEXT.client_options() == {}
    assert settings_from({}).security == PLAINTEXT


def test_variables_have_the_names_of_kafkas_own_settings(password_file: Path) -> None:
    settings = settings_from(
        {
            "CONTACT_STREAM_BROKER": "kafka:9093",
            "CONTACT_STREAM_SECURITY_PROTOCOL": "sasl_plaintext",
            "CONTACT_STREAM_SASL_MECHANISM": "scram-sha-512",
            "CONTACT_STREAM_SASL_USERNAME": "worker",
            "CONTACT_STREAM_SASL_PASSWORD_FILE": str(password_file),
        }
    )

    assert settings.broker == "kafka:9093"
    assert settings.security.client_options() == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "worker",
        "sasl_plain_password": SECRET,
    }


def test_a_password_in_the_environment_is_refused_without_being_quoted() -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from({"CONTACT_STREAM_SASL_PASSWORD": SECRET})

    said = "CONTACT_STREAM_SASL_PASSWORD is no setting; did you mean CONTACT_STREAM_SASL_PASSWORD_FILE?"
    assert str(caught.value) == said


def test_no_secret_is_in_the_value_or_in_what_is_told_of_it(password_file: Path) -> None:
    security = login(password_file)
    security.client_options()

    assert SECRET not in repr(security) + repr(Settings(broker="kafka:9092", security=security)) + security.principal


FILE = Path("/run/secrets/file")

CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "TLS files without TLS": (
        {"ssl_ca_file": FILE},
        (
            "CONTACT_STREAM_SSL_CA_FILE has no effect so: set CONTACT_STREAM_SECURITY_PROTOCOL to SSL or SASL_SSL, "
            "or leave it out"
        ),
    ),
    "a login without SASL": (
        {"security_protocol": "SSL", "sasl_username": "worker"},
        (
            "CONTACT_STREAM_SASL_USERNAME has no effect so: set CONTACT_STREAM_SECURITY_PROTOCOL to SASL_SSL or "
            "SASL_PLAINTEXT, or leave it out"
        ),
    ),
    "a key without its certificate": (
        {"security_protocol": "SSL", "ssl_key_file": FILE},
        "CONTACT_STREAM_SSL_KEY_FILE has no effect so: set CONTACT_STREAM_SSL_CERTIFICATE_FILE, or leave it out",
    ),
    "no mechanism": (
        {"security_protocol": "SASL_SSL", "sasl_username": "worker", "sasl_password_file": FILE},
        "CONTACT_STREAM_SASL_MECHANISM is missing: set it to PLAIN or SCRAM-SHA-256 or SCRAM-SHA-512 or OAUTHBEARER",
    ),
    "no password": (
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "sasl_username": "worker"},
        "CONTACT_STREAM_SASL_PASSWORD_FILE is missing: PLAIN needs it",
    ),
    "neither user nor password": (
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-256"},
        (
            "CONTACT_STREAM_SASL_USERNAME is missing: SCRAM-SHA-256 needs it\n"
            "CONTACT_STREAM_SASL_PASSWORD_FILE is missing: SCRAM-SHA-256 needs it"
        ),
    ),
    "a token beside a password": (
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "PLAIN",
            "sasl_username": "worker",
            "sasl_password_file": FILE,
            "sasl_token_file": FILE,
        },
        (
            "CONTACT_STREAM_SASL_TOKEN_FILE has no effect so: set CONTACT_STREAM_SASL_MECHANISM to OAUTHBEARER, "
            "or leave it out"
        ),
    ),
    "no token": (
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER"},
        "set CONTACT_STREAM_SASL_TOKEN_FILE or CONTACT_STREAM_SASL_TOKEN_ENDPOINT, not both: OAUTHBEARER needs a token",
    ),
    "a user beside a token": (
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_token_file": FILE,
            "sasl_username": "worker",
        },
        "CONTACT_STREAM_SASL_USERNAME has no effect so: the token says who asks; leave it out",
    ),
    "a secret that would be sent in clear": (
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_username": "worker",
            "sasl_password_file": FILE,
            "sasl_token_endpoint": "http://login.example.org/token",
        },
        "CONTACT_STREAM_SASL_TOKEN_ENDPOINT must begin with https://, and have no login in it: a secret is sent there",
    ),
    "extensions that are none": (
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_token_file": FILE,
            "sasl_extensions": "logicalCluster",
        },
        "CONTACT_STREAM_SASL_EXTENSIONS must be name=value, with commas between several",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_names_the_variable_and_what_to_do(case: str) -> None:
    given, said = CONTRADICTIONS[case]

    with pytest.raises(SettingsError) as caught:
        KafkaSecurity(**given)

    assert str(caught.value) == said


def test_the_embedded_broker_takes_neither_tls_nor_logins() -> None:
    settings = Settings(security=KafkaSecurity(security_protocol="SSL"))

    with pytest.raises(
        SettingsError, match=r"^CONTACT_STREAM_BROKER: the embedded broker knows neither TLS nor logins"
    ):
        broker_of(settings)


def tls(certificates: Certificates, **files: Path) -> KafkaSecurity:
    given: dict[str, Any] = {"security_protocol": "SSL", "ssl_ca_file": certificates.authority}
    return KafkaSecurity(**(given | files))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\n", "is empty"),
        (b"\xff\xfe" + SECRET.encode(), "is not UTF-8"),
    ],
)
def test_a_secret_that_cannot_be_read_is_named_and_not_quoted(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingsError) as caught:
        login(file).client_options()

    assert str(caught.value) == f"CONTACT_STREAM_SASL_PASSWORD_FILE: {file} {said}"


def test_a_pem_file_that_cannot_be_used_is_named(tmp_path: Path, certificates: Certificates) -> None:
    missing, nonsense = tmp_path / "missing", tmp_path / "nonsense"
    nonsense.write_text("nonsense")
    for files, said in (
        ({"ssl_ca_file": missing}, "CONTACT_STREAM_SSL_CA_FILE: .*missing: No such file or directory"),
        ({"ssl_ca_file": nonsense}, "CONTACT_STREAM_SSL_CA_FILE: .*nonsense: no certificates in PEM format"),
        (
            {"ssl_certificate_file": missing},
            "CONTACT_STREAM_SSL_CERTIFICATE_FILE, .*missing cannot be read: No such .*",
        ),
        ({"ssl_certificate_file": nonsense}, "CONTACT_STREAM_SSL_CERTIFICATE_FILE, .*; convert a .jks or .p12 file"),
    ):
        with pytest.raises(SettingsError, match=f"^{said}$"):
            tls(certificates, **files).client_options()


def test_a_key_that_does_not_open_or_belong_is_named(
    tmp_path: Path, certificates: Certificates, password_file: Path
) -> None:
    certificate, key = certificates.issue("worker", password=SECRET)
    _, of_another = certificates.issue("another")
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    for files, said in (
        (
            {"ssl_key_file": key},
            "CONTACT_STREAM_SSL_KEY_PASSWORD_FILE is missing: the key in .*worker.key has a password",
        ),
        (
            {"ssl_key_file": key, "ssl_key_password_file": wrong},
            "CONTACT_STREAM_SSL_KEY_PASSWORD_FILE: it does not open .*, or that is no key in PEM format",
        ),
        ({"ssl_key_file": of_another}, "CONTACT_STREAM_SSL_KEY_FILE: the key does not belong to the certificate in .*"),
    ):
        with pytest.raises(SettingsError, match=f"^{said}$"):
            tls(certificates, ssl_certificate_file=certificate, **files).client_options()
    right = tls(certificates, ssl_certificate_file=certificate, ssl_key_file=key, ssl_key_password_file=password_file)
    assert right.client_options()["ssl_context"]


class Client:
    """What is set of an aiokafka client."""

    _security_protocol = "PLAINTEXT"
    _sasl_plain_password = ""


def test_a_changed_file_is_read_again_and_one_that_cannot_be_used_changes_nothing(
    password_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    secrets = SecretsInUse(login(password_file))
    secrets.hand_to(client)
    found = [client._sasl_plain_password]
    for content in ("the next one", None, "", "the last one"):
        if content is None:
            password_file.unlink()
        else:
            password_file.write_text(content)
        secrets.renew(client)
        found.append(client._sasl_plain_password)

    assert found == [SECRET, "the next one", "the next one", "the next one", "the last one"]
    assert (
        caplog.text.count("Changed secrets cannot be used, those of before stay in use: CONTACT_STREAM_SASL_PASS") == 2
    )
    assert "the next one" not in caplog.text
