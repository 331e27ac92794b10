"""How figures are written, in terminal and replay. `static/format.js` rounds the same; a test holds it to that.

Names come from outside: `printable` makes them safe for a terminal. A page needs no such thing.
"""

from datetime import datetime
from math import floor
from typing import Final
from unicodedata import category

__all__ = [
    "NO_SAMPLE",
    "amount",
    "change",
    "count",
    "duration",
    "elapsed",
    "level",
    "limit",
    "moment",
    "printable",
    "rate",
    "score",
    "share",
]

NO_SAMPLE = "–"
"""Stands where nothing was measured: not the same as 0."""

_MINUS: Final = "\N{MINUS SIGN}"

_MOST_DECIMALS: Final = 6

_EPSILON = 1e-9
"""0.29 x 100 is 28.999999999999996 in floating point, and must still be 29."""

_UNPRINTABLE: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
"""Unicode categories that move the cursor, turn or break the line, or have no glyph of their own."""


def elapsed(seconds: float | None) -> str:
    """Write a running wait: whole seconds that have passed. `0:41`, `12:05`, `1 h 02`, `2 d 03 h`."""
    if seconds is None:
        return NO_SAMPLE
    whole = max(0, floor(seconds + _EPSILON))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02}"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02} h"


def duration(seconds: float | None) -> str:
    """Write a mean length, rounded to the nearest second, as `elapsed` does."""
    # Half up, as `Math.round` of the page does; Python's `round` goes to the even number.
    return NO_SAMPLE if seconds is None else elapsed(floor(seconds + 0.5))


def limit(seconds: float) -> str:
    """Write a threshold the way people name it: `20 s`, `90 s`, and from two minutes on as a duration."""
    return f"{floor(seconds + 0.5)} s" if seconds < 120 else duration(seconds)


def level(ratio: float | None) -> str:
    """Write a service level in whole percent, rounded down: 79.9 % of a promised 80 % must not read as kept."""
    return NO_SAMPLE if ratio is None else f"{floor(ratio * 100 + _EPSILON)} %"


def share(ratio: float | None) -> str:
    """Write a ratio in percent: one decimal below 10 %, none above. Only nothing at all is `0 %`."""
    if ratio is None:
        return NO_SAMPLE
    if ratio == 0:
        return "0 %"
    tenths = max(1, floor(ratio * 1000 + 0.5))
    return f"{tenths / 10:.1f} %" if tenths < 100 else f"{floor(ratio * 100 + 0.5)} %"


def count(number: int | None) -> str:
    """Write a count; thousands apart by a thin space."""
    return NO_SAMPLE if number is None else f"{number:,}".replace(",", "\N{THIN SPACE}")


def score(number: float | None) -> str:
    """Write a mean score, or a difference of shares in points: one decimal, rounded half up."""
    return NO_SAMPLE if number is None else f"{floor(number * 10 + 0.5) / 10:.1f}"


def rate(number: float | None) -> str:
    """Write how often something happens, in the mean: two decimals, rounded half up."""
    return NO_SAMPLE if number is None else f"{floor(number * 100 + 0.5) / 100:.2f}"


def change(of: tuple[float, float] | None) -> str:
    """
    Write by how much something is more, or less, and the margin of error of that: `+0.31 ± 0.12`, `−0.031 ± 0.008`.

    Two decimals, and more until the smaller of both is not written as 0: what has changed must not read as nothing.
    """
    if of is None:
        return NO_SAMPLE
    more, margin = of
    smaller = min((size for size in (abs(more), margin) if size > 0), default=1.0)
    decimals = 2
    while decimals < _MOST_DECIMALS and smaller * 10**decimals < 1:
        decimals += 1
    difference, error = (
        f"{floor(size * 10**decimals + 0.5) / 10**decimals:.{decimals}f}" for size in (abs(more), margin)
    )
    return f"{'+' if more > 0 else _MINUS if more < 0 else ''}{difference} ± {error}"


def amount(number: float | None, currency: str = "") -> str:
    """Write money, rounded half up to whole units of its *currency*: `1 234 EUR`; thousands apart by a thin space."""
    return NO_SAMPLE if number is None else f"{count(floor(number + 0.5))} {currency}".rstrip()


def moment(at: datetime | None) -> str:
    """Write an instant that is days away at most, by the clock of this machine: `Mon 08:00`."""
    return NO_SAMPLE if at is None else f"{at.astimezone():%a %H:%M}"


def printable(text: str) -> str:
    """Return a name or text from outside as a terminal may show it: what could steer the terminal becomes U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if category(one) in _UNPRINTABLE else one for one in text)
