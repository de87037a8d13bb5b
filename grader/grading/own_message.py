"""What a student may read of the text of an exception that their code raised while it was checked.

The text comes out of a process that holds the check's inputs, so it is never passed on as it came. It is
shown if it is a text that the file itself holds, or one of Python's and numpy's own sentences, with names
that the file holds and without numbers. As in ``own_code``, what is left to a leak is a choice among these.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from grader.notebooks.cells import Cell
from grader.notebooks.source import parse

LONGEST = 200
"""Characters of a text that is looked at; longer ones are not shown."""
MOST_NAMES = 2
"""Names of one text that are shown; others become an ellipsis."""
MOST_NODES = 200_000
"""Of the syntax trees that are looked at."""
GAP = "…"

_PART = re.compile(
    r"'[^']{0,100}'|\"[^\"]{0,100}\"|\d{1,20}|\b[A-Za-z_][\w.]{0,100}+(?=\(\))"
    r"|(?<=or slices, not )\w{1,100}|(?<=non-iterable )\w{1,100}"
)
_NAMES = frozenset(
    (
        *("NoneType", "function", "method", "module", "generator", "builtin_function_or_method", "Tensor"),
        *("numpy.ndarray", "numpy.float64", "numpy.int64", "numpy.bool"),
    )
) | frozenset(name for name, value in vars(builtins).items() if callable(value))
"""Names that are Python's or numpy's."""
_SENTENCES = frozenset(
    sentence.replace("#", GAP)
    for sentence in (
        "name '_' is not defined",
        "cannot access local variable '_' where it is not associated with a value",
        "cannot access free variable '_' where it is not associated with a value in enclosing scope",
        "local variable '_' referenced before assignment",
        "No module named '_'",
        "'_' object has no attribute '_'",
        "type object '_' has no attribute '_'",
        "module '_' has no attribute '_'",
        "'_' object is not callable",
        "'_' object is not iterable",
        "'_' object is not subscriptable",
        "'_' object does not support item assignment",
        "'_' object cannot be interpreted as an integer",
        "'_' object is not an iterator",
        "object of type '_' has no _()",
        "cannot unpack non-iterable _ object",
        "bad operand type for unary -: '_'",
        "'_'",
        "_() missing # required positional argument: '_'",
        "_() missing # required positional arguments: '_' and '_'",
        "_() missing # required positional arguments: '_', '_', and '_'",
        "_() missing # required keyword-only argument: '_'",
        "_() takes # positional argument but # were given",
        "_() takes # positional arguments but # were given",
        "_() takes no arguments",
        "_() got an unexpected keyword argument '_'",
        "_() got multiple values for argument '_'",
        "list index out of range",
        "tuple index out of range",
        "string index out of range",
        "list indices must be integers or slices, not _",
        "division by zero",
        "float division by zero",
        "integer division or modulo by zero",
        "math domain error",
        "maximum recursion depth exceeded",
        "maximum recursion depth exceeded in comparison",
        "not enough values to unpack (expected #, got #)",
        "too many values to unpack (expected #)",
        "can only concatenate str (not '_') to str",
        "too many indices for array: array is #-dimensional, but # were indexed",
        "index # is out of bounds for axis # with size #",
        "axis # is out of bounds for array of dimension #",
        "setting an array element with a sequence.",
        "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays "
        "are valid indices",
        "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()",
        "assignment destination is read-only",
        "Singular matrix",
        "only length-# arrays can be converted to Python scalars",
        "only #-dimensional arrays can be converted to Python scalars",
        "arrays used as indices must be of integer (or boolean) type",
        "all the input array dimensions except for the concatenation axis must match exactly, but along "
        "dimension #, the array at index # has size # and the array at index # has size #",
        "matmul: Input operand # has a mismatch in its core dimension #, with gufunc signature "
        "(n?,k),(k,m?)->(n?,m?) (size # is different from #)",
        "cannot reshape array of size # into shape (#)",
        "operands could not be broadcast together with shapes (#) (#)",
        "operands could not be broadcast together with remapped shapes [original->remapped]: (#) and "
        "requested shape (#)",
        "non-broadcastable output operand with shape (#) doesn't match the broadcast shape (#)",
        "shapes (#) and (#) not aligned: # (dim #) != # (dim #)",
        "mat# and mat# shapes cannot be multiplied (#x# and #x#)",
    )
) | {f"unsupported operand type(s) for {sign}: '_' and '_'" for sign in ("+", "-", "*", "/", "@", "**", "+=")}
_SHAPE = re.compile(r"\(…(?:, ?…)*,?\)")


def readable(message: str, cells: Iterable[Cell]) -> str:
    """The text as the student may read it; "" if it may hold what only the check knows.

    ``cells`` are those of all files that they handed in.
    """
    said = message.strip()
    if said in _SENTENCES:
        return said
    if not said or len(said) > LONGEST or "\n" in said:
        return ""
    nodes = list(islice(_nodes(cells), MOST_NODES))
    texts = [parts for node in nodes if (parts := _parts_of(node))]
    names = {*_NAMES, *(part for parts in texts for part in parts), *filter(None, map(_name_of, nodes))}
    return _sentence(said, names) or _written(said, texts)


def _nodes(cells: Iterable[Cell]) -> Iterator[ast.AST]:
    for cell in cells:
        parsed = parse(cell.source) if cell.kind == "code" else None
        yield from ast.walk(parsed.tree) if parsed is not None else ()


def _name_of(node: ast.AST) -> str:
    """The name that a node of the tree writes."""
    return next((name for field in ("id", "attr", "arg", "name") if (name := getattr(node, field, None))), "")


def _parts_of(node: ast.AST) -> tuple[str, ...]:
    """The constant parts of a text: one, or of an f-string those around its values."""
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else ""
        return (text.strip(),) if 0 < len(text) <= LONGEST else ()
    if not isinstance(node, ast.JoinedStr):
        return ()
    parts = [""]
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts[-1] += str(value.value)
        else:
            parts.append("")
    return (parts[0].lstrip(), *parts[1:-1], parts[-1].rstrip()) if len(parts) > 1 else (parts[0].strip(),)


def _written(said: str, texts: Iterable[tuple[str, ...]]) -> str:
    """A text that the files hold; of one with values in it, all but these."""
    return next((GAP.join(parts) for parts in texts if _holds(parts, said)), "")


def _holds(parts: tuple[str, ...], said: str) -> bool:
    """Whether the text consists of these parts, in order, with anything between them."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return said == first
    if not (said.startswith(first) and said.endswith(last)) or not any(part.strip() for part in parts):
        return False
    at = len(first)
    for part in parts[1:-1]:
        found = said.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return at <= len(said) - len(last)


def _sentence(said: str, names: Collection[str]) -> str:
    """One of Python's or numpy's own sentences, without numbers and other names; "" if it is none."""
    shown: list[str] = []

    def name(text: str) -> str:
        if len(shown) >= MOST_NAMES or not {*text.split(".")} <= {*names, "__init__"}:
            return text if text in _NAMES else GAP
        shown.append(text)
        return text

    def blank(found: re.Match[str]) -> str:
        text = found[0]
        return GAP if text.isdigit() else "'_'" if text[0] in "\"'" else "_"

    def filled(found: re.Match[str]) -> str:
        text = found[0]
        return GAP if text.isdigit() else f"'{name(text[1:-1])}'" if text[0] in "\"'" else name(text)

    skeleton = _SHAPE.sub(f"({GAP})", _PART.sub(blank, said))
    return _SHAPE.sub(f"({GAP})", _PART.sub(filled, said)) if skeleton in _SENTENCES else ""
