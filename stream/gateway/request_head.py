"""What HTTP forbids in the head of a request and its parser lets through: where two readers could see two requests."""

import re
from collections.abc import Sequence
from typing import Final, Protocol

__all__ = ["fault_of_head"]

_ONCE: Final = frozenset({b"authorization", b"content-encoding", b"content-type"})
"""Of two of these a proxy may look at one, and we at the other."""

_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]*)?")


class _Parser(Protocol):
    """What is asked of httptools' parser."""

    def get_http_version(self) -> str: ...
    def should_upgrade(self) -> bool: ...


def fault_of_head(parser: _Parser, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Return what is wrong with a head, in a sentence that quotes nothing of it; None where nothing is."""
    hosts = [value for name, value in headers if name == b"host"]
    old = parser.get_http_version() != "1.1"
    # RFC 9112, 3.2: one and no more.
    if len(hosts) > 1 or not (hosts or old) or not all(map(_HOST.fullmatch, hosts)):
        return "A request has one header Host."
    if _names_another(target, hosts):
        return "The header Host is not that of the address."
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings and (old or [coding.strip().lower() for coding in codings] != [b"chunked"]):
        return "The only Transfer-Encoding is chunked."
    if parser.should_upgrade():
        return "No other protocol is spoken here: send it without Upgrade."
    names = [name for name, _ in headers if name in _ONCE]
    if len(names) > len(set(names)):
        return "A header stands there twice."
    return None


def _names_another(target: bytes, hosts: Sequence[bytes]) -> bool:
    """Tell whether the target is a whole address, of another host than the header tells."""
    if target.startswith(b"/") or target == b"*" or not hosts:
        return False
    authority = target.partition(b"://")[2].partition(b"/")[0].partition(b"?")[0]
    return authority.lower() != hosts[0].lower()
