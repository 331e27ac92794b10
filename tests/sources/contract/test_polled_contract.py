"""What every source must do that asks a system which keeps things, tried on systems in memory."""

import pytest

from tests.sources.contract.kept import PolledSystem
from tests.sources.contract.polled import POLLED
from tests.sources.contract.polled_contract import OutageContract


class TestPolledSystem(OutageContract):
    """Each of the registry; real servers are tried in the folders of their sources."""

    @pytest.fixture(params=[*POLLED.values()], ids=[*POLLED])
    def system(self, request: pytest.FixtureRequest) -> PolledSystem:
        found: PolledSystem = request.param
        return found
