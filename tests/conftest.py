"""What every test may use, and the rules that hold for all of them (`tests/house_rules.py`)."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.house_rules", "tests.brokers", "tests.databases", "tests.order", "tests.hanging"]

# Deadlines measure the machine, not the code. In CI the same examples come every time: a red run can be repeated.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
