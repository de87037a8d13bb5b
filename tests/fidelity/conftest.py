"""These tests run without coverage."""

from __future__ import annotations

from support.unmeasured import unmeasured  # noqa: F401  # a fixture
