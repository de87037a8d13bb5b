"""Student values as the trusted side sees them."""

from __future__ import annotations


class Remote:
    """Base of what stands for an object on the student's side.

    ``checks`` may not know ``session``; this lets it recognise a proxy and fetch its plain value.
    """

    __slots__ = ()

    @property
    def value(self) -> object:
        """The plain data behind this object; raises UnsupportedValue if it is not plain data."""
        raise NotImplementedError

    def _name(self) -> str:
        """The name or key by which a check reached it."""
        raise NotImplementedError


def name_of(value: Remote) -> str:
    """The name by which a check reached an object: "relu" for ``student.relu``."""
    return value._name()


def is_proxy(value: object) -> bool:
    """Whether a value stands for an object that stayed with the student's code, rather than plain data."""
    return isinstance(value, Remote)
