"""Things on the host that the probes try to reach: files, services, a process. All are open to everyone.

Only the sandbox stands between a probe and the bait: no permissions, no password. Needs a Unix.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

TOKEN_FOLDERS = ("/tmp", "/dev/shm", "/var/tmp")  # noqa: S108  # where the probe for leftovers looks


@contextlib.contextmanager
def laid_out() -> Iterator[dict[str, object]]:
    """Lay the bait out and remove it afterwards; yields the paths, ports and numbers that the probes need."""
    token = f"chainrule-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="chainrule-bait-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(_remove_tokens, token)
        folder.chmod(0o755)
        yield {
            "token": token,
            "folder": str(folder),
            "python": str(Path(sys.executable).resolve()),
            "process": _process(stack),
            **_files(folder),
            **_services(stack, folder, token),
        }


def _files(folder: Path) -> dict[str, str]:
    open_folder = folder / "open folder"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    secret, victim = folder / "secret", open_folder / "victim"
    for file in (secret, victim):
        file.write_text("an expected value\n", encoding="ascii")
        file.chmod(0o666)
    return {"secret": str(secret), "open folder": str(open_folder), "victim": str(victim)}


def _services(stack: contextlib.ExitStack, folder: Path, token: str) -> dict[str, object]:
    tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    udp.bind(("127.0.0.1", 0))
    paths = {name: str(folder / name) for name in ("service", "datagrams")} | {"abstract": f"\0{token}"}
    for name, path in paths.items():
        kind = socket.SOCK_DGRAM if name == "datagrams" else socket.SOCK_STREAM
        service = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
        service.bind(path)
        if kind is socket.SOCK_STREAM:
            service.listen()
        if name != "abstract":
            Path(path).chmod(0o777)
    return {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1], **paths}


def _process(stack: contextlib.ExitStack) -> int:
    """A process of the same user as the grader's, which waits for us to end."""
    command = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"]
    process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE))  # noqa: S603  # ours
    return process.pid


def _remove_tokens(token: str) -> None:
    for folder in TOKEN_FOLDERS:
        with contextlib.suppress(OSError):
            Path(folder, token).unlink()
