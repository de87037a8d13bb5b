"""Options that several commands share: the same name, type and words in each."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path

import click
from click.decorators import FC

MAX_SEED = 2**31


def assignment(otherwise: str) -> Callable[[FC], FC]:
    """`--assignment DIR`; ``otherwise`` says where it is looked for."""
    return click.option(
        "--assignment",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help=f"Folder with assignment.toml. [default: {otherwise}]",
    )


def out() -> Callable[[FC], FC]:
    """`--out DIR`."""
    return click.option(
        "--out",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Where reports go. [default: ASSIGNMENT/reports]",
    )


def seed(otherwise: str) -> Callable[[FC], FC]:
    """`--seed N`; ``otherwise`` says where it comes from."""
    return click.option(
        "--seed",
        metavar="N",
        type=click.IntRange(0, MAX_SEED),
        help=f"Seed of all random inputs. [default: {otherwise}]",
    )


def csv(what: str) -> Callable[[FC], FC]:
    """`--csv FILE`, which the command knows as ``csv_path``; ``what`` says what is written there."""
    return click.option("--csv", "csv_path", metavar="FILE", type=click.Path(path_type=Path), help=what)


def workers() -> Callable[[FC], FC]:
    """`--workers N`."""
    return click.option(
        "--workers", metavar="N", type=click.IntRange(1, 1024), help="Processes. [default: the processors]"
    )


def author() -> Callable[[FC], FC]:
    """`--by NAME`, which the command knows as ``author``."""
    return click.option("--by", "author", default=getpass.getuser, help="Who. [default: your login]")


def gradebook(function: FC) -> FC:
    """`--assignment DIR` and `--db URL`: what every command about the gradebook takes."""
    function = click.option(
        "--db", metavar="URL", help="The gradebook. [default: ASSIGNMENT/reports/gradebook.sqlite]"
    )(function)
    return assignment("this folder, or one above")(function)
