"""What the doctor finds: about what, how it is, and what to do."""

from datetime import timedelta
from typing import Literal

from msgspec import Struct

__all__ = ["Finding", "Verdict", "bad", "good", "in_short", "look"]

Verdict = Literal["good", "look", "bad"]
"""`look` may be as it should be, and somebody should know; `bad` makes figures wrong, old or missing."""


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    about: str
    verdict: Verdict
    said: str
    """A sentence about how it is."""
    advice: str = ""
    """What to do; empty where nothing is to be done."""


def good(about: str, said: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding(about, "good", said)


def look(about: str, said: str, advice: str = "") -> Finding:
    """Return a finding that somebody should know of."""
    return Finding(about, "look", said, advice)


def bad(about: str, said: str, advice: str) -> Finding:
    """Return a finding that somebody has to mend."""
    return Finding(about, "bad", said, advice)


def in_short(length: timedelta) -> str:
    """Return a length as people say it: `7 s`, `12 min`, `3 h`, `5 days`."""
    seconds = length.total_seconds()
    for least, unit in ((172_800, "days"), (5_400, "h"), (120, "min")):
        if seconds >= least:
            return f"{seconds / {'days': 86_400, 'h': 3_600, 'min': 60}[unit]:.0f} {unit}"
    return f"{seconds:.0f} s"
