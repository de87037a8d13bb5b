"""Environments of their own for nbgrader and otter-grader, made once in a cache folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TORCH = "torch==2.13.0"
BESIDE = ("numpy==2.4.6", "matplotlib==3.11.2", "ipykernel==7.4.0")
"""What the notebooks import and what runs them: the versions that constraints.txt has for Chainrule."""
PEERS = {"nbgrader": "nbgrader==0.9.6", "otter-grader": "otter-grader==7.0.0"}


def cache() -> Path:
    """Where the environments are: CHAINRULE_PEERS, or a folder of the user's cache."""
    named = os.environ.get("CHAINRULE_PEERS")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "chainrule" / "peers"


def programs(peer: str) -> Path:
    """The folder with the programs of a peer's environment, which is made where there is none: 1 GB."""
    place = cache() / peer
    finished = place / "installed.txt"
    wanted = " ".join((TORCH, PEERS[peer], *BESIDE))
    if not finished.is_file() or finished.read_text() != wanted:
        install(place, PEERS[peer])
        finished.write_text(wanted)
    return place / "bin"


def install(place: Path, package: str) -> None:
    """Make an environment. Torch goes first, alone, so that the build for processors is taken."""
    print(f"installing {package} in {place}", flush=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, TORCH], check=True)
    subprocess.run([*pip, TORCH, package, *BESIDE], check=True)


def version(bin_folder: Path, package: str) -> str:
    """The installed version of a package in an environment."""
    script = f"import importlib.metadata as m; print(m.version({package!r}))"
    found = subprocess.run(
        [str(bin_folder / "python"), "-c", script], check=True, capture_output=True, text=True
    )
    return found.stdout.strip()
