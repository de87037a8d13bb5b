"""Proxies of the student's objects, which checks use to fetch values and call functions.

No operator of a student's class may decide a check. A proxy that is compared, counted, iterated or computed
with fetches the plain data behind it, and the trusted side computes; where an object is behind it, it refuses
and says what to write instead.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from grader.inside.codec import OBJECT
from grader.model.errors import AuthorError, MissingName, SandboxDied, StudentError, UnsupportedValue
from grader.model.values import Remote

Step = tuple[str, object]
ROOT = 0


class Requests(Protocol):
    """What a proxy needs of a session."""

    @property
    def printed(self) -> str:
        """What student code wrote to stdout in this session."""

    def request(self, operation: str, *arguments: object, seconds: float | None = None) -> Any:
        """The result of one operation on the student's side, within ``seconds`` of its own if given."""


FETCH = "fetch what it holds, such as an attribute's `.value` or as_array(...)"
OPERATOR = (
    "an operator that the student wrote is called over there: "
    'student.provide("def add(a, b): return a + b").add(a, b)'
)
ENTRIES = (
    "what a class of theirs makes of len, `in` and iteration is asked over there: "
    'student.provide("def entries(x): return list(x)").entries(x)'
)
OWN_NAMES = (
    "Python's own attributes of a student's object stay on their side, ask there: "
    'student.provide("import inspect\\ndef names(f): return list(inspect.signature(f).parameters)")'
    ".names(student.f); of a name ask hasattr(x, name)"
)
_INSPECTED = frozenset(
    {"__annotations__", "__code__", "__defaults__", "__dict__", "__kwdefaults__", "__signature__"}
)
_NOT_SENT = (slice, type(...))
"""Parts of a key that do not cross: what they select is selected here."""


