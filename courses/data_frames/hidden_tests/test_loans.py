"""Tables are made on the students' side and come back as plain data, which is compared without pandas."""

import numpy as np

from grader import assert_frame, assert_series, assert_text, item, points

SIDE = """
import pandas as pd


def frame(columns, *dates):
    table = pd.DataFrame(columns)
    return table.assign(**{name: pd.to_datetime(table[name]) for name in dates})


def call(function, columns, *others):
    table = frame(columns, "lent", "returned")
    return function(table, *[pd.Timestamp(other) if isinstance(other, str) else other for other in others])


def after(function, columns):
    table = frame(columns)
    function(table)
    return table


def months(function, lent):
    return function(frame({"loan": range(len(lent)), "lent": lent}, "lent"))


def kinds(series):
    return bool(series.cat.ordered), list(series.cat.categories)


def drawn(axes):
    bars = [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in axes.patches]
    return [height for _, height in sorted(bars)], axes.get_xlabel(), axes.get_ylabel()
"""


def some_loans(rng, n=12):
    """Loans of three branches, every third still out; lent and returned as texts."""
    lent = np.datetime64("2025-02-03") + rng.integers(60, size=n)
    back = lent + rng.integers(1, 50, size=n)
    return {
        "loan": [int(k) for k in rng.permutation(n) + 100],
        "member": [f"m{k}" for k in rng.integers(4, size=n)],
        "book": [int(k) for k in rng.integers(1, 6, size=n)],
        "branch": [["North", "South", "Harbour"][k % 3] for k in range(n)],
        "lent": [str(day) for day in lent],
        "returned": [None if k % 3 == 0 else str(day) for k, day in enumerate(back)],
    }


def days(texts):
    return np.array(["NaT" if text is None else text for text in texts], dtype="datetime64[ns]")


def rows(table, order):
    return {name: [column[k] for k in order] for name, column in table.items()}


def cleaned(table):
    """What clean should give for tables whose branches are spelt right."""
    last = {number: k for k, number in enumerate(table["loan"])}
    table = rows(table, [last[number] for number in sorted(last)])
    return {**table, "lent": days(table["lent"]), "returned": days(table["returned"])}


@item("1")
@points(
    2,
    hint="What is in loans.csv twice, and how is a branch spelt? Loans that are still out stay.",
    tell_mistake=True,
)
def test_clean(student, rng):
    """loans once and in order, branches spelt alike, dates as dates; those still out stay"""
    table = some_loans(rng)
    expected = cleaned(table)
    table["branch"] = [
        [f" {name.lower()}", f"{name.upper()} ", name][k % 3] for k, name in enumerate(table["branch"])
    ]
    again = rows(table, [*range(12), 3, 4])
    found = student.clean(student.provide(SIDE).frame(again))
    assert_frame(found, expected, name="clean(loans)")


@item("1")
@points(1, hint="Which of the rows of one loan stays?")
def test_clean_last(student, rng):
    """of several rows of a loan the last one stays"""
    table = some_loans(rng, 6)
    later = rows(table, [0, 1, 2, 3, 4, 5, 2])
    later["returned"][6], later["member"][6] = "2025-12-24", "m9"
    found = student.clean(student.provide(SIDE).frame(later))
    assert_frame(found, cleaned(later), name="clean(loans), a loan changed")


@item("1")
@points(1, hint="Write into a copy, or use functions that return a new table.")
def test_clean_changes_nothing(student, rng):
    """the table that clean gets stays as it is"""
    table = some_loans(rng, 6)
    table["branch"] = [f" {name.lower()}" for name in table["branch"]]
    assert_frame(student.provide(SIDE).after(student.clean, table), table, name="loans after clean(loans)")


