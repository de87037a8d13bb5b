"""Students found by whatever a person calls them: id, e-mail address, login or name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from grader.gradebook.rows import Student
from grader.gradebook.store import Gradebook
from grader.model.errors import UsageError

LOGIN = "login "
"""Before a login among the names that a platform has for its participants; a number has nothing before it."""

_SHOWN = 4


class People:
    """The students of a gradebook: its roster, or those who handed something in if it has none."""

    def __init__(
        self,
        students: Mapping[str, Student],
        *,
        others: Iterable[str] = (),
        logins: Mapping[str, str] = MappingProxyType({}),
        place: str = "",
    ) -> None:
        self.has_roster = bool(students)
        self._logins = logins
        self._students = {**{one: Student(one) for one in others if one}, **students}
        self._place = place

    @classmethod
    def of(cls, gradebook: Gradebook, assignment: str) -> People:
        """Everybody whom the gradebook knows in an assignment."""
        owners = (row.student for row in gradebook.submissions(assignment))
        logins = words_of(gradebook, assignment)
        return cls(gradebook.students(), others=owners, logins=logins, place=gradebook.place)

    def find(self, word: str) -> Student:
        """The student of this id, e-mail address, login or name. Raises UsageError if none or several fit.

        An exact id comes first; case does not matter otherwise. Without a roster anybody new is taken at
        their word: it is their id.
        """
        found = self.matching(word)
        if len(found) == 1:
            return found[0]
        if found:
            some = ", ".join(_shown(student) for student in found[:_SHOWN])
            raise UsageError(f"{word!r} may be {some}; write the id of the right one")
        if not self.has_roster and word.strip():
            return Student(word.strip())
        raise UsageError(
            f"nobody in {self._place} is {word!r}; write the id, e-mail address or name as on the roster "
            "(`grade table` shows them)"
        )

    def matching(self, word: str) -> list[Student]:
        """Those whom a word may mean, by the first kind of name that fits anybody."""
        key = word.strip()
        if key in self._students:
            return [self._students[key]]
        low = key.casefold()
        kinds = (
            lambda one: one.id.casefold() == low,
            lambda one: bool(one.email) and one.email.casefold() == low,
            lambda one: self._logins.get(low) == one.id,
            lambda one: "@" in one.email and one.email.casefold().partition("@")[0] == low,
            lambda one: bool(one.name) and _words(one.name) == _words(key),
        )
        for fits in kinds if low else ():
            found = [student for student in self._students.values() if fits(student)]
            if found:
                return found
        return []


def names_of(gradebook: Gradebook, assignment: str) -> tuple[dict[str, str], dict[str, str]]:
    """The students' ids by their logins in lower case, and by the platform's numbers."""
    numbers, logins = gradebook.participants(assignment), dict[str, str]()
    for name in [name for name in numbers if name.startswith(LOGIN)]:
        logins[name.removeprefix(LOGIN)] = numbers.pop(name)
    return logins, numbers


def logins_of(gradebook: Gradebook, assignment: str) -> dict[str, str]:
    """The students' ids by their logins in lower case, as rosters gave them."""
    return names_of(gradebook, assignment)[0]


def words_of(gradebook: Gradebook, assignment: str) -> dict[str, str]:
    """The students' ids by every other word of a platform for them: their logins, and its numbers."""
    known = gradebook.participants(assignment)
    return {name.removeprefix(LOGIN).casefold(): student for name, student in known.items()}


def _words(name: str) -> list[str]:
    """A name's words in no order: "Lovelace, Ada" is "Ada Lovelace"."""
    return sorted(name.casefold().replace(",", " ").split())


def _shown(student: Student) -> str:
    return f"{student.name} ({student.id})" if student.name else student.id
