"""Which version serves the page."""

import platform
from collections.abc import Iterator
from importlib.metadata import version

from stream.core.samples import Family, single
from stream.families.catalogue import metric

__all__ = ["build_families"]


def build_families() -> Iterator[Family]:
    """Yield `contact_build_info`."""
    yield from single(metric("contact_build_info"), [((version("contact-stream"), platform.python_version()), 1)])
