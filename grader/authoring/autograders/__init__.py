"""Autograders that run on other systems, for `grade package`: each a set of files, with Chainrule inside."""
