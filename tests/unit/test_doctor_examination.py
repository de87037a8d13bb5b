"""Each promise tried in a real sandbox, each probe seen to get through where there is none.

``test_sandbox_users`` runs what depends on the mode again as an ordinary user.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from support.boxes import mode_here

from grader.cli import doctor as command
from grader.doctor import examination, findings, machine, verdicts
from grader.doctor.examination import Report
from grader.doctor.findings import Finding, Verdict, try_one
from grader.doctor.packages import PackageFinding, try_packages
from grader.doctor.promises import EVERYWHERE, PROMISES, Promise
from grader.grading.environment import describe_environment
from grader.model.errors import InfrastructureError
from grader.model.isolation import Mode
from grader.model.records import DoctorVerdict
from grader.sandbox.spec import BoxSpec
from grader.sandbox.zygote import Zygote

pytestmark = pytest.mark.sandbox

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

BY_NAME = {promise.name: promise for promise in PROMISES}

# What a process without walls does to the bait: a probe of which one part silently fails would prove less.
GETS_THROUGH = {
    "read-files": {"read a file", "listed a folder", "read a process's environment"},
    "see-files": {"asked for a file's size and time"},
    "write-files": {
        "changed a file",
        "cut a file",
        "made a file",
        "changed rights",
        "changed a time",
        "renamed a file",
        "deleted a file",
    },
    "tcp": {"connected by TCP", "listens for TCP"},
    "udp": {"sent by UDP"},
    "unix-sockets": {"connected to a service", "sent to a service", "connected to an abstract socket"},
    "programs": {
        "read a file",
        "made a file",
        "connected to a service",
        "connected by TCP",
        "signalled a process",
    },
    "see-processes": {"found a process", "asked for a process's session"},
}


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote.start(preload=["numpy"]) as started:
        yield started


@linux_only
@pytest.mark.parametrize("name", BY_NAME)
def test_each_promise_holds_and_its_probe_gets_through_without_walls(zygote: Zygote, name: str) -> None:
    """The verdict of doctor on this machine, promise by promise."""
    promise, mode = BY_NAME[name], mode_here()
    finding = try_one(zygote, mode, promise)
    if promise.given(mode):
        assert (finding.verdict, finding.seen, finding.mend) == (Verdict.HOLDS, "", "")
    else:
        assert (finding.verdict, bool(finding.seen)) == (Verdict.NOT_PROMISED, True)
        assert finding.mend == promise.mend(mode)
    assert bool(finding.control) == (
        promise.control == "always" or (promise.control == "may" and mode.namespaces)
    )
    if name in GETS_THROUGH:
        assert set(finding.control.split(", ")) == GETS_THROUGH[name]


@linux_only
@pytest.mark.parametrize("name", [name for name, promise in BY_NAME.items() if promise.control == "always"])
def test_a_missing_wall_is_a_cross(zygote: Zygote, name: str) -> None:
    """The same probe where nothing stands in its way, in a mode that claims something does."""
    promise = dataclasses.replace(BY_NAME[name], given_by={Mode.NONE}, given_here=lambda: True)
    finding = try_one(zygote, Mode.NONE, promise)
    assert finding.verdict is Verdict.BROKEN
    assert finding.seen
    assert "do not grade" in finding.mend


@linux_only
@pytest.mark.parametrize(
    ("name", "source", "seen"),
    [
        ("output", "print('lost')", "'lost"),
        ("memory", "held = bytearray(1 << 20)", "600 MB"),
        ("interrupt", "pass", "not stopped"),
        ("kill", "pass", "lives on"),
        ("environment", "answer = ['SECRET']", "SECRET"),
        ("descriptors", "answer = ['descriptor 9']", "descriptor 9"),
        ("programs", "import os; os.execv('/bin/sh', ['sh', '-c', 'exit 3'])", "no answer"),
        ("ends", "import os; os._exit(0)", "no answer (exit 0)"),
        ("tcp", "1 / 0", "no answer (ZeroDivisionError"),
        ("tcp", "answer = None", "no answer (None)"),
    ],
)
def test_another_answer_is_a_cross(zygote: Zygote, name: str, source: str, seen: str) -> None:
    """Also of the probes that have no control, and of those that fall over."""
    finding = try_one(zygote, mode_here(), dataclasses.replace(BY_NAME[name], source=source, control=""))
    assert finding.verdict is Verdict.BROKEN
    assert seen in finding.seen


@linux_only
def test_a_probe_that_cannot_fail_is_noticed(zygote: Zygote) -> None:
    """It proves nothing, so nothing may rest on it."""
    finding = try_one(zygote, mode_here(), Promise(name="x", title="x", source="", control="always"))
    assert finding.verdict is Verdict.UNPROVEN
    assert not finding.verdict.good


@linux_only
def test_a_sandbox_that_does_not_start_answers_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never counts as "stopped"."""
    missing = functools.partial(BoxSpec, files={"x": Path("/no/such/file")})
    monkeypatch.setattr(findings, "BoxSpec", missing)
    with pytest.raises(InfrastructureError, match="did not start"):
        next(findings.try_all(mode_here()))


