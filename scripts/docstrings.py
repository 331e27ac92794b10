"""The sentences below attributes: Python forgets them, pages and schemas need them."""

import ast
import inspect
from functools import cache
from types import ModuleType

__all__ = ["attribute_sentences"]


@cache
def attribute_sentences(module: ModuleType) -> dict[str, dict[str, str]]:
    """Return, by class and attribute, the docstrings that stand below attributes in *module*."""
    classes = [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef)]
    return {node.name: _sentences_in(node) for node in classes}


def _sentences_in(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(sentence))):
                found[name] = inspect.cleandoc(sentence)
            case _:
                pass
    return found
