"""Who may have handed a file in, as a download tells it: guesses until a roster decides."""

from __future__ import annotations

import msgspec


class OwnerHint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about the person behind one file; whatever is unknown is empty.

    ``id`` is the course's own id for them, ``number`` a platform's, which the course may never have seen.
    ``words`` are names of folders and of the file: any of them may be an id, a login or a name.
    ``label`` distinguishes this person's files from everybody else's in the same collection.
    """

    id: str = ""
    name: str = ""
    email: str = ""
    number: str = ""
    words: tuple[str, ...] = ()
    label: str = ""
