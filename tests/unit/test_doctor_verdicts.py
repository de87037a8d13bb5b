"""Doctor's verdict, kept from one command to the next: who can change it, and when it still counts."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import pytest

from grader.doctor import verdicts
from grader.doctor.findings import Finding, Verdict
from grader.doctor.verdicts import recall, remember, verdict_of
from grader.model.isolation import Mode
from grader.model.records import DoctorVerdict

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

VERDICT = DoctorVerdict(kept=20, tried=21, broken=("tcp",), tried_on="2026-01-31")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def kept_file(environ: dict[str, str]) -> Path:
    path = remember(Mode.NS_USER, VERDICT, environ=environ)
    assert path is not None
    return path


def test_what_a_verdict_counts() -> None:
    """What the mode does not promise is not counted; a probe that proves nothing keeps no promise."""
    fared = {"a": Verdict.HOLDS, "b": Verdict.BROKEN, "c": Verdict.NOT_PROMISED, "d": Verdict.UNPROVEN}
    findings = [Finding(name=name, title="", verdict=verdict) for name, verdict in fared.items()]
    assert verdict_of(findings, on=date(2026, 1, 31)) == DoctorVerdict(
        kept=1, tried=3, broken=("b", "d"), tried_on="2026-01-31"
    )


def test_a_verdict_is_kept_for_its_mode_alone(environ: dict[str, str]) -> None:
    assert recall(Mode.NS_USER, environ=environ) is None
    path = kept_file(environ)
    assert recall(Mode.NS_USER, environ=environ) == VERDICT
    assert recall(Mode.LANDLOCK, environ=environ) is None
    assert list(path.parent.iterdir()) == [path], "no draft stays behind"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_without_isolation_no_verdict_counts(environ: dict[str, str]) -> None:
    """The code that ran so could have written it."""
    assert remember(Mode.NONE, VERDICT, environ=environ) is not None
    assert recall(Mode.NONE, environ=environ) is None


@pytest.mark.parametrize(
    "name", ["chainrule", "code", "mode", "python", "kernel", "boot", "container", "cgroup", "user"]
)
def test_another_circumstance_another_verdict(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Even if the file lay where this one is looked for."""
    path = kept_file(environ)
    true = verdicts._circumstances
    monkeypatch.setattr(verdicts, "_circumstances", lambda mode: true(mode) | {name: "another"})
    assert recall(Mode.NS_USER, environ=environ) is None
    monkeypatch.setattr(verdicts, "_path", lambda *_: path)
    assert recall(Mode.NS_USER, environ=environ) is None


@pytest.mark.parametrize("part", ["doctor", "inside", "sandbox/walls"])
def test_a_change_of_the_sandboxs_code_is_a_circumstance(tmp_path: Path, part: str) -> None:
    file = tmp_path / part / "code.py"
    file.parent.mkdir(parents=True)
    file.write_text("UP = True")
    before = verdicts._code(tmp_path)
    assert verdicts._code(tmp_path) == before
    file.write_text("UP = False")
    assert verdicts._code(tmp_path) != before


def test_a_file_that_another_could_have_written_says_nothing(environ: dict[str, str]) -> None:
    """Rights for others, a link, something that is no file."""
    path = kept_file(environ)
    path.chmod(0o620)
    assert recall(Mode.NS_USER, environ=environ) is None
    path.chmod(0o600)
    moved = path.rename(path.with_name("moved"))
    path.symlink_to(moved)
    assert recall(Mode.NS_USER, environ=environ) is None
    path.unlink()
    os.mkfifo(path)
    assert recall(Mode.NS_USER, environ=environ) is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_another_users_file_says_nothing(environ: dict[str, str]) -> None:
    os.chown(kept_file(environ), 65534, 65534)
    assert recall(Mode.NS_USER, environ=environ) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"circumstances": {}}', b"\xff\x00" * 50_000])
def test_a_damaged_file_says_nothing_and_is_replaced(environ: dict[str, str], content: bytes) -> None:
    path = kept_file(environ)
    path.write_bytes(content)
    assert recall(Mode.NS_USER, environ=environ) is None
    assert kept_file(environ) == path
    assert recall(Mode.NS_USER, environ=environ) == VERDICT


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path) -> None:
    """No home, a file where the folder should be: no error, and no verdict."""
    (tmp_path / "file").touch()
    for environ in ({}, {"HOME": "somewhere"}, {"XDG_CACHE_HOME": str(tmp_path / "file")}):
        assert remember(Mode.NS_USER, VERDICT, environ=environ) is None
        assert recall(Mode.NS_USER, environ=environ) is None


def test_the_cache_folder_is_the_one_that_the_standard_names(tmp_path: Path) -> None:
    """A relative XDG_CACHE_HOME is passed over."""
    path = kept_file({"XDG_CACHE_HOME": "here", "HOME": str(tmp_path)})
    assert path.parent == tmp_path / ".cache" / "chainrule"
