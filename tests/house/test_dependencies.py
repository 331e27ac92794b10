"""What `pyproject.toml` asks for: each dependency for a reason, and none that may change under our hands."""

import ast
import re
import tomllib
from importlib.metadata import packages_distributions

from tests.house.tree import ROOT, modules_of, parsed

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

IMPORTED_BY_NAME = {"tzdata", "httptools"}
"""Used without being imported here: `zoneinfo` finds the one, uvicorn the other."""


def distribution_of(requirement: str) -> str:
    return normal(re.split(r"[^A-Za-z0-9._-]", requirement)[0])


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_modules(*folders: str) -> set[str]:
    names = set()
    for path in modules_of(*folders):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names


def test_whoever_installs_the_product_gets_nothing_that_only_tests_and_scripts_use() -> None:
    distributions = packages_distributions()
    used = {normal(name) for module in imported_modules("stream") for name in distributions.get(module, ())}

    assert {distribution_of(wanted) for wanted in PROJECT["dependencies"]} - used == IMPORTED_BY_NAME
