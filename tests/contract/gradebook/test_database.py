"""Addresses, versions and what goes wrong with a database, in words that say what to do."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from support.postgres import Server

from grader.gradebook import migrations, schema
from grader.gradebook.database import connect, parse_url, reading, without_password, write_ahead, writing
from grader.gradebook.migrations import Migration
from grader.gradebook.rows import Arrival, NewSubmission
from grader.gradebook.store import Gradebook
from grader.gradebook.upgrade import upgrade
from grader.model.errors import GradebookError


def test_migrations_make_the_tables_that_queries_expect(url: str) -> None:
    with Gradebook.open(url) as gradebook, reading(gradebook._engine) as connection:
        found = inspect(connection)
        assert set(found.get_table_names()) == set(schema.metadata.tables)
        for name, table in schema.metadata.tables.items():
            columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
            assert columns == {column.name: column.nullable for column in table.columns}, name


def test_migrations_are_numbered_in_order() -> None:
    assert [step.number for step in migrations.MIGRATIONS] == list(range(1, migrations.NEWEST + 1))


def test_an_older_gradebook_is_brought_up_to_date_and_keeps_its_rows(url: str) -> None:
    with Gradebook.open(url) as gradebook:
        gradebook.add_submission(NewSubmission("HW3", "a", "aa"))
    step = Migration(
        migrations.NEWEST + 1, "a remark", lambda c: c.exec_driver_sql("CREATE TABLE remark (x TEXT)")
    )
    engine = connect(parse_url(url))
    steps = (*migrations.MIGRATIONS, step)
    assert upgrade(engine, now="now", steps=steps) == ["a remark"]
    assert upgrade(engine, now="now", steps=steps) == []
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM submission")).scalar() == 1
    engine.dispose()


def test_a_gradebook_of_the_first_release_opens_with_all_its_rows(url: str) -> None:
    engine = connect(parse_url(url))
    assert upgrade(engine, now="then", steps=migrations.MIGRATIONS[:1]) == ["first tables"]
    with writing(engine) as connection:
        for statement in (
            "INSERT INTO submission (assignment, student, name, sha256, path, submitted_at, received_at) "
            "VALUES ('HW3', 'ada', 'a.ipynb', 'aa', '/a.ipynb', '2026-11-20T12:00:00+00:00', 'then')",
            "INSERT INTO result (key, assignment, sha256, item_keys, items, prints, record, earned, "
            "possible, decided, at) VALUES ('k', 'HW3', 'aa', '{}', '[]', '[]', '', 100, 200, 200, 'then')",
            "INSERT INTO grade (submission, result_key, at, author, reason) "
            "VALUES (1, 'k', 'then', 'eve', '')",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    with Gradebook.open(url) as gradebook:
        [grade] = gradebook.grades("HW3")
        assert (grade.submission.student, grade.submission.late, grade.attention) == ("ada", None, "")
        assert grade.submission.submitted_at == "2026-11-20T12:00:00+00:00"
        assert gradebook.add_arrivals([(grade.submission.row, Arrival(late=True))], author="", reason="") == 1


def test_a_failed_migration_leaves_everything_as_it_was(url: str) -> None:
    def fails(connection: object) -> None:
        connection.exec_driver_sql("CREATE TABLE half (x TEXT)")
        connection.exec_driver_sql("CREATE TABLE half (x TEXT)")

    engine = connect(parse_url(url))
    with pytest.raises(GradebookError):
        upgrade(
            engine, now="now", steps=(*migrations.MIGRATIONS, Migration(migrations.NEWEST + 1, "half", fails))
        )
    with reading(engine) as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()


def test_a_newer_gradebook_is_refused_and_untouched(url: str) -> None:
    with Gradebook.open(url) as gradebook, writing(gradebook._engine) as connection:
        connection.execute(text("INSERT INTO migration VALUES (99, 'from tomorrow', 'then')"))
    with pytest.raises(GradebookError, match=r"newer Chainrule.*pip install --upgrade"):
        Gradebook.open(url)


def test_a_database_of_something_else_is_refused(url: str) -> None:
    engine = connect(parse_url(url))
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE wages (x TEXT)")
    with pytest.raises(GradebookError, match=r"other tables \(wages\)"):
        Gradebook.open(url)
    engine.dispose()


def test_a_locked_gradebook_says_so(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with Gradebook.open(str(path), wait=0.1) as gradebook:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(GradebookError, match="another program is writing"):
            gradebook.add_submission(NewSubmission("HW3", "a", "aa"))
        other.close()
        gradebook.add_submission(NewSubmission("HW3", "a", "aa"))


@pytest.mark.parametrize(("kind", "mode"), [("ext4", "wal"), ("nfs4", "delete")])
def test_a_commit_waits_for_the_disk_once_while_that_is_asked_for(
    tmp_path: Path, kind: str, mode: str
) -> None:
    folder, mounts = tmp_path / "a course", tmp_path / "mounts"
    folder.mkdir()
    place = str(folder).replace(" ", "\\040")
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nthere:/b {place} {kind} rw 0 0\n")
    path = folder / "gradebook.sqlite"
    with Gradebook.open(str(path)) as gradebook:
        with write_ahead(gradebook._engine, mounts=mounts), reading(gradebook._engine) as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == mode
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # in full: marks are kept
            assert gradebook.add_submissions([NewSubmission("HW3", "a", "1")]) == [1]
        assert [one.name for one in folder.iterdir()] == [path.name]
        assert len(list(gradebook.submissions("HW3"))) == 1
        with sqlite3.connect(path) as other:  # a busy one stays as it is
            other.execute("BEGIN IMMEDIATE")
            with write_ahead(gradebook._engine, mounts=mounts), reading(gradebook._engine) as connection:
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"


def test_a_full_disk_says_so_and_loses_nothing(tmp_path: Path) -> None:
    with Gradebook.open(str(tmp_path / "book.sqlite")) as gradebook:
        row = gradebook.add_submission(NewSubmission("HW3", "a", "aa"))
        with reading(gradebook._engine) as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        raw = gradebook._engine.raw_connection()
        raw.execute(f"PRAGMA max_page_count = {pages}")
        raw.close()
        with pytest.raises(GradebookError, match="the disk is full; make room"):
            gradebook.add_submission(NewSubmission("HW3", "b" * 100_000, "aa"))
        assert [entry.row for entry in gradebook.submissions("HW3")] == [row]


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    path.write_text("student,points\n" * 1000)
    with pytest.raises(GradebookError, match="is no gradebook; name another with --db"):
        Gradebook.open(str(path))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GradebookError, match="file"):
        Gradebook.open(str(tmp_path / "file" / "book.sqlite"))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("mysql://root:secret@host/db", "cannot live in"),
        ("postgresql://grader:secret@host:port/x", "not a database URL"),
    ],
)
def test_an_address_of_another_kind(address: str, why: str) -> None:
    with pytest.raises(GradebookError, match=why) as caught:
        parse_url(address)
    assert "secret" not in str(caught.value)
    assert "--db" in str(caught.value) or "sqlite:///" in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(GradebookError, match=r"cannot be reached.*") as caught:
        Gradebook.open("postgresql://ada:s3cret@127.0.0.1:1/books", wait=2)
    assert "s3cret" not in str(caught.value)
    assert "ada@127.0.0.1:1/books" in str(caught.value)


def test_a_database_that_does_not_exist(postgres: Server) -> None:
    with pytest.raises(GradebookError, match="createdb NAME"):
        Gradebook.open(postgres.url_of("nowhere"))


def test_a_password_is_not_shown() -> None:
    assert without_password("postgresql://ada:s@cret@host/x") == "postgresql://ada@host/x"
    assert without_password("plain.sqlite") == "plain.sqlite"
