"""Money as shops write it: as texts with decimals, or as whole numbers of the smallest unit that a currency has."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Final, Literal

from msgspec import Meta

__all__ = ["Interval", "MoneyText", "Quantity", "SmallestUnits", "money_in", "money_of", "money_sum", "months_in"]

MoneyText = Annotated[str, Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,6})?\Z")]
"""In the main unit, such as `12.34`."""

SmallestUnits = Annotated[int, Meta(ge=0, le=10**12)]
"""Such as cents."""

Quantity = Annotated[int, Meta(ge=0, le=1_000_000)]

Interval = Literal["day", "week", "month", "year"]
"""After which something is paid again."""

_MONTHS_IN: Final[dict[Interval, Decimal]] = {
    "day": Decimal(12) / 365,
    "week": Decimal(84) / 365,
    "month": Decimal(1),
    "year": Decimal(12),
}

_WITHOUT_DECIMALS: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_WITH_THREE: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def money_in(text: str) -> float:
    """Return the amount of a `MoneyText`."""
    return float(text)


def money_sum(parts: Iterable[tuple[str, int]]) -> float:
    """Return what all parts come to, each a `MoneyText` and how often it counts."""
    return float(sum((Decimal(text) * times for text, times in parts), Decimal(0)))


def months_in(interval: Interval, times: int) -> Decimal:
    """Return how many months several intervals are."""
    return _MONTHS_IN[interval] * times


def money_of(units: int | Decimal, currency: str) -> float:
    """Return the amount in the main unit of *currency*, by ISO 4217; what has decimals by Stripe's table of them."""
    decimals = 0 if currency in _WITHOUT_DECIMALS else 3 if currency in _WITH_THREE else 2
    return float(Decimal(units).scaleb(-decimals))
