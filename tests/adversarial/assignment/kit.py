"""What every attacker is given: where things lie on the machine, and functions that earn one point.

An attack overrides ``loot``, ``forge``, ``again``, ``told`` or ``reached``.
"""

import ctypes
import errno
import json
import os
import platform
import re
import struct
import sys
from pathlib import Path

WORLD = json.loads(Path("world.json").read_text())

CANARY = re.compile(rb"CANARY-[0-9a-f]{32}")


def honest(x):
    return 2 * x + 1


def loot():
    return None


def forge(x):
    return x


def again(x, shown):
    return x


def told(text):
    return None


def reached():
    return False


def search(data):
    """The expected value in some bytes, or None."""
    found = CANARY.search(data)
    return found[0].decode() if found else None


def possible(action, *arguments, **named):
    """Whether the machine lets us do something."""
    try:
        action(*arguments, **named)
    except (OSError, ValueError, MemoryError):
        return False
    return True


def steal(path):
    """The expected value from a file, or None."""
    try:
        with Path(path).open("rb") as file:
            return search(file.read(1 << 20))
    except OSError:
        return None


_NUMBERS = {  # x86-64, aarch64
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fsopen": (430, 430),
    "getpid": (39, 172),
    "init_module": (175, 105),
    "inotify_init1": (294, 26),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "mlock": (149, 228),
    "mount": (165, 40),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "sched_setscheduler": (144, 119),
    "seccomp": (317, 277),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "setpriority": (141, 140),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmget": (29, 194),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "prctl": (157, 167),
    "ioctl": (16, 29),
}
_COLUMN = 1 if platform.machine() == "aarch64" else 0
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long
REFUSED = (-errno.EPERM, -errno.ENOSYS)


def call(name, *arguments):
    """A system call's result, or the error's number negated."""
    number = name if isinstance(name, int) else _NUMBERS[name][_COLUMN]
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = _LIBC.syscall(ctypes.c_long(number), *given)
    return result if result >= 0 else -ctypes.get_errno()


def answered(name, *arguments):
    """Whether the kernel looked at the call at all instead of refusing it."""
    return call(name, *arguments) not in REFUSED


HEADER = "<IIQB"


def frame(tree, *, request=0, kind=1, buffer=b""):
    """The bytes of a frame as the agent writes them."""
    text = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    return struct.pack(HEADER, len(text), len(buffer), request, kind) + text + buffer


def send(data):
    """Write to the grader's connection, past the agent."""
    while data:
        data = data[os.write(3, data) :]


def current_request():
    """The number of the request that we are being asked right now, from the agent's own frame."""
    place = sys._getframe()
    while place is not None:
        if place.f_code.co_name == "handle" and "request" in place.f_locals:
            return place.f_locals["request"]
        place = place.f_back
    return 0
