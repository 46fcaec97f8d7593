"""What the tree of an expression may hold, and which tags it names. Pure.

A kind of node that is not listed is refused, whatever it would do, and when the configuration is loaded: simpleeval
looks at a node no sooner than when it evaluates it.
"""

import ast
from math import inf

from gateway.tags.computed.evaluator import ARITHMETIC, COMPARISONS, FUNCTIONS, OPERATORS

MOST_PARTS = 250
"""Names, numbers, operators and calls."""
DEEPEST = 30
"""Levels of nesting."""
LONGEST_TEXT = 64
"""Characters of a text in quotes."""
LARGEST = 2**64

_QUOTED = 'tag("device.tag")'


class ExpressionError(ValueError):
    """What is wrong with an expression, and where; one line."""


class Reader(ast.NodeTransformer):
    """Checks a tree, and makes one name of each `device.tag` in it, so that no attribute is left to be taken."""

    def __init__(self, text: str) -> None:
        self.inputs: dict[str, None] = {}
        """The tags that were named, each once, in the order of their first mention."""
        self._text = text
        self._parts = self._depth = 0

    def visit(self, node: ast.AST) -> ast.AST:
        # An operator is checked together with its operands.
        return self.read(node) if isinstance(node, ast.expr) else node

    def read(self, node: ast.expr) -> ast.expr:
        """Return the tree to evaluate. Raises ExpressionError."""
        self._parts += 1
        self._depth += 1
        if self._depth > DEEPEST or self._parts > MOST_PARTS:
            limits = f"{MOST_PARTS} parts or {DEEPEST} levels"
            raise ExpressionError(f"it has more than {limits}; make computed tags of its parts")
        known = self._check(node)
        self._depth -= 1
        return known

    def _check(self, node: ast.expr) -> ast.expr:
        shown, place = self._shown(node), f" (character {node.col_offset + 1})"
        match node:
            case ast.Name(id="true" | "false"):
                return ast.Constant(node.id == "true")
            case ast.Attribute(value=ast.Name(id=device)):
                return self._input(f"{device}.{node.attr}")
            case ast.Call(func=ast.Name(id="tag"), args=[ast.Constant(value=str(path))], keywords=[]):
                return self._input(path)
            case ast.Name() | ast.Attribute():
                raise ExpressionError(f"{shown} is no tag{place}; a tag is named device.tag, or {_QUOTED}")
            case ast.Constant() if not _is_known(node.value):
                raise ExpressionError(f"{shown} is no number of a plant, and no short text{place}")
            case ast.UnaryOp() | ast.BinOp() | ast.Compare() if not _operators(node) <= OPERATORS.keys():
                known = ", ".join((*ARITHMETIC.values(), *COMPARISONS.values()))
                raise ExpressionError(f"{shown} uses an operator that is none of {known}{place}")
            case ast.Call():
                self._check_call(node, place)
                node.args = [self.read(each) for each in node.args]
            case ast.Constant() | ast.UnaryOp() | ast.BinOp() | ast.Compare() | ast.BoolOp() | ast.IfExp():
                self.generic_visit(node)
            case _:
                raise ExpressionError(f"{shown} cannot be used here{place}")
        return _strict(node)

    def _check_call(self, node: ast.Call, place: str) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "tag":
            raise ExpressionError(f"a tag is named {_QUOTED}{place}")
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise ExpressionError(f"there is no function {self._shown(node.func)}{place}; there are {known}")
        _, least, most = FUNCTIONS[name]
        if node.keywords or not least <= len(node.args) <= most:
            wanted = "one argument" if most == 1 else f"{least} to {most} arguments"
            raise ExpressionError(f"{name} takes {wanted}{place}")

    def _input(self, path: str) -> ast.expr:
        self.inputs[path] = None
        return ast.Name(path)

    def _shown(self, node: ast.expr) -> str:
        text = ast.get_source_segment(self._text, node) or ""
        return repr(text if len(text) <= 30 else f"{text[:29]}…")


def _is_known(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT
    return value <= LARGEST if isinstance(value, int) else isinstance(value, float) and value < inf


def _operators(node: ast.expr) -> set[type[ast.AST]]:
    return {type(each) for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr)}


def _strict(node: ast.expr) -> ast.expr:
    # For simpleeval any value is a condition, and `a and b` is one of the two.
    match node:
        case ast.BoolOp():
            node.values = [_truth(each) for each in node.values]
        case ast.IfExp():
            node.test = _truth(node.test)
    return node


def _truth(node: ast.expr) -> ast.expr:
    # Not not: it takes no text, and gives a bool.
    sure = isinstance(node, (ast.Compare, ast.BoolOp)) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )
    return node if sure else ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), node))
