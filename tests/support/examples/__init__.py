"""The makers of ``examples/``: a module for each group, a function for each submission."""
