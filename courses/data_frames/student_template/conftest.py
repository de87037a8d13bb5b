"""Lets plain `pytest` run this folder's public checks on the notebook."""

pytest_plugins = ["grader.public_checks.in_pytest"]
