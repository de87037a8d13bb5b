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
