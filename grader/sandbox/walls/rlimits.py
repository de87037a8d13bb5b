"""Kernel limits for each process (setrlimit).

Importable everywhere; ``apply`` needs Linux.
"""

from __future__ import annotations

from grader.sandbox.spec import MEGABYTE, ProcessLimits


def apply(limits: ProcessLimits, *, others: int | None = 0) -> None:
    """Put the calling process and its future children under ``limits``, for good.

    ``others`` is how many processes and threads the kernel counts together with the sandbox's, if it has
    neither a user nor a user namespace of its own; None sets no limit on their number.
    """
    import resource  # noqa: PLC0415  # Unix only

    # SIGXCPU at the soft limit can be ignored (the first process of a namespace does); SIGKILL at the hard
    # one, a second later, cannot.
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
