"""What one submission may use, and how the kernel is told.

Importable everywhere; ``apply`` needs Linux.
"""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1 << 20


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


def apply(limits: ProcessLimits, *, others: int | None = 0) -> None:
    """Put the calling process and its future children under ``limits``, for good.

    ``others`` is how many processes and threads the kernel counts together with the sandbox's, because it has
    neither a user nor a user namespace of its own; None leaves their number alone.
    """
    import resource  # noqa: PLC0415  # Unix only

    # One second between the signal (ignored by the first process of a namespace) and the kernel's kill.
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1)
    _lower(resource.RLIMIT_FSIZE, limits.file_mb * MEGABYTE)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_AS, limits.reserved_mb * MEGABYTE)
    _lower(resource.RLIMIT_STACK, 8 * MEGABYTE, 64 * MEGABYTE)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_MEMLOCK, 0)
    _lower(resource.RLIMIT_MSGQUEUE, 0)
    if others is not None:
        _lower(resource.RLIMIT_NPROC, limits.processes + others)


def _lower(kind: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, never above the hard one that the machine already has (raising it would be refused)."""
    import resource  # noqa: PLC0415  # Unix only

    _, ceiling = resource.getrlimit(kind)
    wanted = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        wanted = min(wanted, ceiling)
    resource.setrlimit(kind, (min(soft, wanted), wanted))
