"""Every family of the product, and one more."""

from typing import Any, Final

from stream.core.family import Family
from stream.families import registry
from tests.toy import family as toy

FAMILIES: Final[tuple[Family[Any], ...]] = (
    *registry.FAMILIES,
    toy.FAMILY,
)
