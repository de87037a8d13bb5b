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
    table = loans.drop_duplicates("loan", keep="last").sort_values("loan").reset_index(drop=True)
    return table.assign(
        branch=table["branch"].str.strip().str.capitalize(),
        lent=pd.to_datetime(table["lent"]),
        returned=pd.to_datetime(table["returned"]),
    )


# %% [markdown]
# ## 2 Join (3 points)


# %%
def with_titles(loans, books):
    """The loans, each with the `title` and `year` of its book, in the order of the loans.

    A loan whose book is not in `books` stays, with the title "unknown" and no year.
    """
    joined = loans.merge(books, on="book", how="left")
    return joined.assign(title=joined["title"].fillna("unknown"))


# %% [markdown]
# ## 3 Group (3 points)


# %%
def by_branch(loans):
    """One row for each branch, in alphabetical order: `branch`, the number of `loans` and of different `members`."""
    groups = loans.groupby("branch")
    return groups.agg(loans=("loan", "size"), members=("member", "nunique")).reset_index()


# %% [markdown]
# ## 4 Dates (4 points)


# %%
def days_late(loans, allowed, today):
    """For each loan, how many days it is late: more than `allowed` days after it was lent; 0 if it is not late.

    A loan that has not been returned counts up to `today`, a pd.Timestamp.
    """
    days = (loans["returned"].fillna(today) - loans["lent"]).dt.days
    return (days - allowed).clip(lower=0)


def per_month(loans):
    """The number of loans that began in each month, from the first month to the last, none left out.

    A table with the columns `month`, such as "2025-03", and `loans`.
    """
    months = loans["lent"].dt.strftime("%Y-%m")
    return loans.groupby(months).size().reset_index(name="loans").rename(columns={"lent": "month"})


# %% [markdown]
# ## 5 Categories (2 points)


# %%
def length_of(days):
    """Each number of days as one of the ordered categories "short" (up to 7), "usual" (up to 28) and "long"."""
    return pd.Series(pd.cut(days, [-1, 7, 28, float("inf")], labels=["short", "usual", "long"]))


# %% [markdown]
# ## 6 Plot (2 points)


# %%
def plot_months(months):
    """Axes with a bar for each row of per_month(...), as high as the number of loans, and both axes named."""
    _, axes = plt.subplots()
    axes.bar(months["month"], months["loans"])
    axes.set_xlabel("month")
    axes.set_ylabel("loans")
    return axes


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