def finding(verdict: Verdict, **more: str) -> Finding:
    return Finding(name="x", title="keeps a promise", verdict=verdict, **more)


def shown(report: Report, *, width: int = 80, encoding: str = "utf-8") -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    command.show(report, Console(file=file, width=width))
    file.seek(0)
    return file.read()


def report_of(*found: Finding) -> Report:
    report = Report()
    report.mode, report.tried, report.machine = Mode.NS_USER, {Mode.NS_USER: ""}, {"system": "Linux"}
    report.findings = list(found)
    return report


def test_crosses_say_what_got_through_and_what_to_do() -> None:
    """In eighty columns, with signs that the terminal has."""
    report = report_of(
        finding(Verdict.HOLDS),
        finding(Verdict.BROKEN, seen="read a file, " * 12, mend="do this"),
        finding(Verdict.UNPROVEN),
        finding(Verdict.NOT_PROMISED, seen="asked for a size", mend="sudo sysctl x=0"),
    )
    assert not report.holds
    text = shown(report)
    for words in ("✓ keeps", "✗ keeps", "– keeps", "broken: read a file", "not proven", "asked for a size"):
        assert words in text
    assert "To mend: do this" in text
    assert "To mend: sudo sysctl x=0" in text
    assert "1 promises hold, 1 not promised in this mode, 2 BROKEN" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "x keeps" in shown(report, encoding="ascii")


def test_only_a_whole_examination_holds() -> None:
    """One finding too few, or a broken one, and scripts are told."""
    all_hold = [finding(Verdict.HOLDS)] * (len(PROMISES) - 1)
    assert report_of(*all_hold, finding(Verdict.NOT_PROMISED)).holds
    assert not report_of(*all_hold).holds
    assert not report_of(*all_hold, finding(Verdict.BROKEN)).holds
    broken_off = report_of(*all_hold, finding(Verdict.HOLDS))
    broken_off.why_not = "the sandbox did not start"
    assert not broken_off.holds


def test_where_no_mode_works_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command to type, and exit status 1."""
    monkeypatch.setattr(examination.modes, "candidates", lambda: (Mode.NS_USER,))
    monkeypatch.setattr(examination.modes, "probe", lambda _: "unshare: Operation not permitted")
    done = CliRunner().invoke(command.command)
    assert done.exit_code == 1
    assert "unshare: Operation not permitted" in done.output
    assert "kernel.apparmor_restrict_unprivileged_userns=0" in done.output.replace("\n", "")


def test_elsewhere_than_on_linux_it_says_where_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried, nothing fails."""
    monkeypatch.setattr(sys, "platform", "darwin")
    done = CliRunner().invoke(command.command, ["--json"])
    found = json.loads(done.output)
    assert done.exit_code == 1
    assert (found["holds"], found["mode"], found["promises"]) == (False, None, [])
    assert "WSL2" in found["why_not"]


@linux_only
def test_no_sandbox_can_forge_the_verdict_that_is_kept(zygote: Zygote, tmp_path: Path) -> None:
    """In the mode of this machine; without walls it could."""
    environ, verdict = {"XDG_CACHE_HOME": str(tmp_path)}, verdicts.verdict_of([], on=date(2026, 1, 31))
    path = str(verdicts.remember(mode_here(), verdict, environ=environ))
    forge = f"""
attempt("rewrote it", lambda: open({path!r}, "w").close())
attempt("put another in its place", lambda: os.rename({path!r}, {path + "2"!r}))
attempt("made a new one", lambda: open({path!r}, "w").close())
"""
    promise = Promise(name="forge", title="forges no verdict", source=forge, control="always")
    inside = dataclasses.replace(promise, control="")
    assert try_one(zygote, mode_here(), inside).verdict is Verdict.HOLDS
    assert verdicts.recall(mode_here(), environ=environ) == verdict
    assert try_one(zygote, mode_here(), promise).control.count(",") == 2
    assert verdicts.recall(mode_here(), environ=environ) is None


@linux_only
def test_the_command_says_all_of_it_to_scripts(tmp_path: Path) -> None:
    """The same promises, found by the real command, which keeps its verdict for `grade`."""
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli.main", "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["holds"], found["mode"]) == (0, True, mode_here())
    assert [promise["name"] for promise in found["promises"]] == list(BY_NAME)
    assert found["machine"]["Landlock"].startswith("version")
    assert found["modes"][mode_here()] == ""
    assert Path(found["kept_in"]).parent == tmp_path / "chainrule"
    ran = describe_environment(mode_here(), environ=environ)
    promised = sum(promise["verdict"] == "holds" for promise in found["promises"])
    assert ran.doctor == DoctorVerdict(
        kept=promised, tried=promised, broken=(), tried_on=datetime.now(UTC).date().isoformat()
    )


