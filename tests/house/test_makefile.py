"""What the Makefile and CONTRIBUTING.md promise exists."""

import re
import subprocess

import pytest

from tests.house.tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
PAGES = ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/operations.md", "schemas/README.md"]


def test_help_lists_the_targets_that_have_a_sentence() -> None:
    said = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    listed = {line.split()[0] for line in said.splitlines()}

    assert {"demo", "test", "check", "fmt", "generate", "lock", "clean", "install"} <= listed <= TARGETS


def test_every_target_is_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)

    assert phony is not None
    assert set(phony[1].split()) == TARGETS


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_targets_that_exist(page: str) -> None:
    # Ours stand in back quotes or begin a line of a code block.
    named = set(re.findall(r"(?:`|^|&& )make ([a-z-]+)", (ROOT / page).read_text(), re.MULTILINE))

    assert named <= TARGETS


def test_every_pin_is_a_name_and_a_version() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]

    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
