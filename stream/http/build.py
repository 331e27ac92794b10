"""Which version serves the page."""

import platform
from collections.abc import Iterator
from importlib.metadata import version

from stream.core.metric import Kind, gauge
from stream.core.samples import MetricFamily, single

__all__ = ["BUILD_INFO", "build_families"]

BUILD_INFO = gauge(
    "contact_build_info",
    "info",
    ("version", "python"),
    "The version of contact-stream that serves this page, and of Python.",
    kind=Kind.INFO,
)


def build_families() -> Iterator[MetricFamily]:
    """Yield `contact_build_info`."""
    yield from single(BUILD_INFO, [((version("contact-stream"), platform.python_version()), 1)])
