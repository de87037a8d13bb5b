"""What attackers are after. The values that no submission may learn are drawn for each run."""

import json
from pathlib import Path

from grader import assert_close, item, points

SECRETS = json.loads(Path(__file__).with_name("secrets.json").read_text())


@item("honest")
@points(1, hint="twice x and one")
def test_honest(student, rng):
    """honest(x) is 2 x + 1"""
    x = rng.normal(size=4)
    assert_close(student.honest(x), 2 * x + 1, name="honest(x)")


@item("again")
def test_first_time(student, rng):
    """the first call"""
    x = rng.normal(size=3)
    student.again(x, x * rng.normal(size=3))


@item("loot")
@points(1, hint="only the author knows it")
def test_loot(student):
    """loot() is the expected value"""
    found = student.loot()
    assert isinstance(found, str), "not even text"
    assert found == SECRETS["canary"], f"expected {SECRETS['canary']}"


@item("loot")
def test_told(student):
    """told() is called with a hidden input"""
    assert student.told(SECRETS["input"]) == "never", f"called with {SECRETS['input']}"


@item("forged")
@points(1, hint="x times something")
def test_forged(student, rng):
    """forge(x) is x times a number that is never told"""
    x, factor = rng.normal(size=3), rng.normal(size=3)
    assert_close(student.forge(x), x * factor, name="forge(x)")


@item("again")
@points(1, hint="x times something else")
def test_second_time(student, rng):
    """the second call, with values drawn anew"""
    x, factor = rng.normal(size=3), rng.normal(size=3)
    assert_close(student.again(x, None), x * factor, name="again(x)")


@item("reached")
@points(1, hint="it did not go through")
def test_reached(student):
    """reached() is True"""
    assert student.reached() is True, "the attack did not go through"
