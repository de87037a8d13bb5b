"""The tables as they are now, for queries. ``migrations`` creates them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

migration = Table(
    "migration",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("applied_at", Text, nullable=False),
)

student = Table(
    "student",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("at", Text, nullable=False),
)

submission = Table(
    "submission",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("student", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("submitted_at", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    UniqueConstraint("assignment", "student", "name", "sha256", "submitted_at"),
)

result = Table(
    "result",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("assignment", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("item_keys", Text, nullable=False),
    Column("items", Text, nullable=False),
    Column("prints", Text, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("earned", Integer, nullable=False),
    Column("possible", Integer, nullable=False),
    Column("decided", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("attention", Text, nullable=False),
)

grade = Table(
    "grade",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("submission", Integer, ForeignKey("submission.row"), nullable=False),
    Column("result_key", Text, ForeignKey("result.key"), nullable=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

mark = Table(
    "mark",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("submission", Integer, ForeignKey("submission.row"), nullable=False),
    Column("item", Text, nullable=False),
    Column("hundredths", Integer),
    Column("comment", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

arrival = Table(
    "arrival",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("submission", Integer, ForeignKey("submission.row"), nullable=False),
    Column("submitted_at", Text, nullable=False),
    Column("late", Integer),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

owner = Table(
    "owner",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("submission", Integer, ForeignKey("submission.row"), nullable=False),
    Column("student", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

extension = Table(
    "extension",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("student", Text, nullable=False),
    Column("until", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

participant = Table(
    "participant",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("student", Text, nullable=False),
    Column("at", Text, nullable=False),
)

roster = Table(
    "roster",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
)

refusal = Table(
    "refusal",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("student", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Text, nullable=False),
)

rubric_line = Table(
    "rubric_line",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("hundredths", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("retired", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

mark_basis = Table(
    "mark_basis",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("mark", Integer, ForeignKey("mark.row"), nullable=False, unique=True),
    Column("versions", Text, nullable=False),
    Column("adjustment", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("action", Text, nullable=False),
)

trial_mark = Table(
    "trial_mark",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("submission", Integer, ForeignKey("submission.row"), nullable=False),
    Column("item", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("versions", Text, nullable=False),
    Column("adjustment", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("hundredths", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
)

flag = Table(
    "flag",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("submission", Integer, ForeignKey("submission.row"), nullable=False),
    Column("item", Text, nullable=False),
    Column("raised", Integer, nullable=False),
    Column("words", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
)

regrade_request = Table(
    "regrade_request",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("submission", Integer, ForeignKey("submission.row"), nullable=False),
    Column("item", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("mark", Integer),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
)

regrade_reply = Table(
    "regrade_reply",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("request", Integer, ForeignKey("regrade_request.row"), nullable=False),
    Column("words", Text, nullable=False),
    Column("mark", Integer),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("assignment", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Text, nullable=False),
)

MARKING = (rubric_line, mark_basis, trial_mark, flag, regrade_request, regrade_reply)
"""What markers write; a lease is no fact, so it may change."""

FACTS = (
    *(student, submission, result, grade, mark, arrival, owner, extension, participant, roster, refusal),
    *MARKING,
)
"""The tables that only ever grow: triggers refuse UPDATE, DELETE and, in PostgreSQL, TRUNCATE."""
