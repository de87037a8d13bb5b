"""Proxies of the student's objects, which checks use to fetch values and call functions.

No operator of a student's class may decide a check: a proxy refuses to be compared, counted, iterated or
tested for truth, and says what to write instead.
"""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

from grader.model.errors import AuthorError, SandboxDied, UnsupportedValue
from grader.model.values import Remote

Step = tuple[str, object]
ROOT = 0


class Requests(Protocol):
    """What a proxy needs of a session."""

    @property
    def printed(self) -> str:
        """What student code wrote to stdout in this session."""

    def request(self, operation: str, *arguments: object) -> Any:
        """The result of one operation on the student's side."""


class Proxy(Remote):
    """An object on the student's side and a path below it (``layer.params["W"]``).

    Attributes and keys only make the path longer. ``.value`` fetches plain data; assignments and calls happen
    on the student's side.
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

    def _below(self, step: Step) -> Proxy:
        return Proxy(self._session, self._id, self._type, (*self._path, step))

    # -- paths, values, calls --------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Proxy:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._below(("attribute", name))

    def __getitem__(self, key: object) -> Proxy:
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

    # -- operators, all refused --------------------------------------------------------------------------

    def _refuse(self, asked: str, instead: str) -> NoReturn:
        what = f"{asked} of {self!r} was asked for in a check"
        if self._id == ROOT:
            raise AuthorError(f"{what}; {instead}")
        # Student code returned an object. Where the reference returns plain data, the check is right.
        raise UnsupportedValue(f"{what}, which only plain data has; where an object is right, {instead}")

    def __bool__(self) -> bool:  # noqa: PLE0304  # it never returns
        self._refuse("the truth value", "fetch plain data with `.value`, or test with `student.has(name)`")

    def __eq__(self, other: object) -> bool:
        self._refuse("a comparison", "fetch plain data with `.value` and use assert_close(...)")

    def __ne__(self, other: object) -> bool:
        self._refuse("a comparison", "fetch plain data with `.value` and use assert_close(...)")

    __hash__ = object.__hash__

    def _no_number(self, *_: object) -> NoReturn:
        self._refuse("arithmetic or a number", "fetch plain data with `.value` or as_array(...) first")

    def _no_elements(self, *_: object) -> NoReturn:
        self._refuse("the length, an element or an iteration", "fetch plain data with `.value` first")

    __float__ = __int__ = __complex__ = __index__ = __round__ = _no_number
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _no_number
    __matmul__ = __rmatmul__ = __pow__ = __rpow__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = _no_number
    __floordiv__ = __rfloordiv__ = __neg__ = __pos__ = __abs__ = __invert__ = _no_number
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __lshift__ = __rshift__ = _no_number
    __trunc__ = __floor__ = __ceil__ = _no_number
    __lt__ = __le__ = __gt__ = __ge__ = _no_number
    __len__ = __iter__ = __contains__ = __reversed__ = _no_elements

    def __array__(self, *_: object, **__: object) -> NoReturn:
        self._no_number()

    def __array_ufunc__(self, *_: object, **__: object) -> NoReturn:
        self._no_number()

    def __array_function__(self, *_: object, **__: object) -> NoReturn:
        self._no_number()

    def __repr__(self) -> str:
        path = "".join(f".{name}" if kind == "attribute" else f"[{name!r}]" for kind, name in self._path)
        if self._id == ROOT:
            return f"<the student's {path.lstrip('.') or 'notebook'}>"
        return f"<the student's {self._type} object{path}>"


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
