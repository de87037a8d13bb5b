"""Measurements, run by `python -m benchmarks`; never part of the tests."""
