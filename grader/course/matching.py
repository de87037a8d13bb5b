"""Whose file is it: hints against a roster. Nobody is better than somebody else's grade.

Everything a hint says is looked up, and a student is the answer only where it all fits one alone. Pure.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    """The student a hint means, or None and one line that says why and what to do."""

    student: Student | None
    why: str = ""


class Matcher:
    """A roster that answers whom hints mean."""

    def __init__(self, students: Iterable[Student]) -> None:
        self._students = {student.id: student for student in students}
        self._by_id = _index((folded(student.id), student.id) for student in self._students.values())
        self._by_email = _index((folded(student.email), student.id) for student in self._students.values())
        self._by_login = _index((_login(student.email), student.id) for student in self._students.values())
        self._by_name = _index(
            (key, student.id) for student in self._students.values() for key in name_keys(student.name)
        )
        self._ids_only = not (self._by_email or self._by_name)

    def match(self, hint: OwnerHint) -> Match:
        """The one student whom all of the hint fits."""
        evidence = [ids for ids in self._evidence(hint) if ids]
        either, both = set().union(*evidence), set(either_and(evidence))
        if len(either) > 1 and len(both) > 1 and hint.number:
            both &= self._ids(
                hint.number
            )  # two people of one name, and the platform's numbers are the course's
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
        """Each hint's student. Two accounts of a platform are two people, whatever names they bear."""
        matches = [self.match(hint) for hint in hints]
        accounts = defaultdict[str, set[str]](set)
        for hint, match in zip(hints, matches, strict=True):
            if match.student is not None and hint.number:
                accounts[match.student.id].add(hint.number)
        return [
            Match(None, _two_accounts(match.student, accounts[match.student.id]))
            if match.student is not None and hint.number and len(accounts[match.student.id]) > 1
            else match
            for hint, match in zip(hints, matches, strict=True)
        ]

    def _evidence(self, hint: OwnerHint) -> Iterator[set[str]]:
        """The students whom each thing fits that a hint says."""
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
        """The student of exactly this id; else those whose id differs by case alone."""
        return {text} if text in self._students else self._by_id.get(folded(text), set())

    def _names(self, name: str) -> set[str]:
        return set().union(*(self._by_name.get(key, set()) for key in name_keys(name)))


def _two_accounts(student: Student, numbers: set[str]) -> str:
    return (
        f"{_named(student)} is alone on the roster with a name that the download gives to the numbers "
        f"{', '.join(sorted(numbers)[:_SHOWN])}; rename the files of the right one to their id"
    )


def either_and(evidence: Sequence[set[str]]) -> set[str]:
    """What all of the evidence agrees on."""
    return set.intersection(*evidence) if evidence else set()


def without_roster(hint: OwnerHint) -> Student:
    """The student a hint stands for where there is no roster: an id that no other person's hint has."""
    return Student(hint.id or hint.email or hint.number or hint.label, hint.name, hint.email)


def several(files: Iterable[tuple[str, str, str]], *, counts: str = "latest") -> Iterator[str]:
    """A line for each student with more than one file: (student's id, file's name, time or empty) in order.

    ``counts`` is the gradebook's policy: latest, best or deadline.
    """
    by_student: Mapping[str, list[tuple[str, str]]] = defaultdict(list)
    for student, name, at in files:
        by_student[student].append((name, at))
    for student, theirs in by_student.items():
        if len(theirs) > 1:
            names = ", ".join(name for name, _ in theirs[:_SHOWN])
            more = f" and {len(theirs) - _SHOWN} more" if len(theirs) > _SHOWN else ""
            yield f"{student} handed in {len(theirs)} files: {names}{more}; {_which(theirs, counts)}"


def _which(theirs: Sequence[tuple[str, str]], counts: str) -> str:
    if counts != "latest":
        return {"best": "the best counts", "deadline": "the last before the deadline counts"}[counts]
    chosen = latest([Candidate(order, at, Points(0)) for order, (_, at) in enumerate(theirs)])
    return f"the latest counts: {theirs[chosen.order][0]}"


def name_keys(name: str) -> set[str]:
    """Ways to write a name that platforms use: each order that only turns it around, squashed; and sorted."""
    words = words_of(name)
    turned = {"".join(words[start:] + words[:start]) for start in range(len(words))}
    return turned | ({" ".join(sorted(words))} if len(words) > 1 else set())


def words_of(name: str) -> list[str]:
    """A name's words without case, accents and signs. Letters of every script stay."""
    return "".join(map(_letter, name)).split()


def folded(text: str) -> str:
    """An id or address without case and outer blanks."""
    return text.strip().casefold()


def _letter(sign: str) -> str:
    """One sign of a name, alone, so that a name squashed by a platform gives the same as the name itself."""
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
    """What a hint says of the person, for one line."""
    said = dict.fromkeys(filter(None, (hint.name, hint.id, hint.email, *hint.words, hint.number)))
    return " / ".join(list(said)[:_SHOWN]) or hint.label or "unknown"


def _named(student: Student) -> str:
    return f"{student.name} ({student.id})" if student.name else student.id