@item("2")
@points(
    3,
    hint="As many rows as there are loans, in their order; and a book that nobody entered?",
    tell_mistake=True,
)
def test_with_titles(student, rng):
    """each loan has its title and year, or "unknown\""""
    table = some_loans(rng)
    table["book"][5] = 99
    side = student.provide(SIDE)
    books = {"book": [5, 4, 3, 2, 1], "title": list("edcba"), "year": [2005, 2004, 2003, 2002, 2001]}
    titles = [("abcde"[k - 1] if k < 9 else "unknown") for k in table["book"]]
    years = [(2000.0 + k if k < 9 else np.nan) for k in table["book"]]
    expected = {**table, "title": titles, "year": years}
    assert_frame(
        student.with_titles(side.frame(table), side.frame(books)), expected, index=False, name="with_titles"
    )


@item("3")
@points(3, hint="How many rows has a branch, and how many different members?", tell_mistake=True)
def test_by_branch(student, rng):
    """loans and different members of each branch"""
    table = some_loans(rng)
    table["branch"][1] = "Harbour"
    names = sorted(set(table["branch"]))
    of = {
        name: [m for m, branch in zip(table["member"], table["branch"], strict=True) if branch == name]
        for name in names
    }
    expected = {
        "branch": names,
        "loans": [len(of[n]) for n in names],
        "members": [len(set(of[n])) for n in names],
    }
    found = student.by_branch(student.provide(SIDE).frame(table, "lent", "returned"))
    assert_frame(found, expected, index=False, name="by_branch(loans)")


@item("4")
@points(
    2,
    hint="Loans that are still out count up to today, and nobody is late by less than 0 days.",
    tell_mistake=True,
)
def test_days_late(student, rng):
    """days late, also of loans that are still out"""
    table = some_loans(rng)
    today = np.datetime64("2025-05-20")
    back = np.where(
        np.isnat(days(table["returned"])), today.astype("datetime64[ns]"), days(table["returned"])
    )
    out = (back - days(table["lent"])).astype("timedelta64[D]").astype(int)
    for allowed in (14, int(out.max())):
        found = student.provide(SIDE).call(student.days_late, table, allowed, "2025-05-20")
        assert_series(
            found, np.maximum(out - allowed, 0), index=False, name=f"days_late(loans, {allowed}, today)"
        )


@item("4")
@points(2, hint="Is there a row for a month in which nothing was lent?", tell_mistake=True)
def test_per_month(student, rng):
    """loans of each month, also of one without any, over the turn of a year"""
    lent = ["2024-11-30", "2024-11-01", "2025-02-28", "2025-02-01", "2025-02-14", "2025-03-31"]
    found = student.provide(SIDE).months(student.per_month, [lent[k] for k in rng.permutation(6)])
    expected = {"month": ["2024-11", "2024-12", "2025-01", "2025-02", "2025-03"], "loans": [2, 0, 0, 3, 1]}
    assert_frame(found, expected, index=False, name="per_month(loans)")


@item("5")
@points(2, hint="To which of two neighbours do 7 and 28 belong? And which category is the smallest?")
def test_length_of(student, rng):
    """lengths as ordered categories, their limits included"""
    numbers = [0, 7, 8, 28, 29, 400, int(rng.integers(9, 28))]
    found = student.length_of(student.module("pandas").Series(numbers))
    names = ["short" if k <= 7 else "usual" if k <= 28 else "long" for k in numbers]
    assert_series(found, names, index=False, name="length_of(days)")
    ordered, categories = student.provide(SIDE).kinds(found)
    assert ordered, "the categories are not ordered"
    assert categories == ["short", "usual", "long"], "the categories are not in the order short, usual, long"


@item("6")
@points(2, hint="A bar for each month, as high as its loans, and a name for each axis.")
def test_plot_months(student, rng):
    """a bar for each month, and named axes"""
    counts = [int(k) for k in rng.integers(1, 30, size=5)]
    frame = student.provide(SIDE).frame({"month": [f"2025-0{k}" for k in range(1, 6)], "loans": counts})
    heights, *names = student.provide(SIDE).drawn(student.plot_months(frame))
    assert_series(heights, counts, name="the heights of the bars")
    assert_text("named" if all(names) else "without a name", "named", name="the axes")
