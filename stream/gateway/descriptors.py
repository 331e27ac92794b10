"""How many connections a process may have open: the system's limit of files holds for them, too."""

import sys
from typing import Final

__all__ = ["room_for_connections"]

OTHER_FILES: Final = 1200
"""What is open besides: the spool, the log, connections to brokers, and those that come in before others are closed."""


def room_for_connections(wanted: int) -> int:
    """
    Return how many of the *wanted* connections there is room for, after the limit was raised as far as is allowed.

    At the limit nothing else could be opened either: no file of keys read, no broker reached.
    """
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted + OTHER_FILES:
        most = wanted + OTHER_FILES
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, max(soft - OTHER_FILES, soft // 2))
