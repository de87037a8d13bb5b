# %% [markdown]
# # A library's loans
#
# `loans.csv` has a row for each loan, as three branches typed them in; `books.csv` a row for each book. Write your
# code where a `TODO` stands. No function changes the tables that it gets.

# %%
import matplotlib.pyplot as plt
import pandas as pd

loans, books = pd.read_csv("loans.csv"), pd.read_csv("books.csv")

# %% [markdown]
# ## 1 Clean (4 points)


# %%
def clean(loans):
    """Each loan once, with branches and dates that can be used.

    Of the rows with the same `loan` the last one stays. `branch` has no blanks around it and one capital letter:
    "North". `lent` and `returned` are dates; a loan that has not been returned has no date there, and stays. Rows
    are in the order of `loan`, numbered 0, 1, 2, ...
    """
    kept = {}
    for _, row in loans.iterrows():
        kept[row["loan"]] = row
    table = pd.DataFrame([kept[number] for number in sorted(kept)], columns=loans.columns)
    table.index = range(len(table))
    table["branch"] = [name.strip().lower().title() for name in table["branch"]]
    for name in ("lent", "returned"):
        table[name] = [pd.NaT if pd.isna(day) else pd.Timestamp(day) for day in table[name]]
    return table


# %% [markdown]
# ## 2 Join (3 points)


# %%
def with_titles(loans, books):
    """The loans, each with the `title` and `year` of its book, in the order of the loans.

    A loan whose book is not in `books` stays, with the title "unknown" and no year.
    """
    known = {row.book: (row.title, row.year) for row in books.itertuples()}
    found = [known.get(number, ("unknown", None)) for number in loans["book"]]
    table = loans.copy()
    table["title"] = [title for title, _ in found]
    table["year"] = [year for _, year in found]
    return table


# %% [markdown]
# ## 3 Group (3 points)


# %%
def by_branch(loans):
    """One row for each branch, in alphabetical order: `branch`, the number of `loans` and of different `members`."""
    rows = []
    for name in sorted(loans["branch"].unique()):
        of = loans[loans["branch"] == name]
        rows.append({"branch": name, "loans": len(of), "members": len(set(of["member"]))})
    return pd.DataFrame(rows)


# %% [markdown]
# ## 4 Dates (4 points)


# %%
def days_late(loans, allowed, today):
    """For each loan, how many days it is late: more than `allowed` days after it was lent; 0 if it is not late.

    A loan that has not been returned counts up to `today`, a pd.Timestamp.
    """
    found = []
    for _, loan in loans.iterrows():
        end = today if pd.isnull(loan["returned"]) else loan["returned"]
        found.append(max(0, (end - loan["lent"]).days - allowed))
    return pd.Series(found)


def per_month(loans):
    """The number of loans that began in each month, from the first month to the last, none left out.

    A table with the columns `month`, such as "2025-03", and `loans`.
    """
    counts = {}
    day = loans["lent"].min().replace(day=1)
    while day <= loans["lent"].max():
        counts[f"{day.year}-{day.month:02}"] = 0
        day = day + pd.DateOffset(months=1)
    for day in loans["lent"]:
        counts[day.strftime("%Y-%m")] += 1
    return pd.DataFrame(list(counts.items()), columns=["month", "loans"])


# %% [markdown]
# ## 5 Categories (2 points)


# %%
def length_of(days):
    """Each number of days as one of the ordered categories "short" (up to 7), "usual" (up to 28) and "long"."""
    names = ["short" if d <= 7 else "usual" if d <= 28 else "long" for d in days]
    kind = pd.CategoricalDtype(["short", "usual", "long"], ordered=True)
    return pd.Series(names).astype(kind)


# %% [markdown]
# ## 6 Plot (2 points)


# %%
def plot_months(months):
    """Axes with a bar for each row of per_month(...), as high as the number of loans, and both axes named."""
    plt.figure()
    for place, height in enumerate(months["loans"].tolist()):
        plt.bar(place, height, color="tab:green")
    plt.xticks(range(len(months)), months["month"])
    plt.xlabel("Month of 2025")
    plt.ylabel("Number of loans")
    return plt.gca()


# %%
table = clean(loans)
plot_months(per_month(table))
by_branch(table)

# %% [markdown]
# ## 7 What is missing (2 points)
#
# Why would it be wrong to drop the loans without a date of return before you compute how long a loan takes?

# %% [markdown]
# #### Answer 7
#
# Those are the books that are still out, and among them are the longest loans. Without them the mean is too small.
