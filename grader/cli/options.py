"""Options that several commands share, with the same name, type and help text in each."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import click
from click.decorators import FC

from grader.host import login
from grader.model.text import clean

MAX_SEED = 2**31
LONGEST_LINE = 20_000
"""Characters that `tell` prints at most."""


def tell(text: str, *, err: bool = False) -> None:
    """Print text that may hold what students wrote: whatever controls a terminal is taken out.

    Every plain line of the commands goes out here; tables and reports are cleaned where they are built.
    """
    click.echo(clean(text, LONGEST_LINE), err=err)


def draw_seed() -> int:
    """A seed for when nobody chose one; every record names the one that it was made with."""
    return secrets.randbelow(MAX_SEED)


def assignment(default: str) -> Callable[[FC], FC]:
    """`--assignment DIR`; ``default`` says where it is looked for."""
    return click.option(
        "--assignment",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help=f"Folder with assignment.toml. [default: {default}]",
    )


def out() -> Callable[[FC], FC]:
    """`--out DIR`."""
    return click.option(
        "--out",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Where reports go. [default: ASSIGNMENT/reports]",
    )


def seed(default: str) -> Callable[[FC], FC]:
    """`--seed N`; ``default`` says where it comes from."""
    return click.option(
        "--seed",
        metavar="N",
        type=click.IntRange(0, MAX_SEED),
        help=f"Seed of all random inputs. [default: {default}]",
    )


def csv(what: str) -> Callable[[FC], FC]:
    """`--csv FILE`, the parameter ``csv_path``; ``what`` says what is written there."""
    return click.option("--csv", "csv_path", metavar="FILE", type=click.Path(path_type=Path), help=what)


def workers() -> Callable[[FC], FC]:
    """`--workers N`."""
    return click.option(
        "--workers",
        metavar="N",
        type=click.IntRange(1, 1024),
        help="Number of processes. [default: one per processor]",
    )


def author() -> Callable[[FC], FC]:
    """`--by NAME`, the parameter ``author``."""
    return click.option(
        "--by", "author", default=login, help="Your name, for the gradebook. [default: your login]"
    )


def gradebook(function: FC) -> FC:
    """`--assignment DIR` and `--db URL`: what every command that opens a gradebook takes."""
    function = click.option(
        "--db",
        metavar="URL",
        help="The gradebook. [default: the last batch's, else ASSIGNMENT/reports/gradebook.sqlite]",
    )(function)
    return assignment("this folder, or one above")(function)


def counting(function: FC) -> FC:
    """`--choose RULE` and `--deadline TIME`: which of a student's submissions counts."""
    function = click.option(
        "--deadline",
        metavar="TIME",
        default="",
        help="Such as 2026-11-30T23:59+01:00; UTC if it names no zone.",
    )(function)
    return click.option(
        "--choose",
        type=click.Choice(["latest", "best", "deadline"]),
        default="latest",
        help="Which of a student's submissions counts. [default: latest]",
    )(function)


def lateness(function: FC) -> FC:
    """`--late-percent N`, `--grace MINUTES`, `--unknown-late-days N`: what being late costs."""
    function = click.option(
        "--unknown-late-days",
        metavar="N",
        type=click.IntRange(0, 365),
        default=1,
        help="Days that count where work is late by an unknown time. [default: 1]",
    )(function)
    function = click.option(
        "--grace",
        metavar="MINUTES",
        type=click.IntRange(0),
        default=0,
        help="Minutes after the deadline that do not count as late.",
    )(function)
    return click.option(
        "--late-percent",
        metavar="N",
        type=click.IntRange(0, 100),
        default=0,
        help="Percent of the possible points that each started day after the deadline costs.",
    )(function)
