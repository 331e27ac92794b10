"""The source tree as the house tests see it."""

import ast
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ROOT", "code_lines", "functions_of", "modules_of", "name_of", "parsed"]

ROOT = Path(__file__).parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules_of(*folders: str) -> list[Path]:
    """Every Python file in *folders* of the project."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """Path below the root: the id of a parametrised test."""
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    """The module's syntax tree."""
    return ast.parse(path.read_text(), filename=str(path))


def functions_of(module: ast.Module) -> Iterator[Function]:
    """Every function and method, inner ones too."""
    return (node for node in ast.walk(module) if isinstance(node, Function))


def code_lines(node: ast.Module | Function) -> int:
    """Lines of a function or module, those of docstrings (also of attributes) not counted."""
    if not node.body:
        return 0
    return _lines(node.body[0], node.body[-1]) - sum(_docstring_lines(inner) for inner in ast.walk(node))


def _lines(first: ast.stmt, last: ast.stmt) -> int:
    return (last.end_lineno or last.lineno) - first.lineno + 1


def _docstring_lines(node: ast.AST) -> int:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return _lines(node, node)
    return 0