@linux_only
def test_an_examination_that_broke_off_leaves_no_verdict(tmp_path: Path) -> None:
    """A part of the promises says nothing of the rest."""
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    report = report_of(*[finding(Verdict.HOLDS)] * (len(PROMISES) - 1))
    assert examination.remember(report, environ=environ) is None
    assert verdicts.recall(Mode.NS_USER, environ=environ) is None
    assert "will not carry" not in shown(report)
    report.findings.append(finding(Verdict.BROKEN))
    assert "will not carry" in shown(report)
    report.kept_in = examination.remember(report, environ=environ)
    assert "will not carry" not in shown(report)
    kept = verdicts.recall(Mode.NS_USER, environ=environ)
    assert kept is not None
    assert (kept.kept, kept.broken) == (len(PROMISES) - 1, ("x",))


@linux_only
def test_forbidden_user_namespaces_are_named_with_their_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one fact that explains most failures."""
    monkeypatch.setattr(machine, "_read", lambda path: "1" if "apparmor" in path else "")
    assert machine.facts()["user namespaces"] == (
        "forbidden by kernel.apparmor_restrict_unprivileged_userns=1"
    )


def test_every_mode_that_isolates_makes_the_promises() -> None:
    """Those with namespaces make them all."""
    assert set(Mode) - {Mode.NONE} == set(EVERYWHERE)
    assert all({Mode.NS_USER, Mode.NS_ROOT} <= set(promise.given_by) for promise in PROMISES)


@linux_only
def test_packages_that_students_may_import_are_imported_in_a_sandbox() -> None:
    """One that is missing comes with what to install, one by its registry's name with that of `import`."""
    named = ["numpy", "json.decoder", "fairly_rare", "rich"]
    found = {package.name: package for package in try_packages(mode_here(), named)}
    assert list(found) == named
    assert [name for name in named if not found[name].failure] == ["numpy", "json.decoder", "rich"]
    assert found["numpy"].version
    assert found["fairly_rare"].failure == "ModuleNotFoundError: No module named 'fairly_rare'"
    assert found["fairly_rare"].mend == "python -m pip install fairly_rare"
    by_registry = next(try_packages(mode_here(), ["markdown-it-py"]))
    assert "`markdown_it`" in by_registry.mend


@linux_only
def test_a_package_that_does_not_let_itself_be_imported_is_named() -> None:
    """It says why; a name is data, whatever is in it."""
    broken, odd = try_packages(mode_here(), ["ctypes.wintypes.nothing", "a'b"])
    assert "wintypes" in broken.failure
    assert odd.failure.startswith("ModuleNotFoundError")


def test_missing_packages_are_crosses_with_what_to_do() -> None:
    """They leave the sandbox's promises as they are."""
    report = report_of(*[finding(Verdict.HOLDS)] * len(PROMISES))
    report.packages = [
        PackageFinding(name="numpy", version="2.1"),
        PackageFinding(name="cv2", failure="ModuleNotFoundError: x", mend="python -m pip install y"),
    ]
    text = shown(report)
    assert report.holds
    assert "✓ students may import `numpy` (2.1)" in text
    assert "it cannot be imported: ModuleNotFoundError: x" in text
    assert "To mend: python -m pip install y" in text
    assert "1 of 2 packages MISSING" in text


@linux_only
def test_the_command_looks_at_the_packages_of_an_assignment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The one named, or that of this folder; a missing package is status 1."""
    monkeypatch.setattr(findings, "PROMISES", ())
    monkeypatch.setattr(examination, "PROMISES", ())
    monkeypatch.setattr(findings.try_all, "__kwdefaults__", {"promises": ()})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = 'title = "T"\npoints = 1\n[[item]]\nid = "1"\ntitle = "Mean"\npoints = 1\n[environment]\n'
    manifest = tmp_path / "assignment.toml"
    manifest.write_text(f'{text}packages = ["numpy", "fairly_rare"]\n')
    done = CliRunner().invoke(command.command, ["--json", "--assignment", str(tmp_path)])
    found = json.loads(done.output)
    assert (done.exit_code, found["holds"]) == (1, True)
    assert [(one["name"], bool(one["failure"])) for one in found["packages"]] == [
        ("numpy", False),
        ("fairly_rare", True),
    ]
    manifest.write_text(f'{text}packages = ["numpy"]\n')
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command.command, ["--json"])
    assert (done.exit_code, len(json.loads(done.output)["packages"])) == (0, 1)
