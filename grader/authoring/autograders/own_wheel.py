"""Chainrule itself as a wheel, made from what is installed; and the versions of all that it needs here.

The package has no index to be fetched from, and elsewhere should grade what the checks were tried with.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from grader.model.errors import UsageError
from grader.model.version import __version__
from grader.notebooks.names import imported_packages

NAME = "chainrule"
WHEEL = f"{NAME}-{__version__}-py3-none-any.whl"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def wheel() -> bytes:
    """The wheel's bytes; the same files give the same."""
    info = f"{NAME}-{__version__}.dist-info"
    files = dict(_package())
    files[f"{info}/METADATA"] = _told("METADATA").encode()
    files[f"{info}/entry_points.txt"] = _told("entry_points.txt").encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: chainrule\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    return zipped(files)


def zipped(files: dict[str, bytes], *, programs: Iterable[str] = ()) -> bytes:
    """A zip file of these files, in their order; ``programs`` may be executed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if name in set(programs) else 0o100644) << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def requirements(packages: Iterable[str]) -> dict[str, bytes]:
    """What students may import, and all versions of here: files for pip.

    `pytorch.txt` is installed before, alone: builds for processors, which another index has, if any is here.
    Raises UsageError for a package that is not installed: nobody would know which version to take.
    """
    known = importlib.metadata.packages_distributions()
    missing = sorted(package for package in packages if package not in known)
    if missing:
        raise UsageError(
            f"`environment.packages` names {', '.join(missing)}, not installed here; install what the checks "
            "were tried with, so that its version is known"
        )
    wanted = sorted({known[package][0] for package in packages})
    versions = dict(sorted(_closure([NAME, *wanted])))
    versions.pop(NAME, None)
    pinned = {name: f"{name}=={version}" for name, version in versions.items()}
    cpu = [pinned[name] for name, version in versions.items() if version.endswith("+cpu")]
    files = {
        "requirements.txt": wanted,
        "constraints.txt": [*pinned.values()],
        "pytorch.txt": [f"--index-url {CPU_INDEX}", *cpu] if cpu else [],
    }
    return {name: "".join(f"{line}\n" for line in lines).encode() for name, lines in files.items()}


def imported(sources: Iterable[bytes]) -> set[str]:
    """The packages installed here that Python sources import, Chainrule aside."""
    known = importlib.metadata.packages_distributions()
    found = {name for source in sources for name in imported_packages(source.decode("utf-8", "replace"))}
    return {name for name in found if name in known} - {"grader"}


def python_here() -> str:
    """This Python's version, such as 3.11."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _package() -> Iterator[tuple[str, bytes]]:
    folder = Path(__file__).parents[2]
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield f"{folder.name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _told(name: str) -> str:
    try:
        text = importlib.metadata.distribution(NAME).read_text(name)
    except importlib.metadata.PackageNotFoundError:
        text = None
    if text is None:
        raise UsageError(
            "Chainrule is not installed here as a package; install it with pip, then make the package"
        )
    return text


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _closure(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each distribution that these need here, themselves too, with its version."""
    seen, left = set[str](), [*names]
    while left:
        name = canonicalize_name(left.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        yield name, found.version
        for text in found.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                left.append(needed.name)