def _both(operation: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """An operator's two methods, with the proxy on the left and on the right."""

    def left(self: Proxy, other: object, *more: object) -> Any:
        return operation(self._number(), other, *more)

    def right(self: Proxy, other: object) -> Any:
        return operation(other, self._number())

    return left, right


def _one(operation: Callable[[Any], Any]) -> Callable[..., Any]:
    """The method of an operator that takes nothing else."""

    def alone(self: Proxy) -> Any:
        return operation(self._number())

    return alone


def _fetched(value: Any, form: Callable[[Any], Any] = lambda data: data) -> Any:
    """What numpy or torch was given, with the plain data behind each proxy in the library's own form."""
    if isinstance(value, Proxy):
        return form(value._number())
    if type(value) is list or type(value) is tuple:
        return type(value)(_fetched(entry, form) for entry in value)
    if type(value) is dict:
        return {key: _fetched(entry, form) for key, entry in value.items()}
    return value


class Proxy(Remote):
    """An object on the student's side and a path below it (``layer.params["W"]``).

    Attributes and keys only make the path longer. ``.value`` fetches plain data, and so do operators, numpy's
    functions, ``len`` and iteration; assignments and calls happen on the student's side.
    """

    __slots__ = ("_id", "_path", "_session", "_type")

    _id: int
    _path: tuple[Step, ...]
    _session: Requests
    _type: str

    def __init__(self, session: Requests, number: int, kind: str, path: tuple[Step, ...] = ()) -> None:
        for name, value in (("_session", session), ("_id", number), ("_type", kind), ("_path", path)):
            object.__setattr__(self, name, value)

    def _where(self) -> tuple[int, tuple[Step, ...]]:
        return self._id, self._path

    def _name(self) -> str:
        return str(self._path[-1][1]) if self._path else self._type

    def _below(self, step: Step) -> Proxy:
        return Proxy(self._session, self._id, self._type, (*self._path, step))

    # -- paths, values, calls --------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name == "value":  # Python asks here after an AttributeError of the student's while it was fetched
            return self._session.request("value", self)
        if name == "__name__" and self._path:  # what a check calls a function in its messages
            return self._name()
        if name in _INSPECTED:
            raise AuthorError(f"`{name}` of {self!r} was asked for in a check; {OWN_NAMES}")
        if name.startswith(("__", "_repr_", "_ipython_")):  # Python, IPython and Hypothesis ask each object
            raise AttributeError(name)
        below = self._below(("attribute", name))
        return below._dtype() if name == "dtype" else below

    def _dtype(self) -> Any:
        """What is here, if it is a dtype of numpy's, to be compared with types; else a path as any."""
        try:
            [[name, text]] = self._below(("attribute", "descr")).value
            return np.dtype(text) if name == "" and type(text) is str else self
        except MissingName:
            raise
        except (StudentError, UnsupportedValue, ValueError, TypeError):
            return self

    def __getitem__(self, key: object) -> Any:
        if any(isinstance(part, _NOT_SENT) for part in (key if isinstance(key, tuple) else (key,))):
            return self._elements()[key]
        return self._below(("key", key))

    def __setattr__(self, name: str, value: object) -> None:
        self._session.request("set", self, ("attribute", name), value)

    def __setitem__(self, key: object, value: object) -> None:
        self._session.request("set", self, ("key", key), value)

    @property
    def value(self) -> Any:
        """A copy of the plain data here. Raises UnsupportedValue when it is not plain data."""
        return self._session.request("value", self)

    def __call__(self, *arguments: object, **named: object) -> Any:
        """Call it with copies of the arguments; plain data comes back as itself, anything else as a proxy."""
        return self._session.request("call", self, list(arguments), named)

    # -- Python's own questions, answered here and never by a class of the student's --------------------

    def _plain(self, asked: str, instead: str) -> Any:
        """The plain data here, for what only plain data has. Raises AuthorError where an object is."""
        what = f"{asked} of {self!r} was asked for in a check"
        if self._id == ROOT and not self._path:
            raise AuthorError(f"{what}; {instead}")
        try:
            return self._session.request("data", self)
        except UnsupportedValue as error:
            if OBJECT not in str(error):
                raise  # plain data, but too much of it: whose code made it is no question
            # Nobody's fault yet: where the reference gives plain data, the check is right.
            raise AuthorError(f"{what}, which only plain data has: {error}; {instead}") from None

    def _number(self) -> Any:
        return self._plain("arithmetic or a number", f"{FETCH}; {OPERATOR}")

    def _elements(self) -> Any:
        return self._plain("the length, an element or an iteration", f"{FETCH}; {ENTRIES}")

    def __bool__(self) -> bool:
        asked = "fetch plain data with `.value`, or test with `student.has(name)`"
        return bool(self._plain("the truth value", asked))

    def __eq__(self, other: object) -> Any:
        return self._plain("a comparison", f"{FETCH} and use assert_close(...)") == other

    def __ne__(self, other: object) -> Any:
        return self._plain("a comparison", f"{FETCH} and use assert_close(...)") != other

    def __hash__(self) -> int:
        try:
            return hash(self._session.request("data", self))
        except UnsupportedValue:
            return object.__hash__(self)

    __add__, __radd__ = _both(operator.add)
    __sub__, __rsub__ = _both(operator.sub)
    __mul__, __rmul__ = _both(operator.mul)
    __truediv__, __rtruediv__ = _both(operator.truediv)
    __floordiv__, __rfloordiv__ = _both(operator.floordiv)
    __mod__, __rmod__ = _both(operator.mod)
    __divmod__, __rdivmod__ = _both(divmod)
    __pow__, __rpow__ = _both(pow)
    __matmul__, __rmatmul__ = _both(operator.matmul)
    __and__, __rand__ = _both(operator.and_)
    __or__, __ror__ = _both(operator.or_)
    __xor__, __rxor__ = _both(operator.xor)
    __lshift__, __rlshift__ = _both(operator.lshift)
    __rshift__, __rrshift__ = _both(operator.rshift)
    __lt__, __gt__ = _both(operator.lt)[0], _both(operator.gt)[0]
    __le__, __ge__ = _both(operator.le)[0], _both(operator.ge)[0]
    __neg__, __pos__, __abs__ = _one(operator.neg), _one(operator.pos), _one(abs)
    __invert__, __index__ = _one(operator.invert), _one(operator.index)
    __float__, __int__, __complex__ = _one(float), _one(int), _one(complex)
    __trunc__, __floor__, __ceil__ = _one(math.trunc), _one(math.floor), _one(math.ceil)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._number(), digits)

    def __len__(self) -> int:
        return len(self._elements())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._elements())

    def __contains__(self, entry: object) -> bool:
        return entry in self._elements()

    def __reversed__(self) -> Any:
        return reversed(self._elements())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: FBT001  # numpy's own
        del copy  # what was fetched is a copy
        return np.asarray(self._number(), dtype=dtype)

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **named: Any) -> Any:
        return getattr(function, method)(*map(_fetched, inputs), **_fetched(named))

    def __array_function__(self, function: Any, _: object, arguments: Any, named: Any) -> Any:
        return function(*map(_fetched, arguments), **_fetched(named))

    @classmethod
    def __torch_function__(cls, function: Any, _: object, arguments: Any = (), named: Any = None) -> Any:
        tensor = sys.modules["torch"].as_tensor
        return function(*_fetched(tuple(arguments), tensor), **_fetched(named or {}, tensor))

    def __dir__(self) -> Any:
        raise AuthorError(f"dir() of {self!r} was asked for in a check; {OWN_NAMES}")

    def __copy__(self) -> Any:
        return self._plain("a copy", FETCH)

    def __deepcopy__(self, _: object) -> Any:
        return self._plain("a copy", FETCH)

    def __format__(self, spec: str) -> str:
        return format(self._plain("the text", FETCH) if spec else str(self), spec)

    def __str__(self) -> str:
        if self._id == ROOT and not self._path:
            return repr(self)
        try:
            return str(self._session.request("data", self))
        except UnsupportedValue:
            return repr(self)

    def __repr__(self) -> str:
        path = "".join(f".{name}" if kind == "attribute" else f"[{name!r}]" for kind, name in self._path)
        if self._id == ROOT:
            return f"<the student's {path.lstrip('.') or 'notebook'}>"
        return f"<the student's {self._type} object{path}>"


