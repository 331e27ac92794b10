"""The order of files among the processes that run the tests: so that none is left alone with a long one in the end."""

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

__all__ = ["LongFilesFirst"]


@pytest.hookimpl(trylast=True)  # after the shuffling, which it keeps but for this
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests, and of these with those that may take longest."""
    longest: dict[os.PathLike[str], float] = {}
    for item in items:
        longest[item.path] = max(longest.get(item.path, 0), _patience(item))
    items.sort(key=lambda item: -longest[item.path])


def _patience(item: pytest.Item) -> float:
    if item.get_closest_marker("slow") is None:
        return 0
    timeout = item.get_closest_marker("timeout")
    return float(timeout.args[0] if timeout else item.config.getini("timeout"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores: tests of several processes wait for one another now and then."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Take files as `LongFilesFirst` says, unless another way was asked for."""
    return LongFilesFirst(config, log) if config.getoption("dist") == "loadfile" else None


class LongFilesFirst(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """
    Files as a whole, in turn from the front and from the back of the order.

    A process has its next file before it is through with the last one. Behind a long file, which came from the front,
    waits a short one so.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # else those with the most tests begin, and these are short

    def _assign_work_unit(self, node: WorkerController) -> None:
        if len(self.assigned_work[node]) % 2:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)
