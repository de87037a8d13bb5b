"""Many submissions: what has to be graded, by whom, and what is kept of earlier results."""
