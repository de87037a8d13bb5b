"""docs/record.md describes every field of the record: its order, its type, an example that fits."""

from __future__ import annotations

import re
import types
import typing
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.report_samples import mixed

from grader.model.assignment import BudgetValue, Limits
from grader.model.points import Points
from grader.model.records import (
    CellResult,
    CheckResult,
    DoctorVerdict,
    Environment,
    Figure,
    FileRecord,
    Grade,
    ItemResult,
    PersonsMark,
    SubmissionRecord,
    decode,
    encode,
)

STRUCTS = (
    Grade,
    SubmissionRecord,
    FileRecord,
    Environment,
    DoctorVerdict,
    Limits,
    ItemResult,
    PersonsMark,
    CheckResult,
    CellResult,
    Figure,
)
PAGE = (Path(__file__).parents[2] / "docs" / "record.md").read_text(encoding="utf-8")
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", bytes: "base64", Points: "points"}


def rows(name: str) -> list[tuple[str, str, str, str]]:
    """The table's rows in the section of this name: field, type, meaning, example."""
    section = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \| (.+?) \|$", section, re.MULTILINE)
    assert len(found) == section.count("\n| ") - 1, "every row but the heads is read"
    return found


def type_name(kind: object) -> str:
    """A field's type as the page writes it."""
    if kind in PLAIN:
        return PLAIN[kind]  # type: ignore[index]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "one of " + ", ".join(kind)
    if typing.get_origin(kind) is tuple:
        return f"list of {type_name(typing.get_args(kind)[0])}"
    if typing.get_origin(kind) is dict:
        value = typing.get_args(kind)[1]
        return "object of values" if value == BudgetValue else f"object of {type_name(value)}"
    if isinstance(kind, types.UnionType):
        return f"{type_name(typing.get_args(kind)[0])}; or null"
    assert kind in STRUCTS
    return kind.__name__  # type: ignore[attr-defined]


def as_points(kind: type, value: object) -> object:
    assert kind is Points
    return Points.of(typing.cast(str, value))


@pytest.mark.parametrize("struct", STRUCTS)
def test_every_field_is_documented_in_order_with_its_type(struct: type[msgspec.Struct]) -> None:
    hints = typing.get_type_hints(struct)
    expected = [(name, type_name(hints[name])) for name in struct.__struct_fields__]
    assert [(name, kind) for name, kind, _, _ in rows(struct.__name__)] == expected


@pytest.mark.parametrize("struct", STRUCTS)
def test_every_example_fits_its_field(struct: type[msgspec.Struct]) -> None:
    hints = typing.get_type_hints(struct)
    for name, _, meaning, example in rows(struct.__name__):
        assert meaning.strip()
        if example != "see below":
            decoder = msgspec.json.Decoder(hints[name], dec_hook=as_points, float_hook=str)
            decoder.decode(example.strip("`"))


def test_every_struct_of_a_record_has_a_section() -> None:
    """A Struct that becomes reachable from Grade must be documented too."""
    reached: set[type] = set()

    def walk(kind: object) -> None:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in reached:
            reached.add(kind)
            for hint in typing.get_type_hints(kind).values():
                walk(hint)
        for part in typing.get_args(kind):
            walk(part)

    walk(Grade)
    assert reached == set(STRUCTS)
    assert re.findall(r"^## (\w+)$", PAGE, re.MULTILINE) == [struct.__name__ for struct in STRUCTS]


def test_json_consumers_find_what_the_page_promises() -> None:
    tree = msgspec.json.decode(encode(mixed()))
    assert set(tree) == set(Grade.__struct_fields__), "defaults are written too"
    first = tree["items"][0]
    assert {name: first[name] for name in ("item", "earned", "possible", "decided")} == {
        "item": "3.1.1",
        "earned": 4,
        "possible": 6,
        "decided": True,
    }


def test_a_record_survives_the_disk() -> None:
    assert decode(encode(mixed())) == mixed()


def without_what_version_4_added() -> dict[str, Any]:
    tree: dict[str, Any] = msgspec.json.decode(encode(mixed()))
    for item in tree["items"]:
        for check in item["checks"]:
            del check["mistake"]
    return tree


def test_a_record_of_the_third_version_is_read() -> None:
    """It named no mistakes."""
    old = decode(msgspec.json.encode({**without_what_version_4_added(), "schema": "chainrule.grade/3"}))
    assert {check.mistake for item in old.items for check in item.checks} == {""}
    assert decode(encode(old)) == old


def without_what_version_3_added() -> dict[str, Any]:
    tree = without_what_version_4_added()
    del tree["submission"]["files"]
    for cell in tree["cells"]:
        del cell["notes"], cell["file"]
    return tree


def test_a_record_of_the_second_version_is_read() -> None:
    """It had no files beside the one that was graded, and no notes."""
    old = decode(msgspec.json.encode({**without_what_version_3_added(), "schema": "chainrule.grade/2"}))
    assert (old.schema, old.submission.files) == ("chainrule.grade/2", ())
    assert {(cell.notes, cell.file) for cell in old.cells} == {((), "")}
    assert decode(encode(old)) == old


def test_a_record_of_the_first_version_is_read() -> None:
    """It had no place for doctor's verdict either."""
    tree = without_what_version_3_added()
    del tree["environment"]["doctor"]
    old = decode(msgspec.json.encode({**tree, "schema": "chainrule.grade/1"}))
    assert (old.schema, old.environment.doctor) == ("chainrule.grade/1", None)
    assert decode(encode(old)) == old


def test_a_field_that_is_not_known_is_refused() -> None:
    tree = msgspec.json.decode(encode(mixed()))
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        decode(msgspec.json.encode({**tree, "extra": 1}))
