"""Seeds: repeatable for whoever knows the run's, of no help to whoever is given another."""

from __future__ import annotations

import hashlib

from grader.grading.seeds import Seeds


def test_the_same_run_seed_gives_the_same_seeds_everywhere() -> None:
    """Pinned: a regrade years later on another machine draws the same inputs."""
    assert Seeds(7).of_check("test_1.py::test_double") == 2955766166086710836
    assert Seeds(7).of_student() == 2061045194784751776


def test_a_seed_depends_on_the_run_the_check_and_who_draws() -> None:
    """A new check changes no other's inputs, and student code's generators tell nothing about the check's."""
    seeds = {Seeds(run).of_check(key) for run in (1, 2) for key in ("a", "b", "cells")}
    seeds |= {Seeds(run).of_student(key) for run in (1, 2) for key in ("a", "b", "cells")}
    assert len(seeds) == 12
    assert all(0 <= seed < 1 << 63 for seed in seeds)


def test_the_run_seed_is_not_in_what_student_code_is_given() -> None:
    """Neither itself nor through one quick digest, which could be tried for every run seed there is."""
    given = Seeds(7).of_student()
    quick = int.from_bytes(hashlib.sha256(b"7").digest()[:8], "little") >> 1
    assert given not in (7, quick)
