"""Rules about the shape of the code that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import code_lines, functions_of, modules_of, name_of, parsed

MODULES = modules_of("stream")
ROOMS = [path for path in MODULES if path.name not in {"__init__.py", "__main__.py"}]
# The command line is wired in its own: that is the code of the package.
PACKAGES = [path for path in MODULES if path.name == "__init__.py" and path.parent.name != "cli"]
PROGRAM = modules_of("stream", "scripts", "bench")
TESTS = modules_of("tests")

LONGEST_FUNCTION = 40
LONGEST_MODULE = 350
MAY_READ_THE_ENVIRONMENT = ("stream/cli/", "stream/__main__.py")
SAYS_NOTHING = re.compile(r"utils?|helpers?|misc|common|.*manager|.*handlers?|process_data")
"""File names that do not tell what the file knows."""


@pytest.mark.parametrize("path", [*PROGRAM, *TESTS], ids=name_of)
def test_no_function_is_longer_than_a_screen(path: Path) -> None:
    lines = {function.name: code_lines(function) for function in functions_of(parsed(path))}

    assert {name: count for name, count in lines.items() if count > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", PROGRAM, ids=name_of)
def test_no_module_outgrows_its_room(path: Path) -> None:
    assert code_lines(parsed(path)) <= LONGEST_MODULE, "is there a wall missing?"


@pytest.mark.parametrize("path", ROOMS, ids=name_of)
def test_a_module_opens_with_what_it_knows(path: Path) -> None:
    assert ast.get_docstring(parsed(path)), "one to five lines: what it knows, what it refuses to know"


@pytest.mark.parametrize("path", ROOMS, ids=name_of)
def test_a_module_says_what_it_offers(path: Path) -> None:
    assigned = [target for node in parsed(path).body if isinstance(node, ast.Assign) for target in node.targets]

    assert "__all__" in {ast.unparse(target) for target in assigned}


@pytest.mark.parametrize("path", PACKAGES, ids=name_of)
def test_a_package_has_no_code_of_its_own(path: Path) -> None:
    kinds = {type(node) for node in parsed(path).body}

    assert kinds <= {ast.Expr, ast.Import, ast.ImportFrom, ast.Assign}, "a docstring, imports and __all__ at most"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_command_line_reads_arguments_and_environment(path: Path) -> None:
    reads = {ast.unparse(node) for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}

    assert name_of(path).startswith(MAY_READ_THE_ENVIRONMENT) or not reads & {"os.environ", "os.getenv", "sys.argv"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_is_named_by_what_it_knows(path: Path) -> None:
    assert not SAYS_NOTHING.fullmatch(path.stem)
