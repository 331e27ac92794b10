"""Rules for every test: in CI nothing may skip, nothing may leave this machine, and an interrupt interrupts."""

import os
import signal
import socket
from collections.abc import Callable, Generator, Iterator

import pytest

__all__ = ["EXCUSED"]

Address = tuple[str | int, ...] | str | bytes
Connect = Callable[[socket.socket, Address], int | None]

EXCUSED = "../shared is missing"
"""How the reason of a skip begins that CI accepts: these tests read samples that the project does not ship."""

LOOPBACK = ("127.", "::1", "localhost")

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def pytest_configure() -> None:
    """Listen to SIGINT, also where a shell in the background (`nohup make test &`) has it ignored."""
    # An ignored signal is inherited: programs under test could not be interrupted, and tests would wait for ever.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def nothing_leaves_this_machine() -> Iterator[None]:
    """Refuse connections to any address but loopback, so that no test depends on a network."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(connect: Connect) -> Connect:
    def guarded(self: socket.socket, address: Address) -> int | None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test tried to connect to {address!r}: only loopback is allowed")
        return connect(self, address)

    return guarded


def _why_skipped(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """Return the reason of a skip, or None; an expected failure is no skip."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return None
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = _why_skipped(report)
    if IN_CI and reason is not None and not reason.startswith(EXCUSED):
        report.outcome = "failed"
        report.longrepr = f"In CI nothing may skip, and this did: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure."""
    report = yield
    _forbid_skip(report)
    return report
