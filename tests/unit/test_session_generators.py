"""Random numbers that student code draws: the same for one seed, others for another, in every sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.sandboxed import checked, sandboxed

from grader.inside import generators
from grader.sandbox.zygote import Zygote
from grader.session.in_process import LocalNotebook

pytestmark = pytest.mark.sandbox

DRAWS = """
import random, numpy as np, torch
generator = np.random.default_rng()

def draws():
    kinds = [np.random.default_rng(), np.random.Generator(np.random.PCG64()), np.random.RandomState()]
    return [random.random(), np.random.random(), torch.rand(1).item()] + [kind.random() for kind in kinds]

def own():
    np.random.seed(42)
    return np.random.random()

drawn = draws() + [generator.random()]
"""
SEEDED = "import random, numpy as np, torch; random.seed(5); np.random.seed(5); torch.manual_seed(5)"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote.start(preload=("numpy", "torch")) as process:
        yield process


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sandboxes need Linux")
def test_what_student_code_draws_comes_from_the_seed_alone(zygote: Zygote) -> None:
    """Also from generators that were made without a seed; what a student seeds stays theirs."""
    cells, checks, own = [], [], []
    for _ in range(2):
        with sandboxed(zygote, DRAWS) as notebook:
            for seed in (1, 1, 2):
                with checked(notebook, seed=seed) as student:
                    checks.append(tuple(student.draws()))
                    own.append(student.own())
                    cells.append(tuple(student.drawn.value))
    assert len(set(cells)) == 1
    assert checks[0] == checks[1] == checks[3] == checks[4]
    assert checks[2] == checks[5]
    assert not set(checks[0]) & set(checks[2])
    assert len(set(checks[0])) == 6
    assert set(own) == {0.3745401188473625}  # numpy's first after seed 42


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sandboxes need Linux")
def test_a_student_s_own_seeding_goes_on_where_a_check_keeps_it(zygote: Zygote) -> None:
    draw = "def draw():\n    return [random.random(), np.random.random(), torch.rand(1).item()]"
    local: dict[str, object] = {}
    exec(f"{SEEDED}\n{draw}\nexpected = draw()", local)
    with sandboxed(zygote, SEEDED, draw) as notebook:
        for _ in range(2):
            with notebook.copy(seed=None, seconds=10) as session:
                assert session.student.draw() == local["expected"]
        with checked(notebook, seed=5) as student:
            assert student.draw()[2] == local["expected"][2]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sandboxes need Linux")
def test_hashes_are_the_same_in_every_sandbox(zygote: Zygote) -> None:
    plain = subprocess.run(
        [sys.executable, "-c", "print(hash('chainrule'))"],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    with sandboxed(zygote, "found = hash('chainrule')") as notebook, checked(notebook) as student:
        assert student.found.value == int(plain.stdout)


@pytest.mark.parametrize("seed", [None, 3])
def test_a_check_on_ones_own_machine_leaves_the_generators_as_they_were(seed: int | None) -> None:
    names: dict[str, object] = {}
    exec(f"{DRAWS}\n{SEEDED}", names)
    notebook = LocalNotebook(names)
    with generators.undisturbed():
        generators.seed_all(11)
        exec("expected = [draws() for _ in range(3)]", names)
        generators.seed_all(11)
        exec("first = draws()", names)
        with notebook.copy(seed=seed, seconds=5) as session:
            inside = session.student.draws()
        exec("rest = [draws() for _ in range(2)]", names)
    assert [names["first"], *names["rest"]] == names["expected"]
    assert (inside[:3] == names["expected"][1][:3]) == (seed is None)
    assert names["np"].random.default_rng().random() != names["np"].random.default_rng().random()
