"""The cases' own files are inputs: pytest looks at none of them."""

from __future__ import annotations

from support.unmeasured import unmeasured  # noqa: F401  # a fixture

collect_ignore_glob = ["*/*/*"]
