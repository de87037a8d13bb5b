"""Assignments of other systems, described alike, and written as ours. `grade import` uses it."""
