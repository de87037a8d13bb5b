#!/bin/sh
# From an empty folder to a first graded submission of one's own: seven commands and what is typed in between.
#   sh ten_minutes.sh [WHAT...]    WHAT pip installs: wheels, a folder, or (without it) chainrule[instructor]
# Says how long each command took, and all of them. A line that begins with `run` is a command.
set -eu
count=0
begun=$(date +%s)

run() {
    count=$((count + 1))
    printf '\n%s: $ %s\n' "$count" "$*"
    start=$(date +%s)
    "$@"
    printf '%s: %s s\n' "$count" "$(($(date +%s) - start))"
}

run python3 -m venv .venv
run .venv/bin/pip install --quiet "${@:-chainrule[instructor]}"
PATH=$PWD/.venv/bin:$PATH

run grade new scaling --kind notebook
run cd scaling

# One's own question in place of the example's: the points, the solved notebook, a check of it.
cat >assignment.toml <<'END'
title = "Scaling"
points = 3
notebook = "reference/scaling.py"

[[item]]
id = "1"
title = "Standardise"
points = 3
END

cat >reference/scaling.py <<'END'
# %%
import numpy as np

# %% [markdown]
# ## 1 Standardise (3 points)
#
# Give each column of `X` mean 0 and standard deviation 1. A constant column becomes 0.


# %%
def standardise(X):
    """X (N, D) -> (N, D)."""
    # TODO: the columns of X, standardised
    ### BEGIN SOLUTION
    scale = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(scale == 0, 1, scale)
    ### END SOLUTION
END

cat >hidden_tests/test_hidden.py <<'END'
import numpy as np

from grader import assert_close, item, points


@item("1")
@points(2, hint="Each column has a mean of its own.")
def test_columns(student, rng):
    """standardise of random columns"""
    X = rng.normal(size=(5, 3)) * [1, 10, 100]
    assert_close(student.standardise(X), (X - X.mean(0)) / X.std(0), name="standardise(X)")


@item("1")
@points(1, hint="What is the standard deviation of a constant column?")
def test_a_constant_column(student, rng):
    """standardise of a constant column"""
    X = np.column_stack([rng.normal(size=4), np.full(4, 7.0)])
    assert_close(student.standardise(X)[:, 1], np.zeros(4), name="standardise(X)[:, 1]")
END

cat >reference/public_tests/test_public.py <<'END'
import numpy as np

from grader import assert_close, item


@item("1")
def test_two_rows(student):
    """standardise of two rows"""
    assert_close(student.standardise(np.array([[0.0], [2.0]])), [[-1], [1]], name="standardise([[0], [2]])")
END

run grade check
run grade template

# A student's answer, which has not thought of constant columns.
cat >answer.py <<'END'
def standardise(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)
END

run grade answer.py --seed 1

printf '\n%s commands, %s s\n' "$count" "$(($(date +%s) - begun))"
