"""Whose file is it: hints matched with a roster. No match is better than somebody else's grade.

Everything that a hint says is looked up; a student matches only if all of it fits that student alone. Pure.
"""

from __future__ import annotations

import itertools
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
        by_name: bool = True,
    ) -> None:
        """``logins`` are the students' ids by what else a roster calls them, in lower case.

        ``numbers`` are the ids by the platform's own numbers, which are certain. Without ``by_name`` a name
        finds nobody.
        """
        self._students = {student.id: student for student in students}
        people, known = self._students.values(), self._students
        self._by_id = _index((folded(one.id), one.id) for one in people if folded(one.id) != one.id)
        self._by_email = _index((folded(one.email), one.id) for one in people)
        others = ((word, student) for word, student in logins.items() if student in known)
        self._by_login = _index(itertools.chain(others, ((_login(one.email), one.id) for one in people)))
        named = people if by_name else ()
        self._by_name = _index((key, one.id) for one in named for key in name_keys(one.name))
        self._numbers = numbers
        self._ids_only = not (self._by_email or self._by_name)

    @property
    def has_roster(self) -> bool:
        """Whether there is anybody to find."""
        return bool(self._students)

    def match(self, hint: OwnerHint) -> Match:
        """The student of the platform's number, or the one whom everything in the hint fits."""
        if certain := self._certain(hint):
            return Match(certain)
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

    def match_all(self, hints: Iterable[OwnerHint]) -> list[Match]:
        """Each hint's match. Two accounts on a platform are two people, even if their names are the same."""
        matches, unsure = list[Match](), list[tuple[int, str]]()
        accounts, several = dict[str, str](), defaultdict[str, set[str]](set)
        for place, hint in enumerate(hints):
            match = self.match(hint)
            matches.append(match)
            if match.student is None or not hint.number:
                continue
            student = match.student.id
            first = accounts.setdefault(student, hint.number)
            if first != hint.number:
                several[student] |= {first, hint.number}
            if self._certain(hint) is None:
                unsure.append((place, student))
        for place, student in unsure:
            if student in several:
                matches[place] = Match(None, _two_accounts(self._students[student], several[student]))
        return matches

    def _certain(self, hint: OwnerHint) -> Student | None:
        """The student of the platform's number."""
        return self._students.get(self._numbers.get(hint.number, "")) if hint.number else None

    def _evidence(self, hint: OwnerHint) -> Iterator[set[str]]:
        """For each thing that a hint says, the students whom it fits."""
        yield self._ids(hint.id) | _in(self._by_login, folded(hint.id))
        yield _in(self._by_email, folded(hint.email))
        yield self._names(hint.name)
        if self._ids_only:
            yield self._ids(hint.number)
        for word in hint.words:
            key = folded(word)
            yield self._ids(word) | _in(self._by_email, key) | _in(self._by_login, key) | self._names(word)

    def _ids(self, text: str) -> set[str]:
        """The student with exactly this id; otherwise those whose id differs in case only."""
        if text in self._students:
            return {text}
        key = folded(text)
        return _in(self._by_id, key) | ({key} & self._students.keys())

    def _names(self, name: str) -> set[str]:
        return {one for key in name_keys(name) for one in _in(self._by_name, key)} if self._by_name else set()


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


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The students of each key: tuples, for a class of thousands takes a tenth of the memory of sets."""
    found = dict[str, tuple[str, ...]]()
    for key, student in pairs:
        several = found.get(key, ())
        if key and student not in several:
            found[key] = (*several, student)
    return found


def _in(index: Mapping[str, tuple[str, ...]], key: str) -> set[str]:
    return set(index.get(key, ()))


def _login(email: str) -> str:
    return folded(email).partition("@")[0] if "@" in email else ""


def said_by(hint: OwnerHint) -> str:
    """What a hint says about the person, for one line."""
    said = dict.fromkeys(filter(None, (hint.name, hint.id, hint.email, *hint.words, hint.number)))
    return " / ".join(list(said)[:_SHOWN]) or hint.label or "unknown"


def _named(student: Student) -> str:
    return f"{student.name} ({student.id})" if student.name else student.id
