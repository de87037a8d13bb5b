"""Whether the student's code raises what the task asks for."""

from __future__ import annotations

from collections.abc import Callable

from grader.model.errors import AuthorError, CheckFailed, MissingName, StudentError
from grader.model.values import Remote, name_of

Kind = type[BaseException] | Remote
"""Python's or a library's class of exceptions, or one that the student defines, as ``student.TooSmall``."""


def assert_raises(
    error: Kind | tuple[Kind, ...], function: Callable[..., object], /, *arguments: object, **named: object
) -> StudentError:
    """``function(*arguments, **named)`` raises ``error``, of this class or one below it; returns it.

    Any other exception is the student's failure, and so is none. The NotImplementedError of an answer that is
    not written yet counts only where it is named itself. Raises CheckFailed, StudentError, and AuthorError if
    ``error`` is no class of exceptions.
    """
    names = [_name(kind) for kind in (error if isinstance(error, tuple) else (error,))]
    try:
        function(*arguments, **named)
    except MissingName:
        raise
    except StudentError as caught:
        is_stub = caught.kind == "NotImplementedError"
        if (caught.kind in names) if is_stub else not set(names).isdisjoint(caught.kinds):
            return caught
        raise
    raise CheckFailed(f"nothing was raised, expected {' or '.join(names)}.")


def _name(kind: Kind) -> str:
    if isinstance(kind, Remote):
        return name_of(kind)
    if isinstance(kind, type) and issubclass(kind, BaseException):
        return kind.__name__
    raise AuthorError(
        f"assert_raises was given {kind!r} as what is to be raised; "
        "write a class, such as assert_raises(ValueError, student.f, -1)"
    )
