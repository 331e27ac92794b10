"""Public holidays of countries and their parts, by the `holidays` library (https://pypi.org/project/holidays)."""

from datetime import date
from functools import lru_cache

__all__ = ["public_holidays"]


@lru_cache(maxsize=4096)
def public_holidays(region: str, year: int) -> frozenset[date]:
    """
    Return the days of a year on which a region rests, days in lieu included.

    A region is a country by ISO 3166-1 (`SI`), or a part of it by ISO 3166-2 (`DE-BY`); ValueError for any other.
    """
    # Here, not above: it takes 25 MB, and most installations have hours without holidays.
    from holidays import country_holidays

    country, _, part = region.partition("-")
    try:
        return frozenset(country_holidays(country, subdiv=part or None, years=year))
    except NotImplementedError:  # how the library says that it knows no such country or part
        raise ValueError(f"no public holidays are known of {region}") from None
