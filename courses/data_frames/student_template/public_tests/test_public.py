"""Small tables."""

from grader import assert_frame, assert_series, item


@item("2")
def test_one_loan(student):
    """a loan of a known book gets its title and year"""
    frame = student.module("pandas").DataFrame
    table = {"loan": [1], "book": [7]}
    found = student.with_titles(frame(table), frame({"book": [7], "title": ["Owls"], "year": [1999]}))
    assert_frame(found, {**table, "title": ["Owls"], "year": [1999]}, name="with_titles(loans, books)")


@item("5")
def test_three_lengths(student):
    """one of each length"""
    days = student.module("pandas").Series([3, 10, 50])
    assert_series(student.length_of(days), ["short", "usual", "long"], name="length_of([3, 10, 50])")
