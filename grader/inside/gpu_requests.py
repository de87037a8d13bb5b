"""Whether code asks for a GPU by itself, or only where PyTorch says that there is one.

``"cuda" if torch.cuda.is_available() else "cpu"`` is the commonest line about GPUs and asks for none here.
Telling it apart keeps such notebooks at full speed: what stands in for a GPU costs each of PyTorch's calls.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

_DEVICE = "cuda"
_AVAILABLE = "is_available"


class Requests:
    """Looks at one piece of code after another and remembers which names say whether there is a GPU."""

    def __init__(self) -> None:
        self._tellers: set[str] = set()

    def are_in(self, source: str) -> bool:
        """Whether the code may ask for a GPU where there is none; in doubt it does."""
        if not any(word in source for word in (_DEVICE, *self._tellers)):
            return False
        try:
            tree = ast.parse(source)
        except (
            SyntaxError,
            ValueError,
            RecursionError,
            MemoryError,
        ):  # a magic, a shell line, a notebook's JSON
            return True
        try:
            self._remember(tree)
            return any(_is_request(node) for node in self._reached([tree]))
        except RecursionError:
            return True

    def _remember(self, tree: ast.AST) -> None:
        """``has_gpu = torch.cuda.is_available()`` tells as well, unless the name means something else too."""
        bound = Counter(name for node in ast.walk(tree) if (name := _bound(node)))
        told = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and _calls_available(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        self._tellers = (self._tellers - set(bound)) | {name for name in told if bound[name] == 1}

    def _reached(self, nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
        """The nodes that may run where there is no GPU."""
        for node in nodes:
            yield node
            if isinstance(node, ast.If | ast.IfExp):
                yes, no = _several(node.body), _several(node.orelse)
                yield from self._reached([node.test])
                yield from self._reached([] if self._means_gpu(node.test) else yes)
                yield from self._reached([] if self._means_none(node.test) else no)
            elif isinstance(node, ast.Attribute) and _is_module(node.value):
                yield from self._reached(ast.iter_child_nodes(node.value))
            elif not isinstance(node, ast.Compare):  # `device.type == "cuda"` asks for nothing
                yield from self._reached(ast.iter_child_nodes(node))

    def _means_gpu(self, test: ast.expr) -> bool:
        """Whether the test can only hold where there is a GPU."""
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return any(map(self._means_gpu, test.values))
        return _calls_available(test) or (isinstance(test, ast.Name) and test.id in self._tellers)

    def _means_none(self, test: ast.expr) -> bool:
        """Whether the test can only fail where there is a GPU."""
        return (
            isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and self._means_gpu(test.operand)
        )


def _several(part: ast.expr | Sequence[ast.stmt]) -> Sequence[ast.AST]:
    return [part] if isinstance(part, ast.expr) else part


def _is_module(node: ast.expr) -> bool:
    """The middle of ``torch.cuda.something``, whatever torch is called."""
    return isinstance(node, ast.Attribute) and node.attr == _DEVICE


def _calls_available(node: ast.expr) -> bool:
    """``torch.cuda.is_available()``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr == _AVAILABLE and _is_module(node.func.value)


def _bound(node: ast.AST) -> str:
    """The name that a node gives a meaning, or ""."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    return node.arg if isinstance(node, ast.arg) else ""


def _is_request(node: ast.AST) -> bool:
    """A device's name as text, a method ``cuda``, or an import whose names are not followed here."""
    match node:
        case ast.Constant(value=str(text)):
            return text.partition(":")[0] == _DEVICE
        case ast.Attribute(attr=name):
            return name == _DEVICE
        case ast.alias(name=name):
            return _DEVICE in name.split(".")
    return False