class _Documentation:
    """``__doc__`` of what is behind a proxy, and of the class itself."""

    def __init__(self, own: str | None) -> None:
        self._own = own

    def __get__(self, proxy: Proxy | None, _: type[Proxy]) -> str | None:
        if proxy is None:
            return self._own
        found: str | None = proxy._below(("attribute", "__doc__")).value
        return found


Proxy.__doc__ = _Documentation(Proxy.__doc__)  # type: ignore[assignment]


class Student(Proxy):
    """The student's notebook: its attributes are the notebook's globals, besides our own methods below.

    A global with the name of a method is reached by key: ``student["put"]``.
    """

    __slots__ = ()

    def __init__(self, session: Requests) -> None:
        super().__init__(session, ROOT, "notebook")

    def _below(self, step: Step) -> Proxy:
        return Proxy(self._session, ROOT, "notebook", (step,))

    def has(self, name: str) -> bool:
        """Whether the notebook defines this name."""
        return self._session.request("has", name) is True

    def put(self, value: object) -> Proxy:
        """Copy plain data to the student's side, to see later what their code did to it."""
        return self._as_proxy(self._session.request("put", value), "put")

    def provide(self, source: str) -> Proxy:
        """Make a module on the student's side from the author's source, for stand-ins.

        Student code can read it: put no solution and no expected value in it.
        Raises AuthorError if it is not Python.
        """
        try:
            compile(source, "<provided by the check>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise AuthorError(f"the source that the check provides is not Python: {error}") from None
        return self._as_proxy(self._session.request("provide", source), "provide")

    def module(self, name: str) -> Proxy:
        """A module on the student's side, such as one that was handed in: ``student.module("layers.conv")``.

        Importing it runs its code; an error in it, or a module that does not exist, is the student's.
        """
        return self._as_proxy(self._session.request("module", name), "module")

    def printed(self) -> str:
        """What student code wrote to stdout since this check began."""
        return self._session.printed

    def _as_proxy(self, answer: object, operation: str) -> Proxy:
        if not isinstance(answer, Proxy):
            raise SandboxDied(f"the student's process answered `{operation}` with something else")
        return answer
