"""Searches for inputs that break a target, led by coverage (atheris): ``tox -e fuzz [-- TARGET...]``.

``CHAINRULE_FUZZ_SECONDS`` is how long all targets take together, 60 by default. Inputs that reach new code
are kept in the folder that ``CHAINRULE_FUZZ_CORPUS`` names, if any. What breaks a target is written to
``CHAINRULE_FUZZ_FOUND``, by default the working directory, as ``crash-...``, ``timeout-...`` or ``oom-...``,
and the exit status is 1. Put it into ``corpus/TARGET/`` under a name that says what it is:
``test_corpus.py`` then replays it for ever.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MOST_MEGABYTES = 200  # that an input, or all of them together, may add
LONGEST_SECONDS = 20  # for one input, whatever its size
SIZES = {"frames": 1 << 13, "notebooks": 1 << 14, "archives": 1 << 14}


def hunt(target: str, seconds: int, kept: Path) -> None:
    """Search in this process; libFuzzer ends it."""
    import atheris  # type: ignore[import-untyped]  # noqa: PLC0415  # only this process is instrumented

    with atheris.instrument_imports(include=["grader"]):
        from support.fuzzing import targets  # noqa: PLC0415  # with all of the package
    seeds = targets.seeds(target)
    for seed in seeds:  # what is loaded or cached at first use is no growth
        targets.TARGETS[target](seed.read_bytes())
    kept.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={LONGEST_SECONDS}",
        f"-rss_limit_mb={resident_megabytes() + MOST_MEGABYTES}",
        f"-max_len={SIZES[target]}",
        f"-artifact_prefix={Path(os.environ.get('CHAINRULE_FUZZ_FOUND') or '.')}/",
        "-print_final_stats=1",
        "-verbosity=0" if "CI" in os.environ else "-verbosity=1",
    ]
    command = [sys.argv[0], *options, str(kept), str(targets.CORPUS / target)]
    atheris.Setup(command, targets.TARGETS[target])
    atheris.Fuzz()


def resident_megabytes() -> int:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def main(names: list[str]) -> int:
    """Each target in a process of its own; 1 when any was broken."""
    if names[:1] == ["--here"]:
        hunt(names[1], int(names[2]), Path(names[3]))
    if importlib.util.find_spec("atheris") is None:  # tox installs it wherever there is a build of it
        print("no atheris for this machine and Python: try python -m benchmarks.mutations")  # noqa: T201
        return 0
    seconds = int(os.environ.get("CHAINRULE_FUZZ_SECONDS") or 60)
    each = str(max(1, seconds // len(names)))
    found_here = {**os.environ, "PYTHONPATH": str(TESTS)}  # support, which only these tests import
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(os.environ.get("CHAINRULE_FUZZ_CORPUS") or scratch)
        ends = [
            subprocess.run(
                [sys.executable, __file__, "--here", name, each, str(folder / name)],
                env=found_here,
                check=False,
            )
            for name in names
        ]
    return int(any(end.returncode for end in ends))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(SIZES)))
