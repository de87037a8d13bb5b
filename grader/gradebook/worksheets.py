"""Moodle's grading worksheet, whose columns are named in the language of its site.

The words are those of Moodle's language packs: `recordid`, `hiddenuser` and `lastmodifiedsubmission` of
mod_assign, `fullname`, `idnumber`, `username` and `group` of its core.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set

import msgspec

IDENTIFIER = "identifier"
EMAIL = "email address"
_TIMED = re.compile(r"[^()]{1,100}\([^()]{1,100}\)")
_NUMBER = re.compile(r"\d{1,9}([.,]\d{1,9})?")
_PARTICIPANT = re.compile(r"(\D{0,60})(\d{1,18})")
_WORDS = frozenset(
    (
        "participant",
        "teilnehmer/in",
        "teilnehmer/innen",
        "teilnehmer*in",
        "teilnehmer:in",
        "participante",
        "partecipante",
        "deelnemer",
    )
)
# By what the English worksheet says: German, French, Spanish, Italian, Portuguese, Dutch.
_TRANSLATED: Mapping[str, tuple[str, ...]] = {
    "full name": (
        "vollständiger name",
        "nom complet",
        "nombre completo",
        "nome e cognome",
        "nome completo",
        "volledige naam",
    ),
    "id number": (
        "id-nummer",
        "numéro d'identification",
        "numéro d’identification",
        "número de id",
        "codice identificativo",
        "número de identificação (id)",
    ),
    "username": (
        "anmeldename",
        "nom d'utilisateur",
        "nom d’utilisateur",
        "nombre de usuario",
        "identificação de usuário",
        "nome de utilizador",
        "gebruikersnaam",
    ),
    "group": ("gruppe", "groupe", "grupo", "gruppo", "groep"),
    "last modified (submission)": (
        "zuletzt geändert (abgabe)",
        "dernière modification (travail remis)",
        "última modificación (entrega)",
        "ultima modifica (consegna)",
        "última modificação (envio)",
        "última atualização (submissão)",
        "laatst gewijzigd (inzending)",
    ),
}
_ENGLISH = {word: english for english, words in _TRANSLATED.items() for word in words}
_NO = frozenset(("no", "nein", "non", "não", "nee"))
_FEWEST_COLUMNS = 6  # identifier, status, grade, its maximum, whether it can be changed, its time


def participant_number(cell: str) -> str:
    """The number in "Participant 2012" or "Teilnehmer/in2012"; empty if the cell is something else."""
    found = _PARTICIPANT.fullmatch(cell)
    return found[2] if found else ""


class GradeColumns(msgspec.Struct, frozen=True):
    """Where a worksheet has its grades, their maximum, and the comments (None if it has no such column).

    ``possible`` is the maximum as it is written.
    """

    grade: int
    maximum: int
    possible: str
    comments: int | None

    def is_locked(self, row: Sequence[str]) -> bool:
        """Whether Moodle says, in the column after the maximum, that this grade cannot be changed."""
        return row[self.maximum + 1].strip().casefold() in _NO


def grade_columns(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> GradeColumns | None:
    """The columns of a worksheet that grades go into, in any language; None if it is no worksheet.

    Moodle writes the grade, then its maximum, which is the same number in each row; "Last modified (grade)"
    is the last column whose name ends in parentheses, and the comments follow it.
    """
    timed = [place for place, name in enumerate(columns) if _TIMED.fullmatch(name.strip())]
    found = list(range(2, timed[-1])) if timed else []
    first = list[str]()
    for row in rows:
        first = first or [*row]
        if not _PARTICIPANT.fullmatch(row[0].strip()):
            return None
        found = [place for place in found if row[place] == first[place] and _may_be_grade(row[place - 1])]
    found = [place for place in found if first and _is_number(first[place])]
    if not found:
        return None
    after = timed[-1] + 1
    return GradeColumns(found[-1] - 1, found[-1], first[found[-1]], after if after < len(columns) else None)


def _may_be_grade(cell: str) -> bool:
    return cell.strip() in ("", "-") or _is_number(cell)


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell.strip()))


def in_english(rows: Sequence[dict[str, str]], *, known: Collection[str]) -> list[dict[str, str]]:
    """A worksheet's rows with the columns that a roster needs named in English; other tables as they are."""
    names = english_names(rows, known=known)
    return [{names.get(column, column): cell for column, cell in row.items()} for row in rows]


def english_names(rows: Iterable[Mapping[str, str]], *, known: Collection[str]) -> dict[str, str]:
    """What a worksheet's columns are called in English, as far as a roster needs them; {} for other tables.

    In a language without translations here the first column, which Moodle fills with the participants, and
    the addresses are found by what is in them. ``known`` are the columns that say who somebody is.
    """
    columns, words, addressed, plain = list[str](), set[str](), set[str](), set[str]()
    for row in rows:
        columns = columns or list(row)
        found = _PARTICIPANT.fullmatch(row[columns[0]])
        words.add(found[1].strip().casefold() if found else "")
        for column, cell in row.items():
            if cell:
                (addressed if "@" in cell else plain).add(column)
    if not columns or not _is_worksheet(columns, words, known):
        return {}
    return dict(_names(columns, addressed - plain))


def _is_worksheet(columns: Sequence[str], words: Set[str], known: Collection[str]) -> bool:
    if words & _WORDS:
        return True
    is_one_word = len(words) == 1 and "" not in words
    return len(columns) >= _FEWEST_COLUMNS and is_one_word and not (set(columns) & set(known))


def _names(columns: Sequence[str], addressed: Set[str]) -> Iterator[tuple[str, str]]:
    """Each column with the name that it gets; no two get the same."""
    taken = set(columns)
    for place, column in enumerate(columns):
        english = IDENTIFIER if place == 0 else _ENGLISH.get(column, column)
        if english == column and column in addressed:
            english = EMAIL
        name = column if english in taken else english
        taken.add(name)
        yield column, name
