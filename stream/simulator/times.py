"""How long things take in a simulated centre, and when somebody is on duty; frozen, and checked when it is made."""

from datetime import timedelta
from typing import Final, Literal

from msgspec import Struct

from stream.errors import SettingsError

__all__ = ["DAY", "NOTHING", "Length", "Shift", "require", "require_shares"]

DAY: Final = timedelta(days=1)


def require(otherwise: str, *, that: bool) -> None:
    """Refuse a plan that cannot be. Raises SettingsError."""
    if not that:
        raise SettingsError(otherwise)


def require_shares(where: str, *shares: float) -> None:
    """Refuse shares that are none, or together more than all."""
    fits = min(shares, default=0.0) >= 0 and sum(shares) <= 1
    require(f"{where}: shares must lie between 0 and 1, and so must their sum", that=fits)


class Length(Struct, frozen=True):
    """How long something takes: a mean, and how single cases spread round it."""

    mean: timedelta
    shape: Literal["constant", "exponential", "lognormal"] = "lognormal"
    sigma: float = 0.6
    """Spread of a lognormal length; 0.6 puts the median at 84 % of the mean, as talk times are."""

    def __post_init__(self) -> None:
        require("a Length needs mean and sigma of at least 0", that=self.mean >= timedelta(0) and self.sigma >= 0)


NOTHING = Length(timedelta(0), "constant")
"""The length of what does not happen."""


class Shift(Struct, frozen=True, kw_only=True):
    """Hours of duty, each day; may run past midnight."""

    starts: timedelta
    lasts: timedelta

    def __post_init__(self) -> None:
        require("a Shift starts within the day", that=timedelta(0) <= self.starts < DAY)
        require("a Shift lasts less than a day: log in and out must not meet", that=timedelta(0) < self.lasts < DAY)
