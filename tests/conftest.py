"""What every test runs under: Hypothesis without chance, so that a failure here is a failure everywhere."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "chainrule",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # it looks at the clock, and a busy machine is no failure
)
settings.load_profile("chainrule")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process per core with ``-n logical``, two with ``-n auto``: many tests mostly wait for programs."""
    given = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    each = 1 if config.option.numprocesses == "logical" else 2
    return int(given) if given else each * (os.cpu_count() or 1)
