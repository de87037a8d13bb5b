"""What tests share: assignments, notebooks, sandboxes, servers, the makers of examples and of fuzzed inputs.

Tests write ``from support.notebooks import ...``: pytest finds the package through ``pythonpath`` in
pyproject.toml, a program that a test starts through ``PYTHONPATH`` (``support.paths.environment``).
Benchmarks and makers run in the repository's root and name it ``tests.support``. So that both work, the
modules in here import each other by relative names.
"""
