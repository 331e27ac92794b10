"""What a test on a whole topology leaves behind when it fails: what each of its workers has said, and when."""

from collections.abc import Generator

import pytest

SHOWN_CHARACTERS = 6_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the logs of the workers: on another machine nobody can look into them later."""
    report = yield
    topology = getattr(item, "funcargs", {}).get("topology")
    if report.failed and topology is not None:
        for number, worker in enumerate(topology.workers, 1):
            report.sections.append((f"log of worker {number}", worker.log[-SHOWN_CHARACTERS:]))
    return report
