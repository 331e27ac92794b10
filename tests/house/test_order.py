"""Which file is begun when, tried on a small run of pytest with one process."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FILES = {
    "quick": "",
    "quicker": "",
    "slow": "@pytest.mark.slow",
    "slowest": "@pytest.mark.slow\n@pytest.mark.timeout(300)",
    "waits": "@pytest.mark.timeout(300)",
}


def test_slow_files_begin_first_and_behind_each_waits_one_that_is_quick(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[1] / "order.py", tmp_path)
    (tmp_path / "conftest.py").write_text("pytest_plugins = 'order'")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\nmarkers = slow\ntimeout = 120\n")
    for name, marks in FILES.items():
        (tmp_path / f"test_{name}.py").write_text(f"import pytest\n{marks}\ndef test_it(): ...\n")

    command = [sys.executable, "-m", "pytest", "-v", "-n", "1", "--dist", "loadfile", "-p", "no:randomly"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)

    assert re.findall(r"PASSED test_(\w+)\.py", run.stdout) == ["slowest", "waits", "slow", "quicker", "quick"]
