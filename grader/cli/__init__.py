"""The `grade` command: one module a command. Nothing heavy is imported for `--help`."""
