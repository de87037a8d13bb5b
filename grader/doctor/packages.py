"""Whether what students may import can be imported here: each package tried in a sandbox of its own."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from grader.doctor.probing import ProbeResult, try_inside
from grader.model.isolation import Mode
from grader.sandbox.spec import BoxSpec, ProcessLimits
from grader.sandbox.zygote import Zygote

_SECONDS = 60.0
_LONGEST = 200
TO_INSTALL = {
    "Bio": "biopython",
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "fitz": "pymupdf",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}
"""Packages that pip knows by another name than `import` does."""


@dataclass(frozen=True, kw_only=True)
class PackageFinding:
    """One name of the manifest's `environment.packages`, imported as a notebook would.

    ``failure`` is "" if that worked, else why not; ``mend`` what to install or to write instead.
    """

    name: str
    version: str = ""
    failure: str = ""
    mend: str = ""


def try_packages(
    mode: Mode, packages: Sequence[str], *, memory_mb: int = ProcessLimits.memory_mb
) -> Generator[PackageFinding]:
    """Import each in a sandbox of ``mode``; yields each finding as soon as it is known.

    ``memory_mb`` is what a submission may use. Raises InfrastructureError if a sandbox does not start.
    """
    if not packages:
        return
    limits = ProcessLimits(memory_mb=memory_mb, wall_seconds=2 * _SECONDS)
    installed = importlib.metadata.packages_distributions()
    with Zygote.start(preload=("numpy",)) as zygote:
        for name in packages:
            spec = BoxSpec(mode=mode, limits=limits)
            source = f"import importlib\nimportlib.import_module({name!r})\nanswer = True"
            yield _finding(name, try_inside(zygote, spec, source, seconds=_SECONDS), installed)


def _finding(name: str, result: ProbeResult, installed: Mapping[str, Sequence[str]]) -> PackageFinding:
    distributions = installed.get(name, ())
    if result.answer is True:
        versions = ", ".join(importlib.metadata.version(found) for found in dict.fromkeys(distributions))
        return PackageFinding(name=name, version=versions)
    words = str(result.ended or result.error or "no answer")
    failure = " ".join(words.split())[:_LONGEST]
    if distributions:
        mend = f"`{name}` is installed and cannot be imported: see what it says, and install it anew"
        return PackageFinding(name=name, failure=failure, mend=mend)
    imported = [module for module, of in installed.items() if _is_one(name, of) and module[:1] != "_"]
    if imported:
        what = " or ".join(f"`{module}`" for module in sorted(imported)[:3])
        mend = f"write {what} in `environment.packages` instead of `{name}`: the name that `import` takes"
    else:
        mend = f"python -m pip install {TO_INSTALL.get(name, name)}"
    return PackageFinding(name=name, failure=failure, mend=mend)


def _is_one(name: str, distributions: Sequence[str]) -> bool:
    return _normal(name) in {_normal(found) for found in distributions}


def _normal(name: str) -> str:
    """A package's name as registries compare it (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")
