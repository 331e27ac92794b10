"""How clients come to the brokers: with TLS, with a login, with both or with neither.

The value holds names of files, never what is in them: passwords are read when a client is made.
"""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, get_args
from urllib.parse import urlsplit

from msgspec import Struct

from stream.errors import SettingsError
from stream.security.secret_file import read_secret, variable
from stream.security.tokens import EndpointTokens, FileTokens, TokenEndpoint

__all__ = ["LOOPBACK", "PLAINTEXT", "KafkaSecurity", "SaslMechanism", "SecurityProtocol"]

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class KafkaSecurity(Struct, frozen=True, kw_only=True):
    """How brokers are reached and who asks; the default is that of Kafka: neither TLS nor a login."""

    security_protocol: SecurityProtocol = "PLAINTEXT"
    """How brokers are reached: with TLS (`SSL`), a login (`SASL_PLAINTEXT`), both (`SASL_SSL`) or neither."""
    ssl_ca_file: Path | None = None
    """PEM file of the authorities that may vouch for brokers; none: those that this system trusts."""
    ssl_certificate_file: Path | None = None
    """PEM file of the certificate that brokers are shown, where they ask for one; with its chain."""
    ssl_key_file: Path | None = None
    """PEM file of that certificate's key; none: it is in the same file."""
    ssl_key_password_file: Path | None = None
    """File with the password of that key, where it has one."""
    sasl_mechanism: SaslMechanism | None = None
    """How a login is proven. To be set with `SASL_PLAINTEXT` and `SASL_SSL`."""
    sasl_username: str = ""
    """Name of the login; with a token endpoint, the client id."""
    sasl_password_file: Path | None = None
    """File with the password of the login; with a token endpoint, the client's secret."""
    sasl_token_file: Path | None = None
    """`OAUTHBEARER`: file with a token that somebody else renews; it is read for each connection."""
    sasl_token_endpoint: str = ""
    """`OAUTHBEARER`: `https://` address that gives tokens for client id and secret (client credentials grant)."""
    sasl_token_scope: str = ""
    """The scope to ask for at the token endpoint, where it wants one."""
    sasl_extensions: str = ""
    """`OAUTHBEARER`: what a broker wants to be told beside the token, `name=value,…`."""

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other; raises SettingsError, which names each of them."""
        if mistakes := [*self._out_of_place(), *self._missing()]:
            raise SettingsError("\n".join(mistakes))

    @property
    def tls(self) -> bool:
        """Whether brokers are reached with TLS."""
        return self.security_protocol in {"SSL", "SASL_SSL"}

    @property
    def sasl(self) -> bool:
        """Whether brokers are told who asks by a login."""
        return self.security_protocol in {"SASL_PLAINTEXT", "SASL_SSL"}

    @property
    def principal(self) -> str:
        """Whom the brokers see, for a sentence about what they refuse."""
        if self.sasl and self.sasl_username:
            return f"user {self.sasl_username!r}"
        if self.tls and self.ssl_certificate_file:
            return f"the owner of the certificate {self.ssl_certificate_file}"
        return "the owner of the token" if self.sasl else "a client without a login"

    @property
    def files(self) -> list[Path]:
        """Every file that a client is made from."""
        return [file for name in self.__struct_fields__ if isinstance(file := getattr(self, name), Path)]

    def client_options(self) -> dict[str, Any]:
        """Return what each aiokafka client takes, with secrets as the files have them now; raises SettingsError."""
        if self.security_protocol == "PLAINTEXT":
            return {}
        options = self.without_login() | {"security_protocol": self.security_protocol}
        if self.sasl:
            options["sasl_mechanism"] = self.sasl_mechanism
            options |= self._token_options() if self.sasl_mechanism == "OAUTHBEARER" else self._password_options()
        return options

    def without_login(self) -> dict[str, Any]:
        """Return the same for a client that only speaks TLS, or not even that."""
        return {"security_protocol": "SSL", "ssl_context": self._ssl_context()} if self.tls else {}

    def _password_options(self) -> dict[str, Any]:
        return {"sasl_plain_username": self.sasl_username, "sasl_plain_password": self._secret("sasl_password_file")}

    def _token_options(self) -> dict[str, Any]:
        extensions = dict(_pairs(self.sasl_extensions))
        if self.sasl_token_file:
            self._secret("sasl_token_file")  # a mistake in the settings is to be told now, not at each connection
            return {"sasl_oauth_token_provider": FileTokens(self.sasl_token_file, extensions)}
        endpoint = TokenEndpoint(
            url=self.sasl_token_endpoint,
            client_id=self.sasl_username,
            client_secret=lambda: self._secret("sasl_password_file"),
            scope=self.sasl_token_scope,
            # An identity provider may be public while the brokers have an authority of their own: either may
            # vouch for it.
            trusted=lambda: _trusted(self.ssl_ca_file, also_system=True),
        )
        self._secret("sasl_password_file")
        return {"sasl_oauth_token_provider": EndpointTokens(endpoint, extensions)}

    def _secret(self, name: str) -> str:
        return read_secret(getattr(self, name), name)

    def _ssl_context(self) -> ssl.SSLContext:
        context = _trusted(self.ssl_ca_file)
        if self.ssl_certificate_file:
            password = (
                self._key_password if self.ssl_key_password_file is None else self._secret("ssl_key_password_file")
            )
            try:
                context.load_cert_chain(self.ssl_certificate_file, self.ssl_key_file, password)
            except (OSError, ValueError) as failure:  # SSLError is one; a password of more than 1024 bytes the other
                raise SettingsError(self._why_no_certificate(failure)) from None
        return context

    def _key_password(self) -> NoReturn:
        # Without this OpenSSL asks whoever sits at the terminal.
        raise SettingsError(
            f"{variable('ssl_key_password_file')} is missing: the key in "
            f"{self.ssl_key_file or self.ssl_certificate_file} has a password"
        )

    def _why_no_certificate(self, failure: OSError | ValueError) -> str:
        certificate, key = variable("ssl_certificate_file"), variable("ssl_key_file")
        where = f"{self.ssl_certificate_file}" + (f" and {self.ssl_key_file}" if self.ssl_key_file else "")
        if isinstance(failure, OSError) and not isinstance(failure, ssl.SSLError):
            return f"{certificate}, {key}: {where} cannot be read: {failure.strerror}"
        if isinstance(failure, ssl.SSLError) and failure.reason == "KEY_VALUES_MISMATCH":
            return f"{key}: the key does not belong to the certificate in {self.ssl_certificate_file}"
        if self.ssl_key_password_file:
            return f"{variable('ssl_key_password_file')}: it does not open {where}, or that is no key in PEM format"
        return f"{certificate}, {key}: {where}: no certificate with its key in PEM format; convert a .jks or .p12 file"

    def _out_of_place(self) -> Iterator[str]:
        """Yield a sentence for each setting that would have no effect: whoever set it expects one."""
        oauth = self.sasl_mechanism == "OAUTHBEARER"
        wants = {
            "ssl_": (self.tls, f"{variable('security_protocol')} to SSL or SASL_SSL"),
            "sasl_": (self.sasl, f"{variable('security_protocol')} to SASL_SSL or SASL_PLAINTEXT"),
            "sasl_token_": (oauth, f"{variable('sasl_mechanism')} to OAUTHBEARER"),
            "sasl_extensions": (oauth, f"{variable('sasl_mechanism')} to OAUTHBEARER"),
            "ssl_key_": (self.ssl_certificate_file is not None, variable("ssl_certificate_file")),
            "sasl_token_scope": (bool(self.sasl_token_endpoint), variable("sasl_token_endpoint")),
        }
        for name in self.__struct_fields__:
            for prefix, (fulfilled, needed) in wants.items():
                if name.startswith(prefix) and getattr(self, name) and not fulfilled:
                    yield f"{variable(name)} has no effect so: set {needed}, or leave it out"
                    break

    def _missing(self) -> Iterator[str]:
        if not self.sasl:
            return
        match self.sasl_mechanism:
            case None:
                yield f"{variable('sasl_mechanism')} is missing: set it to {' or '.join(get_args(SaslMechanism))}"
            case "OAUTHBEARER":
                yield from self._missing_for_a_token()
            case _:
                yield from self._missing_for_a_password()

    def _missing_for_a_password(self) -> Iterator[str]:
        for name in ("sasl_username", "sasl_password_file"):
            if not getattr(self, name):
                yield f"{variable(name)} is missing: {self.sasl_mechanism} needs it"

    def _missing_for_a_token(self) -> Iterator[str]:
        file, endpoint = variable("sasl_token_file"), variable("sasl_token_endpoint")
        if bool(self.sasl_token_file) == bool(self.sasl_token_endpoint):
            yield f"set {file} or {endpoint}, not both: OAUTHBEARER needs a token"
        elif self.sasl_token_file:
            for name in ("sasl_username", "sasl_password_file"):
                if getattr(self, name):
                    yield f"{variable(name)} has no effect so: the token says who asks; leave it out"
        else:
            yield from self._missing_for_a_password()
            if not _is_safe(self.sasl_token_endpoint):
                yield f"{endpoint} must begin with https://, and have no login in it: a secret is sent there"
        if not all(name and value for name, value in _pairs(self.sasl_extensions)):
            yield f"{variable('sasl_extensions')} must be name=value, with commas between several"


PLAINTEXT: Final = KafkaSecurity()
"""Neither TLS nor a login: for brokers in a network of their own."""


def _trusted(ca_file: Path | None, *, also_system: bool = False) -> ssl.SSLContext:
    """Return a context that trusts the authorities in *ca_file*; those of the system where there is none."""
    try:
        context = ssl.create_default_context(cafile=None if also_system else ca_file)
        if also_system and ca_file:
            context.load_verify_locations(ca_file)
    except OSError as failure:
        what = "no certificates in PEM format" if isinstance(failure, ssl.SSLError) else failure.strerror
        raise SettingsError(f"{variable('ssl_ca_file')}: {ca_file}: {what}") from None
    return context


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    # A login in it would be in whatever says that nobody answers there.
    if not parts.hostname or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = pair.partition("=")
        yield name.strip(), value.strip()
