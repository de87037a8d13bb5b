"""What was graded and marked, by whom, when and why: append-only rows in SQLite or PostgreSQL."""
