"""Under which address other workers reach this one: the group carries it from member to member."""

import socket
from contextlib import suppress
from ipaddress import ip_address

from yarl import URL

from stream.errors import SettingsError

__all__ = ["advertised_address", "plain_url"]


def advertised_address(listening: str, advertised: str, brokers: str) -> str:
    """
    Return `http://host:port` for a worker that listens on *listening*, an address of the same form.

    *advertised*, the setting, wins. A worker that listens on all addresses of its machine is reached, failing
    that, on the one from which it reaches its brokers: that network the others are on as well. May ask a name
    server; raises SettingsError for what is no address.
    """
    bound = URL(listening)
    if advertised:
        url = plain_url(advertised)
        return str(url if url.explicit_port else url.with_port(bound.port))
    if bound.host is not None and ip_address(bound.host).is_unspecified:
        return str(bound.with_host(_host_towards(brokers.split(",", maxsplit=1)[0])))
    return listening


def plain_url(advertised: str) -> URL:
    """Return `http://host[:port]` for `host[:port]`; raises SettingsError for anything else."""
    with suppress(ValueError):
        url = URL(f"http://{advertised}")
        if url.host and url.raw_authority == advertised and url == url.origin():
            return url
    raise SettingsError("CONTACT_STREAM_HTTP_ADVERTISED: expected host, or host:port")


def _host_towards(broker: str) -> str:
    """Return the address of this machine on the way to a broker; the machine's name where there is none."""
    host, _, port = broker.strip().rpartition(":")
    with suppress(OSError):
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
        family, kind, protocol, _, target = found[0]
        with socket.socket(family, kind, protocol) as towards:
            towards.connect(target)  # sends nothing: the system only looks up the way
            return str(towards.getsockname()[0])
    return socket.gethostname()
