"""What one sandbox is to be, and how it ended. Plain data that crosses to the zygote as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from grader.model.isolation import Ending, Mode

MEGABYTE = 1 << 20
WORKDIR = "/home/student"
"""The working directory inside, in every mode that has a file system of its own."""

MORE = "+"
"""In place of a module's name: a warm process will be told which others it has to import."""


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    """Limits of one sandbox. Megabytes are 2**20 bytes, seconds are real time unless named otherwise.

    ``memory_mb`` bounds what all processes of the sandbox hold in memory together (shared pages once), by
    the supervisor's watchdog. ``address_space_mb`` bounds each process's reservations by the kernel; it is
    only a backstop for what grows between two looks, because libraries reserve far more than they use.
    ``cpu_seconds`` bounds each process, ``wall_seconds`` the whole sandbox. ``disk_mb`` is what the working
    directory, /tmp and /dev/shm may hold together, ``file_mb`` the largest single file.
    """

    memory_mb: int = 2048
    address_space_mb: int | None = None
    processes: int = 64
    open_files: int = 256
    file_mb: int = 128
    disk_mb: int = 256
    cpu_seconds: int = 600
    wall_seconds: float = 600.0

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be more than 0, not {value!r}")

    @property
    def reserved_mb(self) -> int:
        """Address space of one process: as asked for, or 4 GB above the memory limit (torch maps 0.7 GB)."""
        return self.memory_mb + 4096 if self.address_space_mb is None else self.address_space_mb


@dataclass(frozen=True, kw_only=True)
class BoxSpec:
    """One sandbox.

    ``files`` are shown read-only in the working directory: base name there -> path here (a file or a folder).
    ``extra`` are further folders shown read-only at their own path. ``hidden`` are paths (the assignment's
    folder) that are covered up even if a folder of the Python installation contains them.
    ``seed`` starts ``random``, numpy and torch.
    """

    mode: Mode
    limits: ProcessLimits = field(default_factory=ProcessLimits)
    seed: int = 0
    files: Mapping[str, Path] = field(default_factory=dict)
    extra: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        for name, path in self.files.items():
            if not name or "/" in name or name in {".", ".."} or "\0" in name:
                raise ValueError(f"a file in the working directory has a plain name, not {name!r}")
            _must_be_absolute(path)
        for path in (*self.extra, *self.hidden):
            _must_be_absolute(path)

    def to_json(self) -> bytes:
        """The form that ``from_json`` reads."""
        return json.dumps(asdict(self) | {"files": dict(self.files)}, default=str).encode()

    @classmethod
    def from_json(cls, data: bytes) -> BoxSpec:
        """The spec that ``to_json`` wrote."""
        tree = json.loads(data)
        return cls(
            mode=Mode(tree["mode"]),
            limits=ProcessLimits(**tree["limits"]),
            seed=tree["seed"],
            files={name: Path(path) for name, path in tree["files"].items()},
            extra=tuple(map(Path, tree["extra"])),
            hidden=tuple(map(Path, tree["hidden"])),
        )


@dataclass(frozen=True, kw_only=True)
class BoxEnd:
    """How a sandbox ended, and what its first process used."""

    ending: Ending
    cpu_seconds: float = 0.0
    max_rss_mb: int = 0


@dataclass(frozen=True)
class MemoryKill:
    """One forked process ended for its memory, so that the rest could live.

    ``process`` is its number inside the sandbox, ``megabytes`` what it held. When the kernel was faster than
    the watchdog, the number is 0, because it does not say which one it was, and the size is the limit.
    """

    process: int
    megabytes: int


def _must_be_absolute(path: Path) -> None:
    if not path.is_absolute():
        raise ValueError(f"a path for the sandbox must be absolute, not {str(path)!r}")
