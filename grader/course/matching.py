"""Whose file is it: hints matched with a roster. No match is better than somebody else's grade.

Everything that a hint says is looked up; a student matches only if all of it fits that student alone. Pure.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from grader.gradebook.policy import Candidate, latest
from grader.gradebook.rows import Student
from grader.model.owner_hints import OwnerHint
from grader.model.points import Points

_SHOWN = 4
_APOSTROPHES = frozenset("'’‘ʼ`´")
_PLAIN = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h"}
)


class Match(msgspec.Struct, frozen=True):
    """The student that a hint means, or None and one line that says why and what to do."""

    student: Student | None
    why: str = ""


class Matcher:
    """Finds the students on a roster that hints mean."""

    def __init__(
        self,
        students: Iterable[Student],
        *,
        logins: Mapping[str, str] = MappingProxyType({}),
        numbers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``logins`` are the students' ids by what else a roster calls them, in lower case.

        ``numbers`` are the ids by the platform's own numbers, which are certain.
        """
        self._students = {student.id: student for student in students}
        self._by_id = _index((folded(student.id), student.id) for student in self._students.values())
        self._by_email = _index((folded(student.email), student.id) for student in self._students.values())
        others = [(word, student) for word, student in logins.items() if student in self._students]
        locals_ = ((_login(student.email), student.id) for student in self._students.values())
        self._by_login = _index((*others, *locals_))
        self._by_name = _index(
            (key, student.id) for student in self._students.values() for key in name_keys(student.name)
        )
        self._numbers = {number: one for number, one in numbers.items() if one in self._students}
        self._ids_only = not (self._by_email or self._by_name)

    @property
    def has_roster(self) -> bool:
        """Whether there is anybody to find."""
        return bool(self._students)

    def match(self, hint: OwnerHint) -> Match:
        """The student of the platform's number, or the one whom everything in the hint fits."""
        if hint.number in self._numbers:
            return Match(self._students[self._numbers[hint.number]])
        evidence = [ids for ids in self._evidence(hint) if ids]
        either, both = set().union(*evidence), set(in_all(evidence))
        if len(either) > 1 and len(both) > 1 and hint.number:
            # Two people have one name, and the platform's number may be the course's id.
            both &= self._ids(hint.number)
        one = either if len(either) == 1 else both
        if len(one) == 1:
            return Match(self._students[one.pop()])
        said = said_by(hint)
        if not either:
            return Match(None, f"nobody on the roster is {said}; add them, or rename the file to their id")
        names = ", ".join(_named(self._students[student]) for student in sorted(either)[:_SHOWN])
        more = f" and {len(either) - _SHOWN} more" if len(either) > _SHOWN else ""
        return Match(None, f"{said} may be {names}{more}; rename the file to the id of the right one")

    def match_all(self, hints: Sequence[OwnerHint]) -> list[Match]:
        """Each hint's match. Two accounts on a platform are two people, even if their names are the same."""
        matches = [self.match(hint) for hint in hints]
        accounts = defaultdict[str, set[str]](set)
        for hint, match in zip(hints, matches, strict=True):
            if match.student is not None and hint.number:
                accounts[match.student.id].add(hint.number)

        def one(hint: OwnerHint, match: Match) -> Match:
            if match.student is None or not hint.number or hint.number in self._numbers:
                return match
            numbers = accounts[match.student.id]
            return Match(None, _two_accounts(match.student, numbers)) if len(numbers) > 1 else match

        return list(map(one, hints, matches))

    def _evidence(self, hint: OwnerHint) -> Iterator[set[str]]:
        """For each thing that a hint says, the students whom it fits."""
        yield self._ids(hint.id) | self._by_login.get(folded(hint.id), set())
        yield self._by_email.get(folded(hint.email), set())
        yield self._names(hint.name)
        if self._ids_only:
            yield self._ids(hint.number)
        for word in hint.words:
            key = folded(word)
            ids = self._ids(word) | self._by_email.get(key, set()) | self._by_login.get(key, set())
            yield ids | self._names(word)

    def _ids(self, text: str) -> set[str]:
        """The student with exactly this id; otherwise those whose id differs in case only."""
        return {text} if text in self._students else self._by_id.get(folded(text), set())

    def _names(self, name: str) -> set[str]:
        return set().union(*(self._by_name.get(key, set()) for key in name_keys(name)))


def _two_accounts(student: Student, numbers: set[str]) -> str:
    return (
        f"{_named(student)} is alone on the roster with a name that the download gives to the numbers "
        f"{', '.join(sorted(numbers)[:_SHOWN])}; rename the files of the right one to their id"
    )


def in_all(evidence: Sequence[set[str]]) -> set[str]:
    """The students that all of the evidence agrees on."""
    return set.intersection(*evidence) if evidence else set()


def without_roster(hint: OwnerHint) -> Student:
    """The student that a hint stands for without a roster: an id that no other person's hint has."""
    return Student(hint.id or hint.email or hint.number or hint.label, hint.name, hint.email)


def several(files: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """One line for each student with several ``files``, which are (student's id, file's name, time or "")."""
    by_student: Mapping[str, list[tuple[str, str]]] = defaultdict(list)
    for student, name, at in files:
        by_student[student].append((name, at))
    for student, theirs in by_student.items():
        if len(theirs) > 1:
            names = ", ".join(name for name, _ in theirs[:_SHOWN])
            more = f" and {len(theirs) - _SHOWN} more" if len(theirs) > _SHOWN else ""
            chosen = latest([Candidate(order, at, Points(0)) for order, (_, at) in enumerate(theirs)])
            counts = f"the latest counts: {theirs[chosen.order][0]}"
            yield f"{student} handed in {len(theirs)} files: {names}{more}; {counts}"


def name_keys(name: str) -> set[str]:
    """The ways platforms write a name: each rotation of its words, squashed; and the words sorted."""
    words = words_of(name)
    turned = {"".join(words[start:] + words[:start]) for start in range(len(words))}
    return turned | ({" ".join(sorted(words))} if len(words) > 1 else set())


def words_of(name: str) -> list[str]:
    """A name's words without case, accents and punctuation. Letters of every script stay."""
    return "".join(map(_letter, name)).split()


def folded(text: str) -> str:
    """An id or address without case and surrounding blanks."""
    return text.strip().casefold()


def _letter(sign: str) -> str:
    """One character of a name, normalised alone: a name that a platform squashed gives the same as itself."""
    if sign in _APOSTROPHES:
        return ""
    if sign.isascii():
        return sign.lower() if sign.isalnum() else " "
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", sign).casefold())
    kept = (one for one in text if not "\u0300" <= one <= "\u036f")  # accents of European scripts
    return "".join(one if unicodedata.category(one)[0] in "LNM" else " " for one in kept).translate(_PLAIN)


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found = defaultdict[str, set[str]](set)
    for key, student in pairs:
        if key:
            found[key].add(student)
    return dict(found)


def _login(email: str) -> str:
    return folded(email).partition("@")[0] if "@" in email else ""


def said_by(hint: OwnerHint) -> str:
    """What a hint says about the person, for one line."""
    said = dict.fromkeys(filter(None, (hint.name, hint.id, hint.email, *hint.words, hint.number)))
    return " / ".join(list(said)[:_SHOWN]) or hint.label or "unknown"


def _named(student: Student) -> str:
    return f"{student.name} ({student.id})" if student.name else student.id
