"""Values that many rows name, as one object: a million rows are in a few queues, and would each keep their own."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Final, Protocol, TypeVar, cast

__all__ = ["shared"]

H = TypeVar("H", bound=Hashable)

_REMEMBERED: Final = 100_000


class _Share(Protocol):
    def __call__(self, value: H, /) -> H: ...


def _same(value: Hashable) -> Hashable:
    return value


shared: Final = cast("_Share", lru_cache(maxsize=_REMEMBERED)(_same))
"""Returns the one object that stands for all that are equal; more than these are forgotten, and found again."""
